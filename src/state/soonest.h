/* SPDX-License-Identifier: ISC */
/*
 * The few entries that expire first, of any number that are offered one by one. It keeps a
 * reference to each, so one that was removed from the cache lives on until the list is made anew.
 */
#ifndef OCSPRELAY_STATE_SOONEST_H
#define OCSPRELAY_STATE_SOONEST_H

#include "state/entry.h"

#define SOONEST_MAX 10

struct soonest { /* {0}: empty */
	size_t n;
	int64_t last; /* when the last of them expires, once there are so many */
	struct entry *entries[SOONEST_MAX]; /* the first to expire comes first */
};

/* soonest_offer, where it is near enough. */
void soonest_insert(struct soonest *soonest, struct entry *entry);

/* May be called under a shard's mutex, as a cache_fn does. Of a million few get further than this
 * comparison. */
static inline void soonest_offer(struct soonest *soonest, struct entry *entry)
{
	if (soonest->n < SOONEST_MAX || entry->hard_expiry < soonest->last)
		soonest_insert(soonest, entry);
}

void soonest_fini(struct soonest *soonest);

#endif
