/* SPDX-License-Identifier: ISC */
/*
 * The issuer table: an array of issuers and two hash tables of places in it, both of open
 * addressing with linear probing and at most half full. One finds by issuer-id, while the
 * configuration builds; the other by key hash, one slot per issuer and algorithm.
 *
 * A slot holds 32 bits of hash beside the place, so that a CertID of an unknown issuer is refused
 * without looking at any. Issuers may share a key under several subjects: the search goes on past
 * a wrong name to the end of its run.
 */
#include "state/issuers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/bytes.h"

struct slot {
	uint32_t tag;
	uint32_t place; /* index in all, plus one; 0: free */
};

struct table {
	struct slot *slots;
	size_t n_slots; /* a power of two, or 0 */
};

struct issuers {
	atomic_uint n_refs;
	struct hash_key key;
	struct issuer **all; /* owned */
	size_t n, cap;
	struct table by_id;
	struct table by_key; /* made by issuers_seal */
	struct watched *watched;
};

struct issuers *issuers_new(struct hash_key key)
{
	struct issuers *issuers = calloc(1, sizeof(*issuers));

	if (issuers == NULL)
		return NULL;
	atomic_init(&issuers->n_refs, 1);
	issuers->key = key;
	issuers->watched = watched_new(key);
	if (issuers->watched == NULL) {
		free(issuers);
		return NULL;
	}
	return issuers;
}

struct issuers *issuers_ref(struct issuers *issuers)
{
	atomic_fetch_add_explicit(&issuers->n_refs, 1, memory_order_relaxed);
	return issuers;
}

void issuers_unref(struct issuers *issuers)
{
	if (issuers == NULL ||
	    atomic_fetch_sub_explicit(&issuers->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < issuers->n; i++)
		issuer_free(issuers->all[i]);
	free(issuers->all);
	free(issuers->by_id.slots);
	free(issuers->by_key.slots);
	watched_free(issuers->watched);
	free(issuers);
}

static uint64_t hash_of(const struct issuers *issuers, struct slice digest)
{
	return hash_bytes(&issuers->key, digest.p, digest.len);
}

/* The next slot of the run of hash with its tag, from *i on; NULL at the end of the run. */
static const struct slot *next_match(const struct table *table, uint64_t hash, size_t *i)
{
	const struct slot *slot;

	if (table->n_slots == 0)
		return NULL;
	do {
		slot = &table->slots[*i & (table->n_slots - 1)];
		(*i)++;
	} while (slot->place != 0 && slot->tag != (uint32_t)(hash >> 32));
	return slot->place != 0 ? slot : NULL;
}

static void fill_slot(struct table *table, uint64_t hash, size_t place)
{
	size_t i = hash;

	while (table->slots[i & (table->n_slots - 1)].place != 0)
		i++;
	table->slots[i & (table->n_slots - 1)] =
	    (struct slot){.tag = (uint32_t)(hash >> 32), .place = (uint32_t)(place + 1)};
}

/* An empty table for n. Its old slots, if any, are freed. */
static bool make_table(struct table *table, size_t n)
{
	size_t n_slots = 16;
	struct slot *slots;

	while (n_slots / 2 < n)
		n_slots *= 2;
	slots = calloc(n_slots, sizeof(*slots));
	if (slots == NULL)
		return false;
	free(table->slots);
	*table = (struct table){.slots = slots, .n_slots = n_slots};
	return true;
}

static struct slice id_of(const struct issuer *issuer)
{
	return slice_of(issuer->id, ISSUER_ID_LEN);
}

static struct slice key_hash_of(const struct issuer *issuer, enum hash_alg alg)
{
	return slice_of(issuer->key_hash[alg], hash_algs[alg].len);
}

/* Room for twice as many. */
static bool grow(struct issuers *issuers)
{
	size_t cap = issuers->cap > 0 ? issuers->cap * 2 : 16;
	struct issuer **all;

	if (cap >= UINT32_MAX / N_HASH_ALGS)
		return false;
	all = realloc(issuers->all, cap * sizeof(*all));
	if (all == NULL)
		return false;
	issuers->all = all;
	if (!make_table(&issuers->by_id, cap))
		return false;
	issuers->cap = cap;
	for (size_t i = 0; i < issuers->n; i++)
		fill_slot(&issuers->by_id, hash_of(issuers, id_of(all[i])), i);
	return true;
}

err_t issuers_add(struct issuers *issuers, struct issuer *issuer)
{
	if (issuers->n == issuers->cap && !grow(issuers))
		return ERR_NO_MEMORY;
	fill_slot(&issuers->by_id, hash_of(issuers, id_of(issuer)), issuers->n);
	issuers->all[issuers->n++] = issuer;
	return OK;
}

struct issuer *issuers_by_id(const struct issuers *issuers, const uint8_t id[ISSUER_ID_LEN])
{
	struct slice wanted = slice_of(id, ISSUER_ID_LEN);
	uint64_t hash = hash_of(issuers, wanted);
	size_t i = hash;
	const struct slot *slot;

	while ((slot = next_match(&issuers->by_id, hash, &i)) != NULL) {
		struct issuer *issuer = issuers->all[slot->place - 1];

		if (slice_eq(id_of(issuer), wanted))
			return issuer;
	}
	return NULL;
}

err_t issuers_seal(struct issuers *issuers)
{
	if (!make_table(&issuers->by_key, issuers->n * N_HASH_ALGS))
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < issuers->n; i++) {
		for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
			struct slice digest = key_hash_of(issuers->all[i], (enum hash_alg)alg);

			fill_slot(&issuers->by_key, hash_of(issuers, digest), i);
		}
	}
	return OK;
}

static bool has_name(const struct issuer *issuer, const struct certid *certid)
{
	for (size_t i = 0; i < issuer->n_names; i++) {
		const uint8_t *hash = issuer->names[i].hash[certid->alg];

		if (slice_eq(slice_of(hash, hash_algs[certid->alg].len), certid->name_hash))
			return true;
	}
	return false;
}

err_t issuers_find(const struct issuers *issuers, const struct certid *certid,
		   const struct issuer **out)
{
	/* The algorithms' digests differ in length, so the hash tells them apart. */
	uint64_t hash = hash_of(issuers, certid->key_hash);
	err_t err = ERR_ISSUER_UNKNOWN;
	const struct slot *slot;
	size_t i = hash;

	if (certid->alg >= N_HASH_ALGS)
		return ERR_ISSUER_UNKNOWN;
	while ((slot = next_match(&issuers->by_key, hash, &i)) != NULL) {
		const struct issuer *issuer = issuers->all[slot->place - 1];

		if (!slice_eq(key_hash_of(issuer, certid->alg), certid->key_hash))
			continue;
		if (has_name(issuer, certid)) {
			*out = issuer;
			return OK;
		}
		err = ERR_ISSUER_NAME;
	}
	return err;
}

size_t issuers_count(const struct issuers *issuers)
{
	return issuers->n;
}

const struct issuer *issuers_at(const struct issuers *issuers, size_t i)
{
	return issuers->all[i];
}

struct watched *issuers_watched(const struct issuers *issuers)
{
	return issuers->watched;
}
