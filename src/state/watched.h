/* SPDX-License-Identifier: ISC */
/*
 * The certificates that are always kept warm, by the hashes of their keys. Built once, at start or
 * reload, then only read: any thread.
 */
#ifndef OCSPRELAY_STATE_WATCHED_H
#define OCSPRELAY_STATE_WATCHED_H

#include "base/hash.h"
#include "core/key.h"
#include "err.h"

struct watched;

struct watched_cert {
	uint64_t hash; /* of its key */
	struct cache_key key;
	char *name; /* for people */
};

/* key: that of the cache, which hashes the same way. NULL without memory. */
struct watched *watched_new(struct hash_key key);
void watched_free(struct watched *watched); /* NULL is fine */

/* While building; name is copied. A repeated one is fine. ERR_NO_MEMORY. */
MUST_CHECK err_t watched_add(struct watched *watched, const struct cache_key *key,
			     const char *name);

/* While building: something that was to be watched and cannot be, as text for people; copied.
 * ERR_NO_MEMORY. */
MUST_CHECK err_t watched_skip(struct watched *watched, const char *text);

/* Ends the building. Before it nothing is found. */
void watched_seal(struct watched *watched);

/* NULL: it is not watched. */
const struct watched_cert *watched_find(const struct watched *watched, uint64_t hash);

size_t watched_count(const struct watched *watched);
const struct watched_cert *watched_at(const struct watched *watched, size_t i); /* i < count */

size_t watched_count_skipped(const struct watched *watched);
const char *watched_skipped_at(const struct watched *watched, size_t i); /* i < that count */

#endif
