/* SPDX-License-Identifier: ISC */
/*
 * Shared tails: the embedded certificates of a response are its last octets, and all responses of
 * one responder carry the same ones, so they are kept once. A table of weak references: a tail
 * lives as long as an entry uses it. Any thread; own mutex.
 */
#ifndef OCSPRELAY_STATE_TAIL_H
#define OCSPRELAY_STATE_TAIL_H

#include "base/hash.h"
#include "types.h"

struct tails;
struct tail;

struct tails *tails_new(struct hash_key key); /* NULL without memory */
void tails_free(struct tails *tails);         /* after the last tail */

/* The tail with these octets (copied at first sight), one reference given; NULL without memory. */
struct tail *tail_get(struct tails *tails, struct slice bytes);
void tail_unref(struct tail *tail); /* NULL is fine */
struct slice tail_bytes(const struct tail *tail); /* valid while referenced */

/* Octets that all tails take together. */
size_t tails_memory(struct tails *tails);

#endif
