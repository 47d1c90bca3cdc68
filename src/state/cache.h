/* SPDX-License-Identifier: ISC */
/*
 * The memory cache: key -> entry, sharded by the keyed hash of the key, bounded in octets, evicting
 * by SIEVE (a hit sets a mark and moves nothing). A shard's mutex is held for a look-up or a swap,
 * never for anything that waits. Any thread.
 *
 * The bound: entries, tables and shared tails together stay within max_bytes. Each shard has an
 * equal part of what the tails leave, and makes room when something is put into it. What only
 * waiting clients and output queues still hold counts no longer.
 */
#ifndef OCSPRELAY_STATE_CACHE_H
#define OCSPRELAY_STATE_CACHE_H

#include "base/hash.h"
#include "err.h"
#include "state/entry.h"

struct cache;

struct cache *cache_new(size_t max_bytes, struct hash_key key); /* NULL without memory */
void cache_free(struct cache *cache);				/* NULL is fine */

/* The hash under which the relay also picks the key's back thread. */
uint64_t cache_hash(const struct cache *cache, struct slice key);

/* The entry, one reference given, or NULL. An expired one is given too: the caller judges time. */
struct entry *cache_get(struct cache *cache, struct slice key, uint64_t hash);

/* The same without a mark that it is in use: for whoever is no client. */
struct entry *cache_peek(struct cache *cache, struct slice key, uint64_t hash);

/* And that of a key of which only the hash is known; of several, one. */
struct entry *cache_peek_hash(struct cache *cache, uint64_t hash);

enum cache_put_result {
	CACHE_STORED,	/* new under its key, or in the place of an older one */
	CACHE_ROLLBACK, /* refused: the entry at hand is newer and has not expired (CL-16) */
	CACHE_TOO_BIG /* not kept: larger than a shard, or no memory. The older one, which it makes
		       * obsolete, is gone all the same */
};

/*
 * Puts entry under its own key, taking a reference of its own. *out_current gets the entry that is
 * now valid for the key (a reference is given): entry itself, or with CACHE_ROLLBACK the better one
 * at hand. *out_old_status gets the status of the entry that was there, or -1: for noticing status
 * changes. An entry at hand that has expired at now never wins.
 */
enum cache_put_result cache_put(struct cache *cache, struct entry *entry, int64_t now,
				struct entry **out_current, int *out_old_status);

/* How often something was taken out on purpose, by the two below: what somebody kept a reference to
 * must not be put back then. */
uint64_t cache_removals(const struct cache *cache);

/* Takes the entry of this key out; true if there was one. */
bool cache_remove(struct cache *cache, struct slice key, uint64_t hash);

/* Takes out every entry that fn says so of; fn as in cache_each. */
typedef bool cache_test_fn(void *arg, const struct entry *entry);
void cache_remove_if(struct cache *cache, cache_test_fn *fn, void *arg);

struct cache_stats {
	uint64_t n_entries;
	uint64_t n_bytes; /* entries and tables; shared tails: tails_memory */
	uint64_t n_evictions;
};
void cache_stats(struct cache *cache, struct cache_stats *out);

/* Calls fn for every entry, shard by shard, under the shard's mutex: fn must be quick and must not
 * call back into the cache. */
typedef void cache_fn(void *arg, struct entry *entry);
void cache_each(struct cache *cache, cache_fn *fn, void *arg);

#endif
