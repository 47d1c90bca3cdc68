/* SPDX-License-Identifier: ISC */
/*
 * One row per issuer-id, in a table and in a list by last use, under one mutex. Verification runs
 * outside of it, on a copy of the row's set.
 */
#include "state/delegates.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/list.h"
#include "state/chains.h"

struct row {
	struct chain_node node;
	struct list age; /* in by_age */
	uint8_t issuer_id[ISSUER_ID_LEN];
	struct delegate_set set;
};

struct delegates {
	pthread_mutex_t mutex;
	struct hash_key key;
	struct chains chains;
	struct list by_age; /* the one not used for longest first */
	size_t n_octets, max_octets;
};

struct delegates *delegates_new(size_t max_octets, struct hash_key key)
{
	struct delegates *delegates = calloc(1, sizeof(*delegates));

	if (delegates == NULL)
		return NULL;
	delegates->key = key;
	delegates->max_octets = max_octets;
	list_init(&delegates->by_age);
	if (pthread_mutex_init(&delegates->mutex, NULL) != 0) {
		free(delegates);
		return NULL;
	}
	if (!chains_init(&delegates->chains)) {
		pthread_mutex_destroy(&delegates->mutex);
		free(delegates);
		return NULL;
	}
	return delegates;
}

static void free_row(struct chain_node *node)
{
	struct row *row = LIST_ENTRY(node, struct row, node);

	delegate_set_fini(&row->set);
	free(row);
}

void delegates_free(struct delegates *delegates)
{
	if (delegates == NULL)
		return;
	chains_fini(&delegates->chains, free_row);
	pthread_mutex_destroy(&delegates->mutex);
	free(delegates);
}

static uint64_t hash_of(const struct delegates *delegates, const uint8_t *issuer_id)
{
	return hash_bytes(&delegates->key, issuer_id, ISSUER_ID_LEN);
}

static size_t octets_of(const struct delegate_set *set)
{
	size_t n = 0;

	for (unsigned i = 0; i < set->n; i++)
		n += delegate_der(set->items[i]).len;
	return n;
}

/* The row of this issuer, now the one used last; NULL: there is none. */
static struct row *find(struct delegates *delegates, const uint8_t *issuer_id)
{
	struct chain_node *node = chains_first(&delegates->chains, hash_of(delegates, issuer_id));

	for (; node != NULL; node = chains_next(node)) {
		struct row *row = LIST_ENTRY(node, struct row, node);

		if (memcmp(row->issuer_id, issuer_id, ISSUER_ID_LEN) != 0)
			continue;
		list_remove(&row->age);
		list_append(&delegates->by_age, &row->age);
		return row;
	}
	return NULL;
}

static struct row *add(struct delegates *delegates, const uint8_t *issuer_id)
{
	struct row *row = calloc(1, sizeof(*row));

	if (row == NULL)
		return NULL;
	memcpy(row->issuer_id, issuer_id, ISSUER_ID_LEN);
	chains_add(&delegates->chains, &row->node, hash_of(delegates, issuer_id));
	list_append(&delegates->by_age, &row->age);
	return row;
}

static void drop_oldest(struct delegates *delegates)
{
	struct row *row = LIST_ENTRY(delegates->by_age.next, struct row, age);

	delegates->n_octets -= octets_of(&row->set);
	list_remove(&row->age);
	chains_remove(&delegates->chains, &row->node);
	free_row(&row->node);
}

static struct delegate_set known_of(struct delegates *delegates, const uint8_t *issuer_id)
{
	struct delegate_set set = {.n = 0};
	struct row *row;

	pthread_mutex_lock(&delegates->mutex);
	row = find(delegates, issuer_id);
	if (row != NULL)
		set = delegate_set_ref(&row->set);
	pthread_mutex_unlock(&delegates->mutex);
	return set;
}

static void remember(struct delegates *delegates, const uint8_t *issuer_id,
		     struct delegate *delegate)
{
	struct row *row;

	pthread_mutex_lock(&delegates->mutex);
	row = find(delegates, issuer_id);
	if (row == NULL)
		row = add(delegates, issuer_id);
	if (row != NULL) {
		delegates->n_octets -= octets_of(&row->set);
		delegate_set_use(&row->set, delegate);
		delegates->n_octets += octets_of(&row->set);
	}
	while (delegates->n_octets > delegates->max_octets)
		drop_oldest(delegates);
	pthread_mutex_unlock(&delegates->mutex);
}

err_t delegates_verify(struct delegates *delegates, struct slice der,
		       const struct verify_question *question, struct verdict *out)
{
	const uint8_t *issuer_id = question->issuer->id;
	struct delegate_set set = known_of(delegates, issuer_id);
	const struct delegate *last = set.n > 0 ? set.items[0] : NULL;
	struct verify_question asked = *question;
	err_t err;

	asked.known = &set;
	err = verify_response(der, &asked, out);
	if (set.n > 0 && set.items[0] != last && delegate_der(set.items[0]).len <= MAX_DELEGATE_LEN)
		remember(delegates, issuer_id, set.items[0]);
	delegate_set_fini(&set);
	return err;
}

size_t delegates_octets(struct delegates *delegates)
{
	size_t n;

	pthread_mutex_lock(&delegates->mutex);
	n = delegates->n_octets;
	pthread_mutex_unlock(&delegates->mutex);
	return n;
}
