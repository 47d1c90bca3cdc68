/* SPDX-License-Identifier: ISC */
/*
 * Failures remembered: one table and one list by age, under one mutex. Only misses come here, and
 * they are about to do far more than wait for it. A failure that has run out is dropped when it is
 * met, or when it has become the oldest of a full table.
 */
#include "state/negative.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/list.h"
#include "state/chains.h"

struct failure {
	struct chain_node node;
	struct list age; /* in by_age */
	int64_t ms_until;
	err_t err;
	uint32_t key_len;
	uint8_t key[];
};

struct negative {
	pthread_mutex_t mutex;
	struct hash_key key;
	size_t max_entries;
	struct chains chains;
	struct list by_age; /* the oldest first */
};

struct negative *negative_new(size_t max_entries, struct hash_key key)
{
	struct negative *negative = calloc(1, sizeof(*negative));

	if (negative == NULL)
		return NULL;
	negative->key = key;
	negative->max_entries = max_entries;
	list_init(&negative->by_age);
	if (pthread_mutex_init(&negative->mutex, NULL) != 0) {
		free(negative);
		return NULL;
	}
	if (!chains_init(&negative->chains)) {
		pthread_mutex_destroy(&negative->mutex);
		free(negative);
		return NULL;
	}
	return negative;
}

static void free_failure(struct chain_node *node)
{
	free(LIST_ENTRY(node, struct failure, node));
}

void negative_free(struct negative *negative)
{
	if (negative == NULL)
		return;
	chains_fini(&negative->chains, free_failure);
	pthread_mutex_destroy(&negative->mutex);
	free(negative);
}

static uint64_t hash_of(const struct negative *negative, struct slice key)
{
	return hash_bytes(&negative->key, key.p, key.len);
}

static struct failure *find(const struct negative *negative, struct slice key, uint64_t hash)
{
	for (struct chain_node *node = chains_first(&negative->chains, hash); node != NULL;
	     node = chains_next(node)) {
		struct failure *failure = LIST_ENTRY(node, struct failure, node);

		if (slice_eq(slice_of(failure->key, failure->key_len), key))
			return failure;
	}
	return NULL;
}

/* NULL is fine. */
static void drop(struct negative *negative, struct failure *failure)
{
	if (failure == NULL)
		return;
	chains_remove(&negative->chains, &failure->node);
	list_remove(&failure->age);
	free(failure);
}

void negative_put(struct negative *negative, struct slice key, err_t err, int64_t ms_until,
		  int64_t ms_now)
{
	uint64_t hash = hash_of(negative, key);
	struct failure *failure;

	if (negative->max_entries == 0 || ms_until <= ms_now || key.len > UINT32_MAX)
		return;
	failure = malloc(sizeof(*failure) + key.len);
	if (failure == NULL)
		return;
	failure->ms_until = ms_until;
	failure->err = err;
	failure->key_len = (uint32_t)key.len;
	memcpy(failure->key, key.p, key.len);
	pthread_mutex_lock(&negative->mutex);
	drop(negative, find(negative, key, hash));
	if (negative->chains.n_nodes >= negative->max_entries)
		drop(negative, LIST_ENTRY(negative->by_age.next, struct failure, age));
	chains_add(&negative->chains, &failure->node, hash);
	list_append(&negative->by_age, &failure->age);
	pthread_mutex_unlock(&negative->mutex);
}

err_t negative_get(struct negative *negative, struct slice key, int64_t ms_now)
{
	uint64_t hash = hash_of(negative, key);
	struct failure *failure;
	err_t err = OK;

	pthread_mutex_lock(&negative->mutex);
	failure = find(negative, key, hash);
	if (failure != NULL && ms_now < failure->ms_until)
		err = failure->err;
	else
		drop(negative, failure);
	pthread_mutex_unlock(&negative->mutex);
	return err;
}

err_t negative_look(struct negative *negative, struct slice key, int64_t ms_now,
		    int64_t *out_ms_left)
{
	uint64_t hash = hash_of(negative, key);
	const struct failure *failure;
	err_t err = OK;

	pthread_mutex_lock(&negative->mutex);
	failure = find(negative, key, hash);
	if (failure != NULL && ms_now < failure->ms_until) {
		err = failure->err;
		*out_ms_left = failure->ms_until - ms_now;
	}
	pthread_mutex_unlock(&negative->mutex);
	return err;
}

void negative_remove(struct negative *negative, struct slice key)
{
	uint64_t hash = hash_of(negative, key);

	pthread_mutex_lock(&negative->mutex);
	drop(negative, find(negative, key, hash));
	pthread_mutex_unlock(&negative->mutex);
}

void negative_remove_if(struct negative *negative, negative_test_fn *fn, void *arg)
{
	struct list *next;

	pthread_mutex_lock(&negative->mutex);
	for (struct list *at = negative->by_age.next; at != &negative->by_age; at = next) {
		struct failure *failure = LIST_ENTRY(at, struct failure, age);

		next = at->next;
		if (fn(arg, slice_of(failure->key, failure->key_len)))
			drop(negative, failure);
	}
	pthread_mutex_unlock(&negative->mutex);
}

size_t negative_count(struct negative *negative)
{
	size_t n;

	pthread_mutex_lock(&negative->mutex);
	n = negative->chains.n_nodes;
	pthread_mutex_unlock(&negative->mutex);
	return n;
}
