/* SPDX-License-Identifier: ISC */
/* The stand-in of store.h. */
#include "stage_stores.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "stage.h"

struct stage_stores stage_stores;

struct row {
	struct list link;
	struct slice key, record;
	int64_t hard_expiry;
};

struct store_shared {
	struct list rows;
	unsigned n_handles;
	bool is_shared;
	struct slice elsewhere; /* the key whose lease another relay has */
	struct list handles;	/* that listen */
	struct list leases;	/* ours, or asked for */
};

struct store {
	struct store_shared *shared;
	struct loop *loop;
	struct slice given; /* to the last caller of store_get */
	struct list reads;
	struct list link; /* in handles */
	store_news_fn *on_news;
	void *arg;
	struct timer *hearing;
	struct slice message; /* to hear */
};

struct store_lease {
	struct list link;
	struct store *store;
	struct slice key;
	struct store_lease_ops ops;
	struct timer *turn; /* not answered yet */
};

struct store_walk { /* of a purge; no other is played */
	struct store_walk_ops ops;
	uint64_t n;
	struct timer *turn;
};

struct store_read {
	struct list link;
	struct store *store;
	struct slice key;
	store_read_fn *fn;
	void *arg;
	struct timer *turn;
};

static struct row *find_row(const struct store_shared *shared, struct slice key)
{
	for (struct list *node = shared->rows.next; node != &shared->rows; node = node->next) {
		struct row *row = LIST_ENTRY(node, struct row, link);

		if (slice_eq(row->key, key))
			return row;
	}
	return NULL;
}

static void drop_row(struct row *row)
{
	if (row == NULL)
		return;
	list_remove(&row->link);
	stage_release(row->key);
	stage_release(row->record);
	free(row);
}

struct slice stage_record(const struct store_shared *shared, struct slice key)
{
	const struct row *row = find_row(shared, key);

	return row != NULL ? row->record : slice_of(NULL, 0);
}

struct store_shared *store_open(const char *url, const struct store_opts *opts)
{
	struct store_shared *shared = stage_new(sizeof(*shared));

	(void)opts;
	if (shared == NULL)
		return NULL;
	list_init(&shared->rows);
	list_init(&shared->handles);
	list_init(&shared->leases);
	shared->is_shared = store_may_be_shared(url);
	return shared;
}

void store_close(struct store_shared *shared)
{
	if (shared == NULL)
		return;
	cr_expect_eq(shared->n_handles, 0, "a store is closed that is in use");
	cr_expect(list_is_empty(&shared->leases), "a lease was not released");
	stage_release(shared->elsewhere);
	while (!list_is_empty(&shared->rows))
		drop_row(LIST_ENTRY(shared->rows.next, struct row, link));
	stage_free(shared);
}

void store_set_password(struct store_shared *shared, enum store_secret which, const char *password)
{
	(void)shared;
	(void)which;
	(void)password;
}

bool store_is_up(const struct store_shared *shared)
{
	(void)shared;
	return stage_stores.err == OK;
}

struct store *store_attach(struct store_shared *shared, struct loop *loop)
{
	struct store *store = stage_new(sizeof(*store));

	if (store == NULL)
		return NULL;
	store->shared = shared;
	store->loop = loop;
	list_init(&store->reads);
	list_init(&store->link);
	shared->n_handles++;
	return store;
}

void store_detach(struct store *store)
{
	if (store == NULL)
		return;
	while (!list_is_empty(&store->reads))
		store_cancel(LIST_ENTRY(store->reads.next, struct store_read, link));
	store->shared->n_handles--;
	list_remove(&store->link);
	timer_cancel(store->hearing);
	stage_release(store->message);
	stage_release(store->given);
	stage_free(store);
}

const char *store_name(const struct store *store)
{
	return store->shared->is_shared ? "redis" : "disk";
}

unsigned store_slot(const struct store *store)
{
	(void)store;
	return 0;
}

static err_t look_up(struct store *store, struct slice key, struct slice *out_record)
{
	const struct row *row = find_row(store->shared, key);

	stage_release(store->given);
	store->given = slice_of(NULL, 0);
	if (stage_stores.err != OK)
		return stage_stores.err;
	if (row == NULL || row->hard_expiry <= clock_wall())
		return ERR_NOT_FOUND;
	store->given = stage_copy(row->record);
	*out_record = store->given;
	return OK;
}

static void on_read_turn(void *arg)
{
	struct store_read *read = arg;
	struct store_read done = *read;
	struct slice record = {.p = NULL};
	err_t err = look_up(read->store, read->key, &record);

	read->turn = NULL;
	store_cancel(read);
	done.fn(done.arg, err, record);
}

err_t store_get(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		struct slice *out_record, struct store_read **out_read)
{
	struct store_read *read;

	stage_stores.n_gets++;
	if (!stage_stores.is_slow)
		return look_up(store, key, out_record);
	read = stage_take(sizeof(*read));
	*read = (struct store_read){.store = store, .key = stage_copy(key), .fn = fn, .arg = arg};
	read->turn = timer_start(store->loop, stage_stores.ms, on_read_turn, read);
	list_append(&store->reads, &read->link);
	*out_read = read;
	return ERR_AGAIN;
}

err_t store_get_copy(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		     struct slice *out_record, struct store_read **out_read)
{
	(void)fn;
	(void)arg;
	(void)out_read;
	cr_assert(store_has_copies(store));
	stage_stores.n_copies++;
	stage_stores.n_gets++;
	(void)key;
	*out_record = stage_stores.copy;
	return OK;
}

bool store_has_copies(const struct store *store)
{
	return store->shared->is_shared && stage_stores.copy.len > 0;
}

void store_note(struct store *store, struct slice key)
{
	(void)store;
	(void)key;
	stage_stores.n_notes++;
}

void store_cancel(struct store_read *read)
{
	if (read == NULL)
		return;
	list_remove(&read->link);
	timer_cancel(read->turn);
	stage_release(read->key);
	free(read);
}

void store_put(struct store *store, struct slice key, struct slice record, int64_t hard_expiry)
{
	struct row *row = stage_take(sizeof(*row));

	stage_stores.n_puts++;
	drop_row(find_row(store->shared, key));
	*row = (struct row){
	    .key = stage_copy(key), .record = stage_copy(record), .hard_expiry = hard_expiry};
	list_append(&store->shared->rows, &row->link);
}

void store_delete(struct store *store, struct slice key)
{
	stage_stores.n_deletes++;
	drop_row(find_row(store->shared, key));
}

/* --- store.h: the fleet ----------------------------------------------------------------------- */

bool store_may_be_shared(const char *url)
{
	return strncmp(url, "redis:", 6) == 0;
}

bool store_is_shared(const struct store *store)
{
	return store->shared->is_shared;
}

void stage_lease_elsewhere(struct store_shared *shared, struct slice key)
{
	stage_release(shared->elsewhere);
	shared->elsewhere = key.len > 0 ? stage_copy(key) : key;
}

bool stage_is_leased(const struct store_shared *shared, struct slice key)
{
	for (struct list *node = shared->leases.next; node != &shared->leases; node = node->next) {
		const struct store_lease *lease = LIST_ENTRY(node, struct store_lease, link);

		if (lease->turn == NULL && slice_eq(lease->key, key))
			return true;
	}
	return false;
}

static void on_lease_turn(void *arg)
{
	struct store_lease *lease = arg;
	struct store_lease_ops ops = lease->ops;
	err_t err = stage_stores.err;

	lease->turn = NULL;
	if (err == OK && slice_eq(lease->store->shared->elsewhere, lease->key))
		err = ERR_BUSY;
	if (err != OK)
		store_release(lease);
	ops.fn(ops.arg, err);
}

err_t store_lease(struct store *store, struct slice key, const struct store_lease_ops *ops,
		  struct store_lease **out_lease)
{
	struct store_lease *lease;

	stage_stores.n_leases++;
	if (stage_stores.err != OK)
		return ERR_STORE_FAULT;
	lease = stage_take(sizeof(*lease));
	*lease = (struct store_lease){.store = store, .key = stage_copy(key), .ops = *ops};
	lease->turn = timer_start(store->loop, 0, on_lease_turn, lease);
	list_append(&store->shared->leases, &lease->link);
	*out_lease = lease;
	return ERR_AGAIN;
}

void store_release(struct store_lease *lease)
{
	if (lease == NULL)
		return;
	timer_cancel(lease->turn);
	list_remove(&lease->link);
	stage_release(lease->key);
	free(lease);
}

err_t store_publish(struct store *store, struct slice message)
{
	(void)store;
	stage_stores.n_published++;
	snprintf(stage_stores.published, sizeof(stage_stores.published), "%.*s", (int)message.len,
		 (const char *)message.p);
	return OK;
}

err_t store_subscribe(struct store *store, store_news_fn *fn, void *arg)
{
	store->on_news = fn;
	store->arg = arg;
	list_append(&store->shared->handles, &store->link);
	return OK;
}

static void on_hearing(void *arg)
{
	struct store *store = arg;
	struct slice message = store->message;

	store->hearing = NULL;
	store->message = slice_of(NULL, 0);
	store->on_news(store->arg, STORE_NEWS_MESSAGE, message);
	stage_release(message);
}

void stage_say(struct store_shared *shared, struct slice message)
{
	for (struct list *node = shared->handles.next; node != &shared->handles;
	     node = node->next) {
		struct store *store = LIST_ENTRY(node, struct store, link);

		cr_assert_null(store->hearing, "one message at a time");
		store->message = stage_copy(message);
		store->hearing = timer_start(store->loop, 0, on_hearing, store);
	}
}

/* --- store.h: purges -------------------------------------------------------------------------- */

static void on_purge_turn(void *arg)
{
	struct store_walk *walk = arg;
	struct store_walk done = *walk;

	walk->turn = NULL;
	store_walk_cancel(walk);
	done.ops.done(done.ops.arg, OK, done.n);
}

err_t store_purge(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		  struct store_walk **out_walk)
{
	struct store_walk *walk;
	struct list *next;

	if (stage_stores.err != OK)
		return ERR_STORE_FAULT;
	walk = stage_take(sizeof(*walk));
	walk->ops = *ops;
	for (struct list *node = store->shared->rows.next; node != &store->shared->rows;
	     node = next) {
		struct row *row = LIST_ENTRY(node, struct row, link);

		next = node->next;
		if (!slice_eq(slice_take(row->key, prefix.len), prefix))
			continue;
		drop_row(row);
		walk->n++;
	}
	walk->turn = timer_start(store->loop, 0, on_purge_turn, walk);
	*out_walk = walk;
	return OK;
}

void store_walk_cancel(struct store_walk *walk)
{
	if (walk == NULL)
		return;
	timer_cancel(walk->turn);
	free(walk);
}

void stage_listen(struct store_shared *shared, bool is_heard)
{
	for (struct list *node = shared->handles.next; node != &shared->handles;
	     node = node->next) {
		struct store *store = LIST_ENTRY(node, struct store, link);

		store->on_news(store->arg, is_heard ? STORE_NEWS_BACK : STORE_NEWS_LOST,
			       slice_of(NULL, 0));
	}
}

void stage_drop(struct store_shared *shared)
{
	while (!list_is_empty(&shared->rows))
		drop_row(LIST_ENTRY(shared->rows.next, struct row, link));
}
