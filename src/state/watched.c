/* SPDX-License-Identifier: ISC */
/* A sorted array. */
#include "state/watched.h"

#include <stdlib.h>

#include "base/bytes.h"

struct watched {
	struct hash_key hash_key;
	struct watched_cert *certs;
	size_t n, cap;
	char **skipped;
	size_t n_skipped;
	bool is_sealed;
};

struct watched *watched_new(struct hash_key key)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (watched != NULL)
		watched->hash_key = key;
	return watched;
}

void watched_free(struct watched *watched)
{
	if (watched == NULL)
		return;
	for (size_t i = 0; i < watched->n; i++)
		free(watched->certs[i].name);
	for (size_t i = 0; i < watched->n_skipped; i++)
		free(watched->skipped[i]);
	free(watched->certs);
	free(watched->skipped);
	free(watched);
}

err_t watched_add(struct watched *watched, const struct cache_key *key, const char *name)
{
	struct slice octets = key_bytes(key);
	struct watched_cert cert = {.key = *key};

	if (watched->n == watched->cap) {
		size_t cap = 2 * watched->cap + 16;
		struct watched_cert *certs = reallocarray(watched->certs, cap, sizeof(*certs));

		if (certs == NULL)
			return ERR_NO_MEMORY;
		watched->certs = certs;
		watched->cap = cap;
	}
	cert.hash = hash_bytes(&watched->hash_key, octets.p, octets.len);
	cert.name = strdup(name);
	if (cert.name == NULL)
		return ERR_NO_MEMORY;
	watched->certs[watched->n++] = cert;
	return OK;
}

err_t watched_skip(struct watched *watched, const char *text)
{
	char **skipped = reallocarray(watched->skipped, watched->n_skipped + 1, sizeof(char *));

	if (skipped == NULL)
		return ERR_NO_MEMORY;
	watched->skipped = skipped;
	skipped[watched->n_skipped] = strdup(text);
	if (skipped[watched->n_skipped] == NULL)
		return ERR_NO_MEMORY;
	watched->n_skipped++;
	return OK;
}

static int by_hash(const void *a, const void *b)
{
	const uint64_t x = ((const struct watched_cert *)a)->hash;
	const uint64_t y = ((const struct watched_cert *)b)->hash;

	return (x > y) - (x < y);
}

void watched_seal(struct watched *watched)
{
	size_t n = 0;

	if (watched->n > 1)
		qsort(watched->certs, watched->n, sizeof(*watched->certs), by_hash);
	for (size_t i = 0; i < watched->n; i++) {
		if (n > 0 && watched->certs[n - 1].hash == watched->certs[i].hash)
			free(watched->certs[i].name);
		else
			watched->certs[n++] = watched->certs[i];
	}
	watched->n = n;
	watched->is_sealed = true;
}

const struct watched_cert *watched_find(const struct watched *watched, uint64_t hash)
{
	const struct watched_cert what = {.hash = hash};

	if (!watched->is_sealed || watched->n == 0)
		return NULL;
	return bsearch(&what, watched->certs, watched->n, sizeof(what), by_hash);
}

size_t watched_count(const struct watched *watched)
{
	return watched->n;
}

const struct watched_cert *watched_at(const struct watched *watched, size_t i)
{
	return &watched->certs[i];
}

size_t watched_count_skipped(const struct watched *watched)
{
	return watched->n_skipped;
}

const char *watched_skipped_at(const struct watched *watched, size_t i)
{
	return watched->skipped[i];
}
