/* SPDX-License-Identifier: ISC */
/* Disks and Redis, in memory. */
#include "shelf_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/hash.h"
#include "io/clock.h"
#include "stage.h"

#define MAX_SHELVES 8
#define MS_TIMEOUT  50 /* then it hangs */

static struct shelf *shelves[MAX_SHELVES];
static size_t n_shelves;
bool shelf_is_ignoring;

/* --- shelves ---------------------------------------------------------------------------------- */

void shelf_add(const char *name, bool is_shared)
{
	struct shelf *shelf = calloc(1, sizeof(*shelf));

	if (n_shelves == MAX_SHELVES || shelf == NULL)
		script_fail("too many stores");
	shelves[n_shelves++] = shelf;
	snprintf(shelf->name, sizeof(shelf->name), "%s", name);
	snprintf(shelf->url, sizeof(shelf->url), "%s:%s", is_shared ? "redis" : "lmdb",
		 shelf->name);
	shelf->is_shared = is_shared;
	for (size_t i = 0; i < N_CHAINS; i++)
		list_init(&shelf->rows[i]);
	list_init(&shelf->leases);
	list_init(&shelf->handles);
}

bool shelf_find(const char *name, size_t *out)
{
	for (size_t i = 0; i < n_shelves; i++) {
		if (strcmp(shelves[i]->name, name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *shelf_url(size_t shelf)
{
	return shelves[shelf]->url;
}

bool shelf_has_failed(size_t shelf)
{
	return shelves[shelf]->has_failed;
}

size_t shelf_rows(const char *name)
{
	size_t i;

	if (!shelf_find(name, &i))
		script_fail("there is no store '%s'", name);
	return shelves[i]->n_rows;
}

void shelf_ignore(bool is)
{
	shelf_is_ignoring = is;
}

static struct list *chain_of(struct shelf *shelf, struct slice key)
{
	static const struct hash_key hash_key;

	return &shelf->rows[hash_bytes(&hash_key, key.p, key.len) % N_CHAINS];
}

static struct row *find_row(struct shelf *shelf, struct slice key)
{
	struct list *chain = chain_of(shelf, key);

	for (struct list *node = chain->next; node != chain; node = node->next) {
		struct row *row = LIST_ENTRY(node, struct row, link);

		if (slice_eq(row->key, key))
			return row;
	}
	return NULL;
}

static void drop_row(struct shelf *shelf, struct row *row)
{
	if (row == NULL)
		return;
	shelf->n_rows--;
	list_remove(&row->link);
	stage_release(row->key);
	stage_release(row->record);
	free(row);
}

typedef void row_fn(struct shelf *shelf, struct row *row);

static void each_row(struct shelf *shelf, row_fn *fn)
{
	for (size_t i = 0; i < N_CHAINS; i++) {
		struct list *next;

		for (struct list *node = shelf->rows[i].next; node != &shelf->rows[i];
		     node = next) {
			next = node->next;
			fn(shelf, LIST_ENTRY(node, struct row, link));
		}
	}
}

static void spoil_row(struct shelf *shelf, struct row *row)
{
	(void)shelf;
	((uint8_t *)(uintptr_t)row->record.p)[row->record.len - 1] ^= 1;
}

void shelf_close(void)
{
	for (size_t i = 0; i < n_shelves; i++) {
		each_row(shelves[i], drop_row);
		shelf_end_leases(shelves[i]);
		free(shelves[i]);
	}
}

/* --- statements ------------------------------------------------------------------------------- */

static void break_off(struct shelf *shelf)
{
	if (!shelf->is_down)
		shelf_tell_all(shelf, STORE_NEWS_LOST, slice_of(NULL, 0));
	shelf->is_down = shelf->has_failed = true;
}

static void come_back(struct shelf *shelf)
{
	if (shelf->is_down)
		shelf_tell_all(shelf, STORE_NEWS_BACK, slice_of(NULL, 0));
	shelf->is_down = shelf->hangs = shelf->loses_news = false;
}

void shelf_behave(size_t i, struct words *words)
{
	struct shelf *shelf = shelves[i];

	if (words_take(words, "fails")) {
		break_off(shelf);
	} else if (words_take(words, "hangs")) {
		break_off(shelf);
		shelf->hangs = true;
	} else if (words_take(words, "works")) {
		come_back(shelf);
	} else if (words_take(words, "loses-news")) {
		shelf->loses_news = true;
	} else if (words_take(words, "is-emptied")) {
		shelf->has_failed = true;
		each_row(shelf, drop_row);
	} else if (words_take(words, "is-spoilt")) {
		shelf->has_failed = true;
		each_row(shelf, spoil_row);
	} else {
		script_fail("'%s' is nothing that a store does", words_next(words, "what it does"));
	}
	words_end(words);
}

/* --- store.h: records ------------------------------------------------------------------------- */

bool store_may_be_shared(const char *url)
{
	const char *colon = strchr(url, ':');
	size_t i;

	return colon != NULL && shelf_find(colon + 1, &i) && shelves[i]->is_shared;
}

struct store_shared *store_open(const char *url, const struct store_opts *opts)
{
	struct store_shared *shared = stage_new(sizeof(*shared));
	const char *colon = strchr(url, ':');
	size_t i;

	(void)opts;
	if (colon == NULL || !shelf_find(colon + 1, &i))
		script_fail("there is no store '%s'", url);
	shared->shelf = shelves[i];
	return shared;
}

void store_close(struct store_shared *shared)
{
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
	return !shared->shelf->is_down;
}

struct store *store_attach(struct store_shared *shared, struct loop *loop)
{
	struct store *store = stage_new(sizeof(*store));

	store->shelf = shared->shelf;
	store->loop = loop;
	list_init(&store->reads);
	list_init(&store->hearings);
	list_append(&store->shelf->handles, &store->link);
	return store;
}

void store_detach(struct store *store)
{
	if (store == NULL)
		return;
	while (!list_is_empty(&store->reads))
		store_cancel(LIST_ENTRY(store->reads.next, struct store_read, link));
	shelf_end_hearings(store);
	list_remove(&store->link);
	stage_release(store->given);
	stage_free(store);
}

const char *store_name(const struct store *store)
{
	return store->shelf->is_shared ? "redis" : "disk";
}

unsigned store_slot(const struct store *store)
{
	return counter_slot(SCOPE_TIER,
			    store->shelf->is_shared ? "tier=\"redis\"" : "tier=\"disk\"");
}

static err_t look_up(struct store *store, struct slice key, struct slice *out_record)
{
	struct shelf *shelf = store->shelf;
	const struct row *row = find_row(shelf, key);

	stage_release(store->given);
	store->given = slice_of(NULL, 0);
	if (shelf->is_down)
		return ERR_STORE_FAULT;
	if (row == NULL || (shelf->is_shared ? row->ms_until <= clock_mono_ms()
					     : row->hard_expiry <= clock_wall()))
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
	struct shelf *shelf = store->shelf;
	struct store_read *read;

	if (!shelf->is_shared)
		return look_up(store, key, out_record);
	read = stage_take(sizeof(*read));
	*read = (struct store_read){.store = store, .key = stage_copy(key), .fn = fn, .arg = arg};
	read->turn =
	    timer_start(store->loop, shelf->hangs ? MS_TIMEOUT : MS_REDIS, on_read_turn, read);
	list_append(&store->reads, &read->link);
	*out_read = read;
	return ERR_AGAIN;
}

/* No play has replicas. */
bool store_has_copies(const struct store *store)
{
	(void)store;
	return false;
}

err_t store_get_copy(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		     struct slice *out_record, struct store_read **out_read)
{
	return store_get(store, key, fn, arg, out_record, out_read);
}

void store_note(struct store *store, struct slice key)
{
	(void)store;
	(void)key;
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
	struct shelf *shelf = store->shelf;
	struct row *row;

	if (shelf->is_down || shelf_is_ignoring)
		return;
	drop_row(shelf, find_row(shelf, key));
	row = stage_take(sizeof(*row));
	*row = (struct row){.key = stage_copy(key),
			    .record = stage_copy(record),
			    .hard_expiry = hard_expiry,
			    .ms_until = clock_mono_ms() + (hard_expiry - clock_wall()) * 1000};
	list_append(chain_of(shelf, key), &row->link);
	shelf->n_rows++;
}

void store_delete(struct store *store, struct slice key)
{
	if (!store->shelf->is_down && !shelf_is_ignoring)
		drop_row(store->shelf, find_row(store->shelf, key));
}

/* --- store.h: purges -------------------------------------------------------------------------- */

struct store_walk {
	struct store_walk_ops ops;
	struct timer *turn;
	uint64_t n;
};

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
	struct shelf *shelf = store->shelf;
	struct store_walk *walk;

	if (shelf->is_down)
		return ERR_STORE_FAULT;
	walk = stage_take(sizeof(*walk));
	walk->ops = *ops;
	for (size_t i = 0; i < N_CHAINS; i++) {
		struct list *next;

		for (struct list *node = shelf->rows[i].next; node != &shelf->rows[i];
		     node = next) {
			struct row *row = LIST_ENTRY(node, struct row, link);

			next = node->next;
			if (!slice_eq(slice_take(row->key, prefix.len), prefix))
				continue;
			drop_row(shelf, row);
			walk->n++;
		}
	}
	walk->turn = timer_start(store->loop, MS_REDIS, on_purge_turn, walk);
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
