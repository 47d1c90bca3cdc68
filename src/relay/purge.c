/* SPDX-License-Identifier: ISC */
/*
 * Memory first, so that nothing purged is served from now on, then the stores; and memory again at
 * the end, for a look-up may have read a store just before its record went.
 */
#include "relay/purge.h"

#include <stdlib.h>

struct tier {
	struct purge *purge;
	struct store_walk *walk; /* NULL: through, or not begun */
};

struct purge {
	struct purge_opts opts;
	struct selection selection;
	purge_fn *fn;
	void *arg;
	struct tier *tiers;
	struct purge_result result;
	struct purge_store *stores; /* of result */
	unsigned n_out;		    /* tiers, and the turn of the loop that starts it all */
	struct timer *turn;
};

static bool has_entry(void *arg, const struct entry *entry)
{
	struct purge *purge = arg;
	struct cache_key key;

	entry_key(entry, &key);
	if (!selection_has(&purge->selection, &key))
		return false;
	purge->result.n_entries++;
	return true;
}

static bool has_failure(void *arg, struct slice bytes)
{
	struct purge *purge = arg;
	struct cache_key key;

	if (key_from_bytes(bytes, &key) != OK || !selection_has(&purge->selection, &key))
		return false;
	purge->result.n_failures++;
	return true;
}

static void remove_key(void *arg, const struct cache_key *key)
{
	struct purge *purge = arg;
	struct cache *cache = purge->opts.common->cache;
	struct slice octets = key_bytes(key);

	purge->result.n_entries += cache_remove(cache, octets, cache_hash(cache, octets));
}

/* One certificate is looked up: there may be many such purges, and much to look through. */
static void purge_memory(struct purge *purge)
{
	const struct common *common = purge->opts.common;

	if (purge->selection.serial_len > 0 && purge->selection.has_issuer)
		selection_each_key(&purge->selection, NULL, remove_key, purge);
	else
		cache_remove_if(common->cache, has_entry, purge);
	negative_remove_if(common->negative, has_failure, purge);
}

static void purge_free(struct purge *purge)
{
	timer_cancel(purge->turn);
	free(purge->tiers);
	free(purge->stores);
	free(purge);
}

static void end_one(struct purge *purge)
{
	if (--purge->n_out > 0)
		return;
	purge_memory(purge);
	purge->fn(purge->arg, &purge->result);
	purge_free(purge);
}

static void on_turn(void *arg)
{
	struct purge *purge = arg;

	purge->turn = NULL;
	end_one(purge);
}

static void on_purged(void *arg, err_t err, uint64_t n)
{
	struct tier *tier = arg;
	struct purge *purge = tier->purge;
	struct purge_store *store = &purge->stores[tier - purge->tiers];

	tier->walk = NULL;
	store->err = err;
	store->n = n;
	end_one(purge);
}

static void delete_key(void *arg, const struct cache_key *key)
{
	struct store *store = arg;

	store_delete(store, key_bytes(key));
}

/* Nothing begins with this: the id is a digest. */
static const uint8_t nobody[ISSUER_ID_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Deletions are followed by a purge of nothing, which waits for what was queued before: nobody
 * shall be told that is gone what the next look-up finds. Redis obeys at once and in order. */
static void purge_store(struct purge *purge, size_t i)
{
	const struct selection *selection = &purge->selection;
	struct slice prefix =
	    slice_of(selection->issuer_id, selection->has_issuer ? ISSUER_ID_LEN : 0);
	struct store *store = purge->opts.stores[i];
	struct purge_store *told = &purge->stores[i];
	struct tier *tier = &purge->tiers[i];

	told->is_spared = purge->opts.spare_shared && store_is_shared(store);
	if (told->is_spared)
		return;
	if (selection->serial_len > 0) {
		selection_each_key(selection, purge->opts.issuers, delete_key, store);
		prefix = slice_of(nobody, sizeof(nobody));
		if (store_is_shared(store)) {
			if (!store_is_up(purge->opts.common->stores[i]))
				told->err = ERR_STORE_FAULT;
			return;
		}
	}
	tier->purge = purge;
	told->err = store_purge(
	    store, prefix, &(struct store_walk_ops){.done = on_purged, .arg = tier}, &tier->walk);
	if (told->err == OK && !store_is_up(purge->opts.common->stores[i])) {
		store_walk_cancel(tier->walk); /* it goes on when the store is back */
		tier->walk = NULL;
		told->err = ERR_STORE_FAULT;
	}
	if (told->err == OK)
		purge->n_out++;
}

struct purge *purge_start(const struct purge_opts *opts, const struct selection *selection,
			  purge_fn *fn, void *arg)
{
	const size_t n_stores = opts->common->n_stores;
	struct purge *purge = calloc(1, sizeof(*purge));

	if (purge == NULL)
		return NULL;
	purge->opts = *opts;
	purge->selection = *selection;
	purge->fn = fn;
	purge->arg = arg;
	purge->n_out = 1;
	purge->tiers = calloc(n_stores + 1, sizeof(struct tier));
	purge->stores = calloc(n_stores + 1, sizeof(struct purge_store));
	purge->turn = timer_start(opts->loop, 0, on_turn, purge);
	if (purge->tiers == NULL || purge->stores == NULL || purge->turn == NULL) {
		purge_free(purge);
		return NULL;
	}
	purge->result.stores = purge->stores;
	purge_memory(purge);
	for (size_t i = 0; i < n_stores; i++)
		purge_store(purge, i);
	return purge;
}

void purge_cancel(struct purge *purge)
{
	if (purge == NULL)
		return;
	for (size_t i = 0; i < purge->opts.common->n_stores; i++)
		store_walk_cancel(purge->tiers[i].walk);
	purge_free(purge);
}
