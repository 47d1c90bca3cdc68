/* SPDX-License-Identifier: ISC */
/* The memory cache: which shard, its lock, and what may take the place of what. */
#include "state/cache.h"

#include <stdlib.h>

#include "state/shard.h"

enum {
	MAX_SHARDS = 256,
	MIN_SHARD_BYTES = 1 << 20 /* room for several of the largest entries */
};

struct cache {
	struct hash_key key;
	size_t max_bytes;
	size_t n_shards; /* a power of two */
	_Atomic uint64_t n_removals;
	struct shard shards[];
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

		if (!shard_init(shard, key)) {
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
	for (size_t i = 0; i < cache->n_shards; i++)
		shard_fini(&cache->shards[i]);
	free(cache);
}

uint64_t cache_hash(const struct cache *cache, struct slice key)
{
	return hash_bytes(&cache->key, key.p, key.len);
}

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
	return &cache->shards[shard_index(hash, cache->n_shards)];
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
		shard_evict(shard, entry);
}

struct entry *cache_peek(struct cache *cache, struct slice key, uint64_t hash)
{
	struct shard *shard = shard_of(cache, hash);
	struct entry *entry = NULL;
	struct slot slot;

	pthread_mutex_lock(&shard->mutex);
	if (shard_find(shard, key, hash, &slot))
		entry = entry_ref(shard_entry(shard, slot));
	pthread_mutex_unlock(&shard->mutex);
	return entry;
}

struct entry *cache_peek_hash(struct cache *cache, uint64_t hash)
{
	struct shard *shard = shard_of(cache, hash);
	struct entry *entry = NULL;
	struct slot slot;

	pthread_mutex_lock(&shard->mutex);
	if (shard_find_hash(shard, hash, &slot))
		entry = entry_ref(shard_entry(shard, slot));
	pthread_mutex_unlock(&shard->mutex);
	return entry;
}

struct entry *cache_get(struct cache *cache, struct slice key, uint64_t hash)
{
	struct entry *entry = cache_peek(cache, key, hash);

	if (entry != NULL)
		entry_mark(entry);
	return entry;
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
	if (shard_find(shard, key_bytes(&key), hash, &slot))
		there = shard_entry(shard, slot);
	*out_old_status = there != NULL ? there->status : -1;
	if (there != NULL && !entry_may_replace(there, entry, now)) {
		result = CACHE_ROLLBACK;
	} else if (entry_memory(entry) > cache->max_bytes / cache->n_shards) {
		result = CACHE_TOO_BIG;
		if (there != NULL)
			dropped = shard_detach(shard, hash, slot);
	} else if (there != NULL) {
		dropped = shard_swap(shard, slot, entry);
	} else if (!shard_append(shard, entry, hash)) {
		result = CACHE_TOO_BIG;
	}
	if (result == CACHE_STORED)
		make_room(cache, shard, entry);
	*out_current = entry_ref(result == CACHE_ROLLBACK ? there : entry);
	pthread_mutex_unlock(&shard->mutex);
	entry_unref(dropped);
	return result;
}

uint64_t cache_removals(const struct cache *cache)
{
	return atomic_load(&cache->n_removals);
}

bool cache_remove(struct cache *cache, struct slice key, uint64_t hash)
{
	struct shard *shard = shard_of(cache, hash);
	struct entry *entry = NULL;
	struct slot slot;

	atomic_fetch_add(&cache->n_removals, 1);
	pthread_mutex_lock(&shard->mutex);
	if (shard_find(shard, key, hash, &slot))
		entry = shard_detach(shard, hash, slot);
	pthread_mutex_unlock(&shard->mutex);
	entry_unref(entry);
	return entry != NULL;
}

void cache_remove_if(struct cache *cache, cache_test_fn *fn, void *arg)
{
	atomic_fetch_add(&cache->n_removals, 1);
	for (size_t i = 0; i < cache->n_shards; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->mutex);
		for (size_t place = 0; place < shard->n_order; place++) {
			const struct entry *entry = shard->order[place].entry;

			if (entry != NULL && fn(arg, entry))
				shard_clear(shard, place);
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
