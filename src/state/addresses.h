/* SPDX-License-Identifier: ISC */
/*
 * How many connections there are, in all and per client address, over all front threads (rule
 * SL-06). Any thread; own mutex, taken when a connection comes or goes.
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

#endif
