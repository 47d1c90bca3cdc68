/* SPDX-License-Identifier: ISC */
/*
 * What is under way: open addressing with linear probing, at most three quarters full, doubling.
 * A removal closes the gap by moving later entries of the run up, so searches stay short however
 * many flights come and go.
 */
#include "state/inflight.h"

#include <stdlib.h>

#include "base/bytes.h"

enum {
	FIRST_SLOTS = 64 /* a power of two */
};

struct slot {
	void *flight; /* NULL: free */
	struct slice key;
	uint64_t hash;
};

struct inflight {
	struct hash_key key;
	struct slot *slots;
	size_t n_slots; /* a power of two */
	size_t n_flights;
};

struct inflight *inflight_new(struct hash_key key)
{
	struct inflight *inflight = calloc(1, sizeof(*inflight));

	if (inflight == NULL)
		return NULL;
	inflight->key = key;
	inflight->n_slots = FIRST_SLOTS;
	inflight->slots = calloc(inflight->n_slots, sizeof(*inflight->slots));
	if (inflight->slots == NULL) {
		free(inflight);
		return NULL;
	}
	return inflight;
}

void inflight_free(struct inflight *inflight)
{
	if (inflight == NULL)
		return;
	free(inflight->slots);
	free(inflight);
}

/* The slot of this key, or the free one where it belongs. */
static size_t find(const struct inflight *inflight, struct slice key, uint64_t hash)
{
	size_t i = hash & (inflight->n_slots - 1);

	while (inflight->slots[i].flight != NULL &&
	       (inflight->slots[i].hash != hash || !slice_eq(inflight->slots[i].key, key)))
		i = (i + 1) & (inflight->n_slots - 1);
	return i;
}

static uint64_t hash_of(const struct inflight *inflight, struct slice key)
{
	return hash_bytes(&inflight->key, key.p, key.len);
}

static bool grow(struct inflight *inflight)
{
	struct slot *old = inflight->slots;
	size_t n_old = inflight->n_slots;
	struct slot *slots = calloc(n_old * 2, sizeof(*slots));

	if (slots == NULL)
		return false;
	inflight->slots = slots;
	inflight->n_slots = n_old * 2;
	for (size_t i = 0; i < n_old; i++) {
		if (old[i].flight != NULL)
			slots[find(inflight, old[i].key, old[i].hash)] = old[i];
	}
	free(old);
	return true;
}

void *inflight_get(const struct inflight *inflight, struct slice key)
{
	return inflight->slots[find(inflight, key, hash_of(inflight, key))].flight;
}

err_t inflight_put(struct inflight *inflight, struct slice key, void *flight)
{
	uint64_t hash = hash_of(inflight, key);
	struct slot *slot;

	if (inflight->n_flights >= inflight->n_slots / 4 * 3 && !grow(inflight))
		return ERR_NO_MEMORY;
	slot = &inflight->slots[find(inflight, key, hash)];
	if (slot->flight == NULL)
		inflight->n_flights++;
	*slot = (struct slot){.flight = flight, .key = key, .hash = hash};
	return OK;
}

void inflight_remove(struct inflight *inflight, struct slice key)
{
	struct slot *slots = inflight->slots;
	size_t mask = inflight->n_slots - 1;
	size_t gap = find(inflight, key, hash_of(inflight, key));

	if (slots[gap].flight == NULL)
		return;
	for (size_t i = (gap + 1) & mask; slots[i].flight != NULL; i = (i + 1) & mask) {
		/* Moves up unless its own run begins behind the gap. */
		if (((i - slots[i].hash) & mask) >= ((i - gap) & mask)) {
			slots[gap] = slots[i];
			gap = i;
		}
	}
	slots[gap].flight = NULL;
	inflight->n_flights--;
}

size_t inflight_count(const struct inflight *inflight)
{
	return inflight->n_flights;
}
