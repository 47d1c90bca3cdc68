/* SPDX-License-Identifier: ISC */
/*
 * Failures that are repeated for a short time instead of asking again (rules CL-19, SL-10).
 * Unsigned, so kept apart from signed answers, in this process only, in a table of its own size;
 * the caller looks here only after the cache had nothing valid (F4). Monotonic milliseconds.
 * Any thread; own mutex, miss path only.
 */
#ifndef OCSPRELAY_STATE_NEGATIVE_H
#define OCSPRELAY_STATE_NEGATIVE_H

#include "base/hash.h"
#include "err.h"
#include "types.h"

struct negative;

struct negative *negative_new(size_t max_entries, struct hash_key key); /* NULL without memory */
void negative_free(struct negative *negative);				/* NULL is fine */

/*
 * Remembers err for key until ms_until, in the place of what was remembered before; the key that
 * was put longest ago makes room. Does nothing if max_entries is 0, if ms_until is not later than
 * ms_now (a lifetime of 0: off), or without memory.
 */
void negative_put(struct negative *negative, struct slice key, err_t err, int64_t ms_until,
		  int64_t ms_now);

/* The error remembered for key while ms_now is before its ms_until, else OK. */
err_t negative_get(struct negative *negative, struct slice key, int64_t ms_now);

/* The same, and for how long yet (milliseconds); for whoever only wants to know. */
err_t negative_look(struct negative *negative, struct slice key, int64_t ms_now,
		    int64_t *out_ms_left);

void negative_remove(struct negative *negative, struct slice key);

/* Forgets every key that fn says so of, under the mutex: fn must be quick and must not call back.
 */
typedef bool negative_test_fn(void *arg, struct slice key);
void negative_remove_if(struct negative *negative, negative_test_fn *fn, void *arg);

/* How many are held, those included that have run out and were not met since. */
size_t negative_count(struct negative *negative);

#endif
