/* SPDX-License-Identifier: ISC */
/*
 * Shared tails: what the responses of one responder have in common is kept once. The embedded
 * certificates are the last octets of a response, and the issuer-id is the first part of its key;
 * together they are more than half of what an entry would take. A table of weak references: a tail
 * lives as long as an entry uses it. Any thread; own mutex, miss path only.
 */
#ifndef OCSPRELAY_STATE_TAIL_H
#define OCSPRELAY_STATE_TAIL_H

#include "base/hash.h"
#include "core/key.h"
#include "types.h"

struct tails;
struct tail;

struct tails *tails_new(struct hash_key key); /* NULL without memory */
void tails_free(struct tails *tails);	      /* after the last tail; NULL is fine */

/* The tail with this issuer-id and these octets (copied at first sight), which may be none. One
 * reference is given; NULL without memory. */
struct tail *tail_get(struct tails *tails, const uint8_t issuer_id[ISSUER_ID_LEN],
		      struct slice bytes);
void tail_unref(struct tail *tail); /* NULL is fine */

/* Valid while referenced. */
struct slice tail_bytes(const struct tail *tail);
const uint8_t *tail_issuer_id(const struct tail *tail);
struct tails *tail_table(const struct tail *tail);

/* Octets that all tails take together, the allocator's share included. */
size_t tails_memory(const struct tails *tails);

#endif
