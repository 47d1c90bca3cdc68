/* SPDX-License-Identifier: ISC */
/*
 * One record per client that has connections, or has had some and misses on its account, and the
 * sum of connections, under one mutex. Of those without connections only the latest are kept: who
 * wanted to be forgotten early would need more addresses than that, each of which has a rate of its
 * own anyway.
 *
 * us_settled is the time at which all misses so far will have been worked off at the rate. A miss
 * moves it ahead by one step; it must not lie further ahead of now than a burst.
 */
#include "state/addresses.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/list.h"
#include "state/chains.h"

#define MAX_ABSENT 4096
#define SUBNET_LEN 8 /* octets of an IPv6 address: hosts get whole /64 networks to choose from */

struct address {
	struct chain_node node;
	struct list absent; /* in the list of that name, while n is 0 */
	size_t n;
	int64_t us_settled; /* 0: no misses yet */
	uint8_t len;
	uint8_t bytes[SUBNET_LEN];
};

struct addresses {
	pthread_mutex_t mutex;
	struct hash_key key;
	struct chains chains; /* of struct address; each has n > 0 or misses */
	struct list absent;   /* those with n = 0, who left first in front */
	size_t n_absent;
	size_t total;
};

struct addresses *addresses_new(struct hash_key key)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (!addresses)
		return NULL;
	addresses->key = key;
	list_init(&addresses->absent);
	if (!chains_init(&addresses->chains))
		goto out;
	if (pthread_mutex_init(&addresses->mutex, NULL) != 0)
		goto out_chains;
	return addresses;
out_chains:
	chains_fini(&addresses->chains, NULL);
out:
	free(addresses);
	return NULL;
}

static void free_address(struct chain_node *node)
{
	free(LIST_ENTRY(node, struct address, node));
}

void addresses_free(struct addresses *addresses)
{
	if (!addresses)
		return;
	chains_fini(&addresses->chains, free_address);
	pthread_mutex_destroy(&addresses->mutex);
	free(addresses);
}

/* The part of an address that tells clients apart. */
static struct slice client_of(struct slice address)
{
	assert(address.len == 0 || address.len == 4 || address.len == 16);
	return address.len == 16 ? slice_of(address.p, SUBNET_LEN) : address;
}

static struct address *find(const struct addresses *addresses, struct slice bytes, uint64_t hash)
{
	for (struct chain_node *node = chains_first(&addresses->chains, hash); node;
	     node = chains_next(node)) {
		struct address *address = LIST_ENTRY(node, struct address, node);

		if (slice_eq(bytes, slice_of(address->bytes, address->len)))
			return address;
	}
	return NULL;
}

/* The caller has n or us_settled rise, or drops it. */
static struct address *find_or_add(struct addresses *addresses, struct slice bytes)
{
	uint64_t hash = hash_bytes(&addresses->key, bytes.p, bytes.len);
	struct address *address = find(addresses, bytes, hash);

	if (address)
		return address;
	address = calloc(1, sizeof(*address));
	if (!address)
		return NULL;
	address->len = (uint8_t)bytes.len;
	memcpy(address->bytes, bytes.p, bytes.len);
	list_append(&addresses->absent, &address->absent);
	addresses->n_absent++;
	chains_add(&addresses->chains, &address->node, hash);
	return address;
}

static void drop(struct addresses *addresses, struct address *address)
{
	list_remove(&address->absent);
	addresses->n_absent--;
	chains_remove(&addresses->chains, &address->node);
	free(address);
}

/* Forgets an absent address that has nothing to be remembered for, or one too many. */
static void tidy(struct addresses *addresses, struct address *address)
{
	if (address->n == 0 && address->us_settled == 0)
		drop(addresses, address);
	else if (addresses->n_absent > MAX_ABSENT)
		drop(addresses, LIST_ENTRY(addresses->absent.next, struct address, absent));
}

/* Under the mutex. */
static enum addresses_result enter(struct addresses *addresses, struct slice client,
				   size_t max_total, size_t max_each)
{
	struct address *address;

	if (addresses->total >= max_total)
		return ADDRESSES_FULL;
	if (client.len > 0) {
		address = find_or_add(addresses, client);
		if (!address)
			return ADDRESSES_TOO_MANY;
		if (address->n >= max_each) {
			tidy(addresses, address);
			return ADDRESSES_TOO_MANY;
		}
		if (address->n++ == 0) {
			list_remove(&address->absent);
			addresses->n_absent--;
		}
	}
	addresses->total++;
	return ADDRESSES_OK;
}

enum addresses_result addresses_enter(struct addresses *addresses, struct slice address,
				      size_t max_total, size_t max_each)
{
	enum addresses_result result;

	pthread_mutex_lock(&addresses->mutex);
	result = enter(addresses, client_of(address), max_total, max_each);
	pthread_mutex_unlock(&addresses->mutex);
	return result;
}

/* Under the mutex. */
static void leave(struct addresses *addresses, struct slice client)
{
	struct address *address;

	assert(addresses->total > 0);
	addresses->total--;
	if (client.len == 0)
		return;
	address = find(addresses, client, hash_bytes(&addresses->key, client.p, client.len));
	assert(address);
	if (--address->n > 0)
		return;
	list_append(&addresses->absent, &address->absent);
	addresses->n_absent++;
	tidy(addresses, address);
}

void addresses_leave(struct addresses *addresses, struct slice address)
{
	pthread_mutex_lock(&addresses->mutex);
	leave(addresses, client_of(address));
	pthread_mutex_unlock(&addresses->mutex);
}

/* Under the mutex. */
static bool take_miss(struct addresses *addresses, struct slice client, uint64_t per_second,
		      int64_t us_now)
{
	const int64_t us_burst = 2 * 1000000;
	struct address *address = find_or_add(addresses, client);
	int64_t settled;
	bool may;

	if (!address)
		return false;
	settled = address->us_settled > us_now ? address->us_settled : us_now;
	settled += 1000000 / (int64_t)per_second;
	may = settled - us_now <= us_burst;
	if (may)
		address->us_settled = settled;
	tidy(addresses, address);
	return may;
}

bool addresses_take_miss(struct addresses *addresses, struct slice address, uint64_t per_second,
			 int64_t us_now)
{
	bool may;

	if (address.len == 0)
		return true;
	pthread_mutex_lock(&addresses->mutex);
	may = take_miss(addresses, client_of(address), per_second, us_now);
	pthread_mutex_unlock(&addresses->mutex);
	return may;
}

size_t addresses_total(struct addresses *addresses)
{
	size_t total;

	pthread_mutex_lock(&addresses->mutex);
	total = addresses->total;
	pthread_mutex_unlock(&addresses->mutex);
	return total;
}
