/* SPDX-License-Identifier: ISC */
/* Shards of the memory cache. */
#include "state/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "state/heap_size.h"

enum {
	BUCKET_SLOTS = 12,
	MANY_PASSED = 255 /* sticks until the table is made anew */
};

struct bucket {
	alignas(CACHE_LINE) uint8_t tags[BUCKET_SLOTS]; /* 0: the slot is free */
	uint8_t n_passed;
	uint32_t places[BUCKET_SLOTS];
};

static_assert(sizeof(struct bucket) == CACHE_LINE, "one cache miss per bucket");

bool shard_init(struct shard *shard, struct hash_key key)
{
	*shard = (struct shard){.key = key};
	return pthread_mutex_init(&shard->mutex, NULL) == 0;
}

void shard_fini(struct shard *shard)
{
	for (size_t place = 0; place < shard->n_order; place++)
		entry_unref(shard->order[place].entry);
	free(shard->order);
	free(shard->buckets);
	pthread_mutex_destroy(&shard->mutex);
}

static uint64_t hash_of(const struct shard *shard, const struct entry *entry)
{
	struct cache_key key;
	struct slice octets;

	entry_key(entry, &key);
	octets = key_bytes(&key);
	return hash_bytes(&shard->key, octets.p, octets.len);
}

static uint8_t tag_of(uint64_t hash)
{
	return (uint8_t)(1 + (hash & 0xff) % 255);
}

static struct bucket *home_of(const struct shard *shard, uint64_t hash)
{
	return &shard->buckets[((hash >> 32) * shard->n_buckets) >> 32];
}

static struct bucket *next_bucket(const struct shard *shard, struct bucket *bucket)
{
	return ++bucket == shard->buckets + shard->n_buckets ? shard->buckets : bucket;
}

/* Goes on from a slot, or begins at the home bucket: the next one with this hash's tag. */
static bool next_slot(const struct shard *shard, uint64_t hash, struct slot *slot)
{
	uint8_t tag = tag_of(hash);
	struct bucket *home = home_of(shard, hash);

	if (slot->bucket == NULL)
		*slot = (struct slot){.bucket = home};
	else
		slot->i++;
	for (;; slot->i = 0) {
		for (; slot->i < BUCKET_SLOTS; slot->i++) {
			if (slot->bucket->tags[slot->i] == tag)
				return true;
		}
		if (slot->bucket->n_passed == 0)
			return false;
		slot->bucket = next_bucket(shard, slot->bucket);
		if (slot->bucket == home)
			return false;
	}
}

bool shard_find(const struct shard *shard, struct slice key, uint64_t hash, struct slot *out)
{
	struct slot slot = {.bucket = NULL};

	while (shard->n_buckets > 0 && next_slot(shard, hash, &slot)) {
		if (entry_has_key(shard_entry(shard, slot), key)) {
			*out = slot;
			return true;
		}
	}
	return false;
}

bool shard_find_hash(const struct shard *shard, uint64_t hash, struct slot *out)
{
	struct slot slot = {.bucket = NULL};

	while (shard->n_buckets > 0 && next_slot(shard, hash, &slot)) {
		if (hash_of(shard, shard_entry(shard, slot)) == hash) {
			*out = slot;
			return true;
		}
	}
	return false;
}

struct entry *shard_entry(const struct shard *shard, struct slot slot)
{
	return shard->order[slot.bucket->places[slot.i]].entry;
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
static bool reserve_slot(struct shard *shard)
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
			fill_slot(shard, hash_of(shard, shard->order[place].entry), place);
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

size_t shard_memory(const struct shard *shard)
{
	return shard->entry_octets + heap_size(shard->n_buckets * sizeof(struct bucket)) +
	       heap_size(shard->order_cap * sizeof(union place));
}

struct entry *shard_detach(struct shard *shard, uint64_t hash, struct slot slot)
{
	union place *place = place_of(shard, slot);
	struct entry *entry = place->entry;

	place->entry = NULL;
	clear_slot(shard, hash, slot);
	shard->entry_octets -= entry_memory(entry);
	shard->n_entries--;
	return entry;
}

bool shard_append(struct shard *shard, struct entry *entry, uint64_t hash)
{
	if (!reserve_slot(shard) || !reserve_place(shard))
		return false;
	atomic_store_explicit(&entry->marks, 0, memory_order_relaxed);
	fill_slot(shard, hash, shard->n_order);
	shard->order[shard->n_order++].entry = entry_ref(entry);
	shard->entry_octets += entry_memory(entry);
	shard->n_entries++;
	return true;
}

struct entry *shard_swap(struct shard *shard, struct slot slot, struct entry *entry)
{
	union place *place = place_of(shard, slot);
	struct entry *old = place->entry;

	if (old == entry)
		return entry_ref(entry);
	/* Whether it is in use has to show anew. */
	atomic_store_explicit(
	    &entry->marks, atomic_load_explicit(&old->marks, memory_order_relaxed) & ENTRY_VISITED,
	    memory_order_relaxed);
	place->entry = entry_ref(entry);
	shard->entry_octets += entry_memory(entry);
	shard->entry_octets -= entry_memory(old);
	return old;
}

void shard_clear(struct shard *shard, size_t place)
{
	struct cache_key key;
	struct slot slot;
	uint64_t hash = hash_of(shard, shard->order[place].entry);

	entry_key(shard->order[place].entry, &key);
	if (shard_find(shard, key_bytes(&key), hash, &slot))
		entry_unref(shard_detach(shard, hash, slot));
}

void shard_evict(struct shard *shard, const struct entry *keep)
{
	for (;; shard->hand++) {
		struct entry *entry;

		if (shard->hand >= shard->n_order)
			shard->hand = 0;
		entry = shard->order[shard->hand].entry;
		if (entry == NULL || entry == keep)
			continue;
		if (atomic_load_explicit(&entry->marks, memory_order_relaxed) & ENTRY_VISITED) {
			atomic_fetch_and_explicit(&entry->marks, (unsigned char)~ENTRY_VISITED,
						  memory_order_relaxed);
			continue;
		}
		shard_clear(shard, shard->hand);
		shard->n_evictions++;
		return;
	}
}
