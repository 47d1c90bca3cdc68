/* SPDX-License-Identifier: ISC */
/*
 * Shared tails, in a table under one mutex: a tail is looked up when a response has been
 * verified, and leaves when its last entry is freed, both far from the path of a hit.
 *
 * The last reference is dropped under the mutex only. So a tail that is in the table has at least
 * one, and tail_get may take another from there.
 */
#include "state/tail.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/list.h"
#include "state/chains.h"
#include "state/heap_size.h"

struct tail {
	struct chain_node node;
	struct tails *table;
	atomic_uint n_refs;
	uint32_t len;
	uint8_t issuer_id[ISSUER_ID_LEN];
	uint8_t bytes[];
};

struct tails {
	pthread_mutex_t mutex;
	struct hash_key key;
	struct chains chains;
	atomic_size_t n_octets; /* written under the mutex, read without */
};

struct tails *tails_new(struct hash_key key)
{
	struct tails *tails = calloc(1, sizeof(*tails));

	if (tails == NULL)
		return NULL;
	tails->key = key;
	if (pthread_mutex_init(&tails->mutex, NULL) != 0) {
		free(tails);
		return NULL;
	}
	if (!chains_init(&tails->chains)) {
		pthread_mutex_destroy(&tails->mutex);
		free(tails);
		return NULL;
	}
	return tails;
}

void tails_free(struct tails *tails)
{
	if (tails == NULL)
		return;
	assert(tails->chains.n_nodes == 0);
	pthread_mutex_destroy(&tails->mutex);
	chains_fini(&tails->chains, NULL);
	free(tails);
}

static size_t octets_of(const struct tail *tail)
{
	return heap_size(offsetof(struct tail, bytes) + tail->len);
}

static struct tail *find(const struct tails *tails, uint64_t hash, const uint8_t *issuer_id,
			 struct slice bytes)
{
	for (struct chain_node *node = chains_first(&tails->chains, hash); node != NULL;
	     node = chains_next(node)) {
		struct tail *tail = LIST_ENTRY(node, struct tail, node);

		if (slice_eq(tail_bytes(tail), bytes) &&
		    memcmp(tail->issuer_id, issuer_id, ISSUER_ID_LEN) == 0)
			return tail;
	}
	return NULL;
}

static struct tail *make_tail(struct tails *tails, const uint8_t *issuer_id, struct slice bytes)
{
	struct tail *tail = malloc(offsetof(struct tail, bytes) + bytes.len);

	if (tail == NULL)
		return NULL;
	tail->table = tails;
	tail->len = (uint32_t)bytes.len;
	atomic_init(&tail->n_refs, 1);
	memcpy(tail->issuer_id, issuer_id, ISSUER_ID_LEN);
	if (bytes.len > 0)
		memcpy(tail->bytes, bytes.p, bytes.len);
	return tail;
}

struct tail *tail_get(struct tails *tails, const uint8_t issuer_id[ISSUER_ID_LEN],
		      struct slice bytes)
{
	uint64_t hash = hash_bytes(&tails->key, bytes.p, bytes.len) ^
			hash_bytes(&tails->key, issuer_id, ISSUER_ID_LEN);
	struct tail *tail;

	if (bytes.len > UINT32_MAX)
		return NULL;
	pthread_mutex_lock(&tails->mutex);
	tail = find(tails, hash, issuer_id, bytes);
	if (tail != NULL) {
		atomic_fetch_add_explicit(&tail->n_refs, 1, memory_order_relaxed);
	} else {
		tail = make_tail(tails, issuer_id, bytes);
		if (tail != NULL) {
			chains_add(&tails->chains, &tail->node, hash);
			atomic_fetch_add_explicit(&tails->n_octets, octets_of(tail),
						  memory_order_relaxed);
		}
	}
	pthread_mutex_unlock(&tails->mutex);
	return tail;
}

/* True if it was not the last reference, and is dropped. */
static bool drop_shared_ref(struct tail *tail)
{
	unsigned n = atomic_load_explicit(&tail->n_refs, memory_order_relaxed);

	while (n > 1) {
		if (atomic_compare_exchange_weak_explicit(
			&tail->n_refs, &n, n - 1, memory_order_release, memory_order_relaxed))
			return true;
	}
	return false;
}

void tail_unref(struct tail *tail)
{
	struct tails *tails;
	bool is_last;

	if (tail == NULL || drop_shared_ref(tail))
		return;
	tails = tail->table;
	pthread_mutex_lock(&tails->mutex);
	/* Another may have been given since. */
	is_last = atomic_fetch_sub_explicit(&tail->n_refs, 1, memory_order_acq_rel) == 1;
	if (is_last) {
		chains_remove(&tails->chains, &tail->node);
		atomic_fetch_sub_explicit(&tails->n_octets, octets_of(tail), memory_order_relaxed);
	}
	pthread_mutex_unlock(&tails->mutex);
	if (is_last)
		free(tail);
}

struct slice tail_bytes(const struct tail *tail)
{
	return slice_of(tail->bytes, tail->len);
}

const uint8_t *tail_issuer_id(const struct tail *tail)
{
	return tail->issuer_id;
}

struct tails *tail_table(const struct tail *tail)
{
	return tail->table;
}

size_t tails_memory(const struct tails *tails)
{
	return atomic_load_explicit(&tails->n_octets, memory_order_relaxed);
}
