/* SPDX-License-Identifier: ISC */
/*
 * What clients take of us, per address and over all front threads: connections (rule SL-06), and
 * misses if these are limited (rule SL-09). An address of IPv6 stands for its /64, which a single
 * host may have to itself. Any thread; own mutex, taken when a connection comes or goes, and for a
 * miss, but never for a hit.
 */
#ifndef OCSPRELAY_STATE_ADDRESSES_H
#define OCSPRELAY_STATE_ADDRESSES_H

#include "base/hash.h"
#include "types.h"

struct addresses;

struct addresses *addresses_new(struct hash_key key); /* NULL without memory */
void addresses_free(struct addresses *addresses);

enum addresses_result {
	ADDRESSES_OK,
	ADDRESSES_FULL,	   /* max_total reached */
	ADDRESSES_TOO_MANY /* max_each reached for this address, or no memory to count it */
};

/* One more connection from this address (4 or 16 octets; empty: only the total counts). */
enum addresses_result addresses_enter(struct addresses *addresses, struct slice address,
				      size_t max_total, size_t max_each);
void addresses_leave(struct addresses *addresses, struct slice address);
size_t addresses_total(struct addresses *addresses);

/* True: this address may cause one more miss now, and has: per_second (at least 1) of them, after a
 * burst of twice as many. One without octets always may. False without memory to count it, too.
 * Monotonic microseconds. */
bool addresses_take_miss(struct addresses *addresses, struct slice address, uint64_t per_second,
			 int64_t us_now);

#endif
