/* SPDX-License-Identifier: ISC */
/* One count per client address that has connections, and their sum, under one mutex. */
#include "state/addresses.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/list.h"
#include "state/chains.h"

struct address {
	struct chain_node node;
	size_t n;
	uint8_t len;
	uint8_t bytes[16];
};

struct addresses {
	pthread_mutex_t mutex;
	struct hash_key key;
	struct chains chains; /* of struct address; each has n > 0 */
	size_t total;
};

struct addresses *addresses_new(struct hash_key key)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (!addresses)
		return NULL;
	addresses->key = key;
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
	chains_add(&addresses->chains, &address->node, hash);
	return address;
}

static void drop_if_unused(struct addresses *addresses, struct address *address)
{
	if (address->n > 0)
		return;
	chains_remove(&addresses->chains, &address->node);
	free(address);
}

/* Under the mutex. */
static enum addresses_result enter(struct addresses *addresses, struct slice bytes,
				   size_t max_total, size_t max_each)
{
	struct address *address;

	if (addresses->total >= max_total)
		return ADDRESSES_FULL;
	if (bytes.len > 0) {
		address = find_or_add(addresses, bytes);
		if (!address)
			return ADDRESSES_TOO_MANY;
		if (address->n >= max_each) {
			drop_if_unused(addresses, address);
			return ADDRESSES_TOO_MANY;
		}
		address->n++;
	}
	addresses->total++;
	return ADDRESSES_OK;
}

enum addresses_result addresses_enter(struct addresses *addresses, struct slice address,
				      size_t max_total, size_t max_each)
{
	enum addresses_result result;

	assert(address.len <= sizeof(((struct address *)NULL)->bytes));
	pthread_mutex_lock(&addresses->mutex);
	result = enter(addresses, address, max_total, max_each);
	pthread_mutex_unlock(&addresses->mutex);
	return result;
}

/* Under the mutex. */
static void leave(struct addresses *addresses, struct slice bytes)
{
	struct address *address;

	assert(addresses->total > 0);
	addresses->total--;
	if (bytes.len == 0)
		return;
	address = find(addresses, bytes, hash_bytes(&addresses->key, bytes.p, bytes.len));
	assert(address);
	address->n--;
	drop_if_unused(addresses, address);
}

void addresses_leave(struct addresses *addresses, struct slice address)
{
	pthread_mutex_lock(&addresses->mutex);
	leave(addresses, address);
	pthread_mutex_unlock(&addresses->mutex);
}

size_t addresses_total(struct addresses *addresses)
{
	size_t total;

	pthread_mutex_lock(&addresses->mutex);
	total = addresses->total;
	pthread_mutex_unlock(&addresses->mutex);
	return total;
}
