/* SPDX-License-Identifier: ISC */
/*
 * Failures that are repeated for a short time instead of asking again (rules CL-19, SL-10).
 * Unsigned, so kept apart from signed answers, in this process only, in a table of its own size;
 * the caller looks here only after the cache had nothing valid (F4). Monotonic milliseconds.
 * Any thread; own mutexes.
 */
#ifndef OCSPRELAY_STATE_NEGATIVE_H
#define OCSPRELAY_STATE_NEGATIVE_H

#include "err.h"
#include "base/hash.h"
#include "types.h"

struct negative;

struct negative *negative_new(size_t max_entries, struct hash_key key); /* NULL without memory */
void negative_free(struct negative *negative);

/* Remembers err for key until ms_until; the oldest makes room. max_entries 0: does nothing. */
void negative_put(struct negative *negative, struct slice key, err_t err, int64_t ms_until,
		  int64_t ms_now);

/* The error remembered for key and still in force, or OK. Its remaining time, if asked for. */
err_t negative_get(struct negative *negative, struct slice key, int64_t ms_now);

void negative_remove(struct negative *negative, struct slice key);
size_t negative_count(struct negative *negative);

#endif
