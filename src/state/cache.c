/* SPDX-License-Identifier: ISC */
/*
 * The memory cache. Each shard has two arrays, arranged for few cache misses and few octets:
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
#include "state/cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

#include "state/heap_size.h"

enum {
	CACHE_LINE = 64,
	MAX_SHARDS = 256,
	MIN_SHARD_BYTES = 1 << 20, /* room for several of the largest entries */
	BUCKET_SLOTS = 12,
	MANY_PASSED = 255 /* sticks until the table is made anew */
};

struct bucket {
	alignas(CACHE_LINE) uint8_t tags[BUCKET_SLOTS]; /* 0: the slot is free */
	uint8_t n_passed;
	uint32_t places[BUCKET_SLOTS];
};

static_assert(sizeof(struct bucket) == CACHE_LINE, "one cache miss per bucket");

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
};

struct cache {
	struct hash_key key;
	size_t max_bytes;
	size_t n_shards; /* a power of two */
	struct shard shards[];
};

struct slot {
	struct bucket *bucket;
	unsigned i;
};

struct cache *cache_new(size_t max_bytes, struct hash_key key)
{
	size_t n_shards = 1;
	struct cache *cache;

	while (n_shards < MAX_SHARDS && max_bytes / (n_shards * 2) >= MIN_SHARD_BYTES)
		n_shards *= 2;
	cache = aligned_alloc(CACHE_LINE, sizeof(*cache) + n_shards * sizeof(cache->shards[0]));
	if (cache == NULL)
		return NULL;
	*cache = (struct cache){.key = key, .max_bytes = max_bytes};
	for (; cache->n_shards < n_shards; cache->n_shards++) {
		struct shard *shard = &cache->shards[cache->n_shards];

		*shard = (struct shard){.n_buckets = 0};
		if (pthread_mutex_init(&shard->mutex, NULL) != 0) {
			cache_free(cache);
			return NULL;
		}
	}
	return cache;
}

void cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->n_shards; i++) {
		struct shard *shard = &cache->shards[i];

		for (size_t place = 0; place < shard->n_order; place++)
			entry_unref(shard->order[place].entry);
		free(shard->order);
		free(shard->buckets);
		pthread_mutex_destroy(&shard->mutex);
	}
	free(cache);
}

uint64_t cache_hash(const struct cache *cache, struct slice key)
{
	return hash_bytes(&cache->key, key.p, key.len);
}

static uint64_t hash_of(const struct cache *cache, const struct entry *entry)
{
	struct cache_key key;

	entry_key(entry, &key);
	return cache_hash(cache, key_bytes(&key));
}

/* Tag, shard and bucket are made of different bits of the hash. */
static uint8_t tag_of(uint64_t hash)
{
	return (uint8_t)(1 + (hash & 0xff) % 255);
}

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
	return &cache->shards[(hash >> 8) & (cache->n_shards - 1)];
}

static struct bucket *home_of(const struct shard *shard, uint64_t hash)
{
	return &shard->buckets[((hash >> 32) * shard->n_buckets) >> 32];
}

static struct bucket *next_bucket(const struct shard *shard, struct bucket *bucket)
{
	return ++bucket == shard->buckets + shard->n_buckets ? shard->buckets : bucket;
}

/* False if the key is not there. */
static bool find(const struct shard *shard, struct slice key, uint64_t hash, struct slot *out)
{
	uint8_t tag = tag_of(hash);
	struct bucket *bucket;

	if (shard->n_buckets == 0)
		return false;
	bucket = home_of(shard, hash);
	for (size_t n = 0; n < shard->n_buckets; n++) {
		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (bucket->tags[i] == tag &&
			    entry_has_key(shard->order[bucket->places[i]].entry, key)) {
				*out = (struct slot){.bucket = bucket, .i = i};
				return true;
			}
		}
		if (bucket->n_passed == 0)
			return false;
		bucket = next_bucket(shard, bucket);
	}
	return false;
}

static union place *place_of(const struct shard *shard, struct slot slot)
{
	return &shard->order[slot.bucket->places[slot.i]];
}

/* The table has a free slot. */
static void fill_slot(struct shard *shard, uint64_t hash, size_t place)
{
	struct bucket *bucket = home_of(shard, hash);
	unsigned i = 0;

	while (bucket->tags[i] != 0) {
		if (++i < BUCKET_SLOTS)
			continue;
		if (bucket->n_passed < MANY_PASSED)
			bucket->n_passed++;
		bucket = next_bucket(shard, bucket);
		i = 0;
	}
	bucket->tags[i] = tag_of(hash);
	bucket->places[i] = (uint32_t)place;
}

static void clear_slot(struct shard *shard, uint64_t hash, struct slot slot)
{
	slot.bucket->tags[slot.i] = 0;
	for (struct bucket *bucket = home_of(shard, hash); bucket != slot.bucket;
	     bucket = next_bucket(shard, bucket)) {
		if (bucket->n_passed < MANY_PASSED)
			bucket->n_passed--;
	}
}

/* A seventh or so of the slots stays free. */
static size_t max_entries(size_t n_buckets)
{
	return n_buckets * (BUCKET_SLOTS - 2) + n_buckets / 2;
}

/* Makes sure that the table takes one more. */
static bool reserve_slot(struct cache *cache, struct shard *shard)
{
	size_t n = shard->n_buckets + shard->n_buckets / 4 + 1;
	struct bucket *buckets;

	if (shard->n_entries < max_entries(shard->n_buckets))
		return true;
	buckets = aligned_alloc(CACHE_LINE, n * sizeof(*buckets));
	if (buckets == NULL)
		return false;
	memset(buckets, 0, n * sizeof(*buckets));
	free(shard->buckets);
	shard->buckets = buckets;
	shard->n_buckets = n;
	for (size_t place = 0; place < shard->n_order; place++) {
		if (shard->order[place].entry != NULL)
			fill_slot(shard, hash_of(cache, shard->order[place].entry), place);
	}
	return true;
}

/* Copies the entries of order to another array, without the holes, and leaves in each old place
 * the number of the new one. */
static void squeeze(struct shard *shard, union place *to)
{
	size_t n = 0, hand = 0;

	for (size_t place = 0; place < shard->n_order; place++) {
		if (place == shard->hand)
			hand = n;
		if (shard->order[place].entry != NULL) {
			to[n] = shard->order[place];
			shard->order[place].moved_to = n++;
		}
	}
	shard->hand = shard->hand < shard->n_order ? hand : n;
	shard->n_order = n;
}

/* Makes sure that order takes one more. */
static bool reserve_place(struct shard *shard)
{
	size_t cap = shard->n_entries + shard->n_entries / 4 + BUCKET_SLOTS;
	union place *order;

	if (shard->n_order < shard->order_cap)
		return true;
	if (cap > UINT32_MAX)
		return false;
	order = malloc(cap * sizeof(*order));
	if (order == NULL)
		return false;
	squeeze(shard, order);
	for (size_t b = 0; b < shard->n_buckets; b++) {
		struct bucket *bucket = &shard->buckets[b];

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			if (bucket->tags[i] != 0)
				bucket->places[i] =
				    (uint32_t)shard->order[bucket->places[i]].moved_to;
		}
	}
	free(shard->order);
	shard->order = order;
	shard->order_cap = cap;
	return true;
}

static size_t shard_memory(const struct shard *shard)
{
	return shard->entry_octets + heap_size(shard->n_buckets * sizeof(struct bucket)) +
	       heap_size(shard->order_cap * sizeof(union place));
}

/* Takes an entry out and gives its reference. */
static struct entry *detach(struct shard *shard, uint64_t hash, struct slot slot)
{
	union place *place = place_of(shard, slot);
	struct entry *entry = place->entry;

	place->entry = NULL;
	clear_slot(shard, hash, slot);
	shard->entry_octets -= entry_memory(entry);
	shard->n_entries--;
	return entry;
}

static bool append(struct cache *cache, struct shard *shard, struct entry *entry, uint64_t hash)
{
	if (!reserve_slot(cache, shard) || !reserve_place(shard))
		return false;
	atomic_store_explicit(&entry->visited, 0, memory_order_relaxed);
	fill_slot(shard, hash, shard->n_order);
	shard->order[shard->n_order++].entry = entry_ref(entry);
	shard->entry_octets += entry_memory(entry);
	shard->n_entries++;
	return true;
}

/* Puts entry in the place of another and gives that one's reference. */
static struct entry *swap(struct shard *shard, struct slot slot, struct entry *entry)
{
	union place *place = place_of(shard, slot);
	struct entry *old = place->entry;

	if (old == entry)
		return entry_ref(entry);
	atomic_store_explicit(&entry->visited,
			      atomic_load_explicit(&old->visited, memory_order_relaxed),
			      memory_order_relaxed);
	place->entry = entry_ref(entry);
	shard->entry_octets += entry_memory(entry);
	shard->entry_octets -= entry_memory(old);
	return old;
}

/* Takes out and frees the entry that is there. */
static void clear_place(struct cache *cache, struct shard *shard, size_t place)
{
	struct cache_key key;
	struct slot slot;
	uint64_t hash;

	entry_key(shard->order[place].entry, &key);
	hash = cache_hash(cache, key_bytes(&key));
	if (find(shard, key_bytes(&key), hash, &slot))
		entry_unref(detach(shard, hash, slot));
}

/* Moves the hand to the next entry without a mark, other than keep, and takes it out. There is
 * another entry than keep. */
static void evict(struct cache *cache, struct shard *shard, const struct entry *keep)
{
	for (;; shard->hand++) {
		struct entry *entry;

		if (shard->hand >= shard->n_order)
			shard->hand = 0;
		entry = shard->order[shard->hand].entry;
		if (entry == NULL || entry == keep)
			continue;
		if (atomic_load_explicit(&entry->visited, memory_order_relaxed) != 0) {
			atomic_store_explicit(&entry->visited, 0, memory_order_relaxed);
			continue;
		}
		clear_place(cache, shard, shard->hand);
		shard->n_evictions++;
		return;
	}
}

/* A shard's part of max_bytes, after what the tails take. Evicting frees tails as well, so that
 * many tails of few entries each cannot fill the memory either. */
static size_t shard_limit(const struct cache *cache, const struct entry *entry)
{
	size_t n_tails = tails_memory(tail_table(entry->tail));

	return (cache->max_bytes > n_tails ? cache->max_bytes - n_tails : 0) / cache->n_shards;
}

/* After a put: evicts until the shard is within its limit, or has nothing but entry. */
static void make_room(struct cache *cache, struct shard *shard, const struct entry *entry)
{
	while (shard->n_entries > 1 && shard_memory(shard) > shard_limit(cache, entry))
		evict(cache, shard, entry);
}

struct entry *cache_peek(struct cache *cache, struct slice key, uint64_t hash)
{
	struct shard *shard = shard_of(cache, hash);
	struct entry *entry = NULL;
	struct slot slot;

	pthread_mutex_lock(&shard->mutex);
	if (find(shard, key, hash, &slot))
		entry = entry_ref(place_of(shard, slot)->entry);
	pthread_mutex_unlock(&shard->mutex);
	return entry;
}

struct entry *cache_get(struct cache *cache, struct slice key, uint64_t hash)
{
	struct entry *entry = cache_peek(cache, key, hash);

	if (entry != NULL && atomic_load_explicit(&entry->visited, memory_order_relaxed) == 0)
		atomic_store_explicit(&entry->visited, 1, memory_order_relaxed);
	return entry;
}

/* Rule CL-16, for entries that are still valid. */
static bool is_rollback(const struct entry *old, const struct entry *entry, int64_t now)
{
	return now < old->hard_expiry &&
	       !freshness_may_replace(old->this_update, old->produced_at, entry->this_update,
				      entry->produced_at);
}

enum cache_put_result cache_put(struct cache *cache, struct entry *entry, int64_t now,
				struct entry **out_current, int *out_old_status)
{
	enum cache_put_result result = CACHE_STORED;
	struct entry *there = NULL, *dropped = NULL;
	struct cache_key key;
	struct shard *shard;
	struct slot slot;
	uint64_t hash;

	entry_key(entry, &key);
	hash = cache_hash(cache, key_bytes(&key));
	shard = shard_of(cache, hash);
	pthread_mutex_lock(&shard->mutex);
	if (find(shard, key_bytes(&key), hash, &slot))
		there = place_of(shard, slot)->entry;
	*out_old_status = there != NULL ? there->status : -1;
	if (there != NULL && is_rollback(there, entry, now)) {
		result = CACHE_ROLLBACK;
	} else if (entry_memory(entry) > cache->max_bytes / cache->n_shards) {
		result = CACHE_TOO_BIG;
		if (there != NULL)
			dropped = detach(shard, hash, slot);
	} else if (there != NULL) {
		dropped = swap(shard, slot, entry);
	} else if (!append(cache, shard, entry, hash)) {
		result = CACHE_TOO_BIG;
	}
	if (result == CACHE_STORED)
		make_room(cache, shard, entry);
	*out_current = entry_ref(result == CACHE_ROLLBACK ? there : entry);
	pthread_mutex_unlock(&shard->mutex);
	entry_unref(dropped);
	return result;
}

bool cache_remove(struct cache *cache, struct slice key, uint64_t hash)
{
	struct shard *shard = shard_of(cache, hash);
	struct entry *entry = NULL;
	struct slot slot;

	pthread_mutex_lock(&shard->mutex);
	if (find(shard, key, hash, &slot))
		entry = detach(shard, hash, slot);
	pthread_mutex_unlock(&shard->mutex);
	entry_unref(entry);
	return entry != NULL;
}

void cache_remove_if(struct cache *cache, cache_test_fn *fn, void *arg)
{
	for (size_t i = 0; i < cache->n_shards; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->mutex);
		for (size_t place = 0; place < shard->n_order; place++) {
			const struct entry *entry = shard->order[place].entry;

			if (entry != NULL && fn(arg, entry))
				clear_place(cache, shard, place);
		}
		pthread_mutex_unlock(&shard->mutex);
	}
}

void cache_stats(struct cache *cache, struct cache_stats *out)
{
	struct cache_stats sum = {.n_entries = 0};

	for (size_t i = 0; i < cache->n_shards; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->mutex);
		sum.n_entries += shard->n_entries;
		sum.n_bytes += shard_memory(shard);
		sum.n_evictions += shard->n_evictions;
		pthread_mutex_unlock(&shard->mutex);
	}
	*out = sum;
}

void cache_each(struct cache *cache, cache_fn *fn, void *arg)
{
	for (size_t i = 0; i < cache->n_shards; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->mutex);
		for (size_t place = 0; place < shard->n_order; place++) {
			if (shard->order[place].entry != NULL)
				fn(arg, shard->order[place].entry);
		}
		pthread_mutex_unlock(&shard->mutex);
	}
}
