/* SPDX-License-Identifier: ISC */
/*
 * What is under way: key -> flight, so that one key is fetched once however many ask (HC-11).
 * Belongs to one back thread; no lock. The flights are the caller's; the key's octets are borrowed
 * from the flight while it is in the table.
 */
#ifndef OCSPRELAY_STATE_INFLIGHT_H
#define OCSPRELAY_STATE_INFLIGHT_H

#include "base/hash.h"
#include "err.h"
#include "types.h"

struct inflight;

struct inflight *inflight_new(struct hash_key key); /* NULL without memory */
void inflight_free(struct inflight *inflight);	    /* NULL is fine */

void *inflight_get(const struct inflight *inflight, struct slice key); /* or NULL */

/* flight is not NULL. One that is there under an equal key is replaced. ERR_NO_MEMORY. */
MUST_CHECK err_t inflight_put(struct inflight *inflight, struct slice key, void *flight);

/* A key that is not there is fine. */
void inflight_remove(struct inflight *inflight, struct slice key);
size_t inflight_count(const struct inflight *inflight);

#endif
