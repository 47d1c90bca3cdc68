/* SPDX-License-Identifier: ISC */
/*
 * What is due when: keys, as their hashes, by the second of their next refresh. A calendar of one
 * list per second for the hours to come, so that adding and taking cost the same for ten keys or
 * ten million, eight octets each, and nothing is ever searched or taken out. What is in it is a
 * hint: whoever takes a hash looks whether it is really due, and adds it again if it is not. Times
 * are seconds of a monotonic clock. Any thread; own mutex, miss path only.
 */
#ifndef OCSPRELAY_STATE_DUE_H
#define OCSPRELAY_STATE_DUE_H

#include "types.h"

#define DUE_HORIZON 65536 /* seconds: what is later is taken then, and added again */

struct due;

struct due *due_new(int64_t now); /* NULL without memory */
void due_free(struct due *due);	  /* NULL is fine */

/* To be taken at `at` or soon after. Without memory it is forgotten: a client will ask for it. */
void due_add(struct due *due, uint64_t hash, int64_t at);

/* Takes up to max of those whose time has come, the earliest first; how many. */
size_t due_take(struct due *due, int64_t now, uint64_t *out, size_t max);

size_t due_count(struct due *due);

#endif
