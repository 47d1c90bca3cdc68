/* SPDX-License-Identifier: ISC */
/*
 * A slot is the time at which all that was taken from it will have been worked off at the rate.
 * What is taken moves it ahead by one step; it must not lie further ahead of now than the burst.
 */
#include "relay/pace.h"

#include <stdatomic.h>
#include <stdlib.h>

struct pace {
	int64_t ms_each, ms_burst;
	_Atomic int64_t ms_idle_at[];
};

struct pace *pace_new(size_t n_slots, int64_t ms_each, int64_t n_burst)
{
	struct pace *pace = calloc(1, sizeof(*pace) + n_slots * sizeof(pace->ms_idle_at[0]));

	if (pace == NULL)
		return NULL;
	pace->ms_each = ms_each;
	pace->ms_burst = n_burst * ms_each;
	return pace;
}

void pace_free(struct pace *pace)
{
	free(pace);
}

bool pace_take(struct pace *pace, size_t slot, int64_t ms_now)
{
	_Atomic int64_t *place = &pace->ms_idle_at[slot];
	int64_t seen = atomic_load_explicit(place, memory_order_relaxed);
	int64_t next;

	do {
		next = (seen > ms_now ? seen : ms_now) + pace->ms_each;
		if (next - ms_now > pace->ms_burst)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(place, &seen, next, memory_order_relaxed,
							memory_order_relaxed));
	return true;
}
