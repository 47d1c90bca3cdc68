/* SPDX-License-Identifier: ISC */
/* The stand-in of io/store.h: what relays that share a store have in it besides records. */
#include <stdlib.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "shelf_parts.h"
#include "stage.h"

/* --- news ------------------------------------------------------------------------------------- */

static void hearing_free(struct hearing *hearing)
{
	list_remove(&hearing->link);
	timer_cancel(hearing->timer);
	stage_release(hearing->message);
	free(hearing);
}

static void hear(void *arg)
{
	struct hearing *hearing = arg;
	struct store *store = hearing->store;

	hearing->timer = NULL;
	store->on_news(store->arg, hearing->what, hearing->message);
	hearing_free(hearing);
}

static void tell(struct store *store, enum store_news what, struct slice message)
{
	struct hearing *hearing = stage_take(sizeof(*hearing));

	*hearing = (struct hearing){.store = store, .what = what, .message = stage_copy(message)};
	hearing->timer = timer_start(store->loop, MS_REDIS, hear, hearing);
	list_append(&store->hearings, &hearing->link);
}

void shelf_tell_all(struct shelf *shelf, enum store_news what, struct slice message)
{
	for (struct list *node = shelf->handles.next; node != &shelf->handles; node = node->next) {
		struct store *store = LIST_ENTRY(node, struct store, link);

		if (store->on_news != NULL)
			tell(store, what, message);
	}
}

void shelf_end_hearings(struct store *store)
{
	while (!list_is_empty(&store->hearings))
		hearing_free(LIST_ENTRY(store->hearings.next, struct hearing, link));
}

/* --- store.h: the fleet ----------------------------------------------------------------------- */

bool store_is_shared(const struct store *store)
{
	return store->shelf->is_shared;
}

static bool is_held(const struct shelf *shelf, const struct store_lease *asking)
{
	for (struct list *node = shelf->leases.next; node != &shelf->leases; node = node->next) {
		const struct store_lease *lease = LIST_ENTRY(node, struct store_lease, link);

		if (lease != asking && lease->ms_until > clock_mono_ms() &&
		    slice_eq(lease->key, asking->key))
			return true;
	}
	return false;
}

static void lease_free(struct store_lease *lease)
{
	timer_cancel(lease->turn);
	list_remove(&lease->link);
	stage_release(lease->key);
	free(lease);
}

void shelf_end_leases(struct shelf *shelf)
{
	while (!list_is_empty(&shelf->leases))
		lease_free(LIST_ENTRY(shelf->leases.next, struct store_lease, link));
}

static void on_lease_turn(void *arg)
{
	struct store_lease *lease = arg;
	struct store_lease_ops ops = lease->ops;
	const struct shelf *shelf = lease->store->shelf;
	err_t err = OK;

	lease->turn = NULL;
	if (shelf->is_down)
		err = ERR_STORE_FAULT;
	else if (is_held(shelf, lease))
		err = ERR_BUSY;
	if (err == OK)
		lease->ms_until = clock_mono_ms() + ops.ms;
	else
		lease_free(lease);
	ops.fn(ops.arg, err);
}

err_t store_lease(struct store *store, struct slice key, const struct store_lease_ops *ops,
		  struct store_lease **out_lease)
{
	struct store_lease *lease;

	if (!store->shelf->is_shared)
		return ERR_STORE_ALONE;
	if (store->shelf->is_down)
		return ERR_STORE_FAULT;
	lease = stage_take(sizeof(*lease));
	*lease = (struct store_lease){.store = store, .key = stage_copy(key), .ops = *ops};
	lease->turn = timer_start(store->loop, MS_REDIS, on_lease_turn, lease);
	list_append(&store->shelf->leases, &lease->link);
	*out_lease = lease;
	return ERR_AGAIN;
}

/* What nobody releases any more, or cannot, lapses. */
void store_release(struct store_lease *lease)
{
	if (lease == NULL)
		return;
	if (lease->ms_until == 0 || (!shelf_is_ignoring && !lease->store->shelf->is_down))
		lease_free(lease);
}

err_t store_publish(struct store *store, struct slice message)
{
	struct shelf *shelf = store->shelf;

	if (!shelf->is_shared)
		return ERR_STORE_ALONE;
	if (shelf->is_down)
		return ERR_STORE_FAULT;
	if (!shelf->loses_news && !shelf_is_ignoring)
		shelf_tell_all(shelf, STORE_NEWS_MESSAGE, message);
	return OK;
}

err_t store_subscribe(struct store *store, store_news_fn *fn, void *arg)
{
	if (!store->shelf->is_shared)
		return ERR_STORE_ALONE;
	store->on_news = fn;
	store->arg = arg;
	if (!store->shelf->is_down)
		tell(store, STORE_NEWS_BACK, slice_of(NULL, 0));
	return OK;
}
