/* SPDX-License-Identifier: ISC */
/*
 * Issuers in trouble, by their counters' slot: whether an outage of the responders is rehearsed,
 * and how many answers clients were given while none of the responders worked. Monotonic
 * milliseconds. Any thread; asking about a rehearsal is one relaxed load, the rest has a mutex and
 * happens when something changes.
 */
#ifndef OCSPRELAY_STATE_TROUBLE_H
#define OCSPRELAY_STATE_TROUBLE_H

#include "types.h"

#define TROUBLE_SLOTS 4096 /* as many as counters give */

struct trouble;

struct trouble *trouble_new(void);	    /* NULL without memory */
void trouble_free(struct trouble *trouble); /* NULL is fine */

/* Until ms_until nobody is to ask this issuer's responders; 0: from now on they may be asked. */
void trouble_rehearse(struct trouble *trouble, unsigned slot, int64_t ms_until);

/* How long that still goes on: milliseconds, 0 if it does not. */
int64_t trouble_rehearsal_left(const struct trouble *trouble, unsigned slot, int64_t ms_now);

/* Whether any responder of the issuer works, and how many answers it has been given so far. Said
 * again, it changes nothing. */
void trouble_note(struct trouble *trouble, unsigned slot, bool is_down, uint64_t n_answers);

/* Answers given while none worked, ever; n_answers as above. */
uint64_t trouble_saved(struct trouble *trouble, unsigned slot, uint64_t n_answers);

#endif
