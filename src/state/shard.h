/* SPDX-License-Identifier: ISC */
/*
 * One part of the memory cache, with a mutex of its own that the caller holds: the entries, the
 * table that finds them, and SIEVE, which chooses who goes. Two arrays, arranged for few cache
 * misses and few octets:
 *
 *	order    the entries from the oldest to the newest, with holes where one was taken out
 *	buckets  the hash table: places in order, twelve to a cache line, each with 8 bits of hash
 *
 * SIEVE (Zhang et al., NSDI 2024): the hand walks through order towards the newest, wraps, clears
 * marks and takes out the first entry without one. New entries are appended, so those that are
 * asked for once are met soon and those that proved useful keep their place behind the hand. A
 * replaced entry keeps place and mark. When order is full, its holes are squeezed out.
 *
 * Buckets fill from the home bucket on. A bucket counts the entries that wanted in and went past,
 * so a search ends early and nothing is left behind by a removal. Both arrays grow by a quarter:
 * an entry's share of them is 13 to 18 octets (P5), a growth touches one shard only.
 */
#ifndef OCSPRELAY_STATE_SHARD_H
#define OCSPRELAY_STATE_SHARD_H

#include <pthread.h>
#include <stdalign.h>

#include "base/hash.h"
#include "state/entry.h"

#define CACHE_LINE 64

struct bucket;

union place {
	struct entry *entry; /* NULL: a hole */
	size_t moved_to;     /* only in an array that is being replaced */
};

struct shard { /* what a look-up needs is in the first cache line */
	alignas(CACHE_LINE) pthread_mutex_t mutex;
	struct bucket *buckets;
	size_t n_buckets;
	union place *order;
	size_t n_order; /* used, holes included */
	size_t order_cap;
	size_t hand; /* SIEVE: the next place to look at; n_order: wrap */
	size_t n_entries;
	size_t entry_octets;
	uint64_t n_evictions;
	struct hash_key key;
};

struct slot {
	struct bucket *bucket;
	unsigned i;
};

MUST_CHECK bool shard_init(struct shard *shard, struct hash_key key); /* false without memory */
void shard_fini(struct shard *shard);

/* Tag, shard and bucket are made of different bits of a key's hash: the cache may take these. */
static inline size_t shard_index(uint64_t hash, size_t n_shards)
{
	return (hash >> 8) & (n_shards - 1);
}

/* False if the key is not there. A slot is good until something is added or removed. */
bool shard_find(const struct shard *shard, struct slice key, uint64_t hash, struct slot *out);

/* The same by the hash alone. */
bool shard_find_hash(const struct shard *shard, uint64_t hash, struct slot *out);

struct entry *shard_entry(const struct shard *shard, struct slot slot); /* borrowed */

/* Takes a reference of its own. False without memory. */
MUST_CHECK bool shard_append(struct shard *shard, struct entry *entry, uint64_t hash);

/* Puts entry in the place of another, marks and all, and gives that one's reference. */
struct entry *shard_swap(struct shard *shard, struct slot slot, struct entry *entry);

/* Takes an entry out and gives its reference. */
struct entry *shard_detach(struct shard *shard, uint64_t hash, struct slot slot);

/* Takes out and frees the entry at this place of order. */
void shard_clear(struct shard *shard, size_t place);

/* Takes out the next entry without a mark, other than keep. There is another entry than keep. */
void shard_evict(struct shard *shard, const struct entry *keep);

size_t shard_memory(const struct shard *shard); /* entries and arrays */

#endif
