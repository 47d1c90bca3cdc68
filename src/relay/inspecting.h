/* SPDX-License-Identifier: ISC */
/*
 * An inspection: what each tier of the relay holds under one key, memory first, then the stores in
 * their order. It only looks: nothing is marked as used, copied up or removed, and no store is
 * walked. Main thread only.
 */
#ifndef OCSPRELAY_RELAY_INSPECTING_H
#define OCSPRELAY_RELAY_INSPECTING_H

#include "relay/desk.h"

struct inspecting;

struct inspected {
	const char *tier;    /* "memory", "disk", "redis" */
	err_t err;	     /* ERR_NOT_FOUND, ERR_STORE_FAULT; why a record would be refused */
	struct entry *entry; /* with OK; one reference, the inspection's */
};

/* NULL without memory. */
struct inspecting *inspecting_new(struct desk *desk, const struct cache_key *key);
void inspecting_free(struct inspecting *inspecting); /* done is not called any more; NULL is fine */

/* True: all has been seen. False: done is called once, later, when it has. */
typedef void inspecting_fn(void *arg);
bool inspecting_run(struct inspecting *inspecting, inspecting_fn *done, void *arg);

/* After that. */
size_t inspecting_count(const struct inspecting *inspecting);
const struct inspected *inspecting_at(const struct inspecting *inspecting, size_t i);

#endif
