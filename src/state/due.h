/* SPDX-License-Identifier: ISC */
/*
 * What is due when: keys, as their hashes, by the second of their next refresh. A calendar of one
 * list per second for the hours to come, so that adding and taking cost the same for ten keys or
 * ten million, twelve octets each, and nothing is ever searched or taken out. What is in it is a
 * hint: whoever takes an item looks whether it is still about what it was added for (the stamp) and
 * really due, and adds it again if it is not yet. Times are seconds of a monotonic clock. Any
 * thread; own mutex, miss path only.
 */
#ifndef OCSPRELAY_STATE_DUE_H
#define OCSPRELAY_STATE_DUE_H

#include "types.h"

#define DUE_HORIZON 65536 /* seconds: what is later is taken then, and added again */

struct due;

struct __attribute__((packed)) due_item {
	uint64_t hash;
	uint32_t stamp; /* the caller's */
};

struct due *due_new(int64_t now); /* NULL without memory */
void due_free(struct due *due);	  /* NULL is fine */

/* To be taken at `at` or soon after. Without memory it is forgotten: a client will ask for it. */
void due_add(struct due *due, struct due_item item, int64_t at);

/* Takes up to max of those whose time has come, the earliest first; how many. */
size_t due_take(struct due *due, int64_t now, struct due_item *out, size_t max);

size_t due_count(struct due *due);

#endif
