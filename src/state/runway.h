/* SPDX-License-Identifier: ISC */
/*
 * Runway: of many answers, by their issuer's counters' slot, how long it is until the first, the
 * median and the last of them runs out. First and last are exact; the median is the lower end of
 * the step that it is in, at most 1.6 % below it, so that a million answers need no list: an issuer
 * with answers takes 7 KiB. One thread at a time.
 */
#ifndef OCSPRELAY_STATE_RUNWAY_H
#define OCSPRELAY_STATE_RUNWAY_H

#include "types.h"

struct runway;

struct runway *runway_new(void);	 /* empty; NULL without memory */
void runway_free(struct runway *runway); /* NULL is fine */

/* An answer of this issuer that runs out so many seconds from now (1 or more). Without memory it is
 * left out. */
void runway_add(struct runway *runway, unsigned slot, int64_t seconds);

struct runway_of {
	uint64_t n;		     /* answers; 0: the rest means nothing */
	int64_t first, median, last; /* seconds */
};

struct runway_of runway_of(const struct runway *runway, unsigned slot);

#endif
