/* SPDX-License-Identifier: ISC */
/*
 * Walks read a batch at each turn of the loop, in a transaction that ends with the turn: a long one
 * would keep the file from using the room of what is removed meanwhile. Purges go through the queue
 * to the writer, who posts their ends to the mailbox of the handle that wants to hear of them; that
 * it still does is what purges_lock guards.
 */
#include "io/lmdb_walk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/counters.h"
#include "core/key.h"
#include "io/clock.h"

#define MAX_BATCH	((size_t)18 << 20) /* one record more than LMDB_BATCH_OCTETS */
#define MAX_TRANSACTION 4096		   /* records that go by one: LMDB limits the pages */

struct walk {
	struct store_walk walk; /* first */
	struct lmdb_handle *handle;
	struct list link; /* in handle->walks */
	struct store_walk_ops ops;
	uint64_t n;

	/* A walk. */
	struct timer *turn;
	uint8_t prefix[ISSUER_ID_LEN];
	size_t prefix_len;
	struct lmdb_position position;
	struct buf batch;
	size_t used; /* octets of batch */
	int rc;	     /* of reading it */
	bool is_paused, is_seeing, is_cancelled;

	/* A purge. */
	struct list purge_link; /* in lmdb->purges, under purges_lock */
	struct end *end;	/* under purges_lock, too: what the writer will post */
	uint64_t number;
};

struct end {
	struct message message; /* first */
	uint64_t number;
	err_t err;
	uint64_t n;
};

static struct walk *walk_new(struct lmdb_handle *handle, const struct store_walk_ops *ops)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->walk = (struct store_walk){.kind = handle->store.kind};
	walk->handle = handle;
	walk->ops = *ops;
	list_append(&handle->walks, &walk->link);
	list_init(&walk->purge_link);
	buf_init(&walk->batch, MAX_BATCH);
	return walk;
}

static void walk_free(struct walk *walk)
{
	timer_cancel(walk->turn);
	pthread_mutex_lock(&walk->handle->lmdb->purges_lock);
	list_remove(&walk->purge_link);
	pthread_mutex_unlock(&walk->handle->lmdb->purges_lock);
	list_remove(&walk->link);
	buf_fini(&walk->batch);
	free(walk->end);
	free(walk);
}

static void count(const struct lmdb *lmdb, unsigned op, err_t err)
{
	counter_add(METRIC_STORE_OPERATIONS, lmdb->shared.slot, op,
		    err == OK ? LABEL_STORE_RESULT_OK : LABEL_STORE_RESULT_ERROR, 1);
}

/* --- walks ------------------------------------------------------------------------------------ */

/* The record at the place where the batch has been used up to. */
static void cut_record(struct walk *walk, struct slice *out_key, struct slice *out_record)
{
	struct slice rest = slice_skip(buf_slice(&walk->batch), walk->used);
	size_t key_len = get_u32(rest.p), record_len = get_u32(rest.p + 4);

	*out_key = slice_of(rest.p + 8, key_len);
	*out_record = slice_of(rest.p + 8 + key_len, record_len);
	walk->used += 8 + key_len + record_len;
}

static void read_batch(struct walk *walk)
{
	struct lmdb *lmdb = walk->handle->lmdb;

	buf_reset(&walk->batch);
	walk->used = 0;
	walk->rc = EBUSY;
	pthread_rwlock_rdlock(&lmdb->env_lock);
	if (lmdb->env.env)
		walk->rc = lmdb_env_read_on(&lmdb->env, slice_of(walk->prefix, walk->prefix_len),
					    &walk->position, clock_wall(), &walk->batch);
	pthread_rwlock_unlock(&lmdb->env_lock);
}

static void finish(struct walk *walk, err_t err, unsigned op)
{
	struct store_walk_ops ops = walk->ops;
	uint64_t n = walk->n;

	count(walk->handle->lmdb, op, err);
	walk_free(walk);
	ops.done(ops.arg, err, n);
}

static void on_turn(void *arg);

static void go_on(struct walk *walk)
{
	walk->turn = timer_start(walk->handle->loop, 0, on_turn, walk);
}

static void see_batch(struct walk *walk)
{
	struct slice key, record;

	walk->is_seeing = true;
	while (!walk->is_paused && !walk->is_cancelled && walk->used < walk->batch.len) {
		cut_record(walk, &key, &record);
		walk->n++;
		walk->ops.see(walk->ops.arg, key, record);
	}
	walk->is_seeing = false;
}

static void on_turn(void *arg)
{
	struct walk *walk = arg;

	walk->turn = NULL;
	if (walk->used == walk->batch.len)
		read_batch(walk);
	see_batch(walk);
	if (walk->is_cancelled) {
		walk_free(walk);
		return;
	}
	if (walk->is_paused)
		return;
	if (walk->rc == 0)
		go_on(walk);
	/* Without memory for a timer it ends here. */
	if (!walk->turn)
		finish(walk, walk->rc == MDB_NOTFOUND ? OK : ERR_STORE_FAULT, LABEL_OP_WALK);
}

err_t lmdb_walk(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		struct store_walk **out_walk)
{
	struct lmdb_handle *handle = (struct lmdb_handle *)store;
	struct walk *walk = walk_new(handle, ops);

	if (!walk)
		return ERR_NO_MEMORY;
	walk->prefix_len = prefix.len;
	if (prefix.len > 0)
		memcpy(walk->prefix, prefix.p, prefix.len);
	go_on(walk);
	if (!walk->turn) {
		walk_free(walk);
		return ERR_NO_MEMORY;
	}
	*out_walk = &walk->walk;
	return OK;
}

void lmdb_walk_pause(struct store_walk *store_walk)
{
	struct walk *walk = (struct walk *)store_walk;

	walk->is_paused = true;
	timer_cancel(walk->turn);
	walk->turn = NULL;
}

void lmdb_walk_resume(struct store_walk *store_walk)
{
	struct walk *walk = (struct walk *)store_walk;

	if (!walk->is_paused)
		return;
	walk->is_paused = false;
	if (!walk->is_seeing)
		go_on(walk);
}

void lmdb_walk_cancel(struct store_walk *store_walk)
{
	struct walk *walk = (struct walk *)store_walk;

	if (walk->is_seeing)
		walk->is_cancelled = true;
	else
		walk_free(walk);
}

/* --- purges ----------------------------------------------------------------------------------- */

static struct walk *find_purge(struct list *walks, uint64_t number)
{
	for (struct list *node = walks->next; node != walks; node = node->next) {
		struct walk *walk = LIST_ENTRY(node, struct walk, link);

		if (walk->number == number)
			return walk;
	}
	return NULL;
}

static void on_end(void *arg, struct message *message)
{
	struct lmdb_handle *handle = arg;
	struct end *end = (struct end *)message, copy = *end;
	struct walk *walk = find_purge(&handle->walks, end->number);

	free(end);
	if (!walk)
		return;
	walk->n = copy.n;
	finish(walk, copy.err, LABEL_OP_PURGE);
}

/* The writer. The mailbox is unbounded, and its handle is there as long as the purge is. */
static void post_end(struct lmdb *lmdb, uint64_t number, err_t err, uint64_t n)
{
	pthread_mutex_lock(&lmdb->purges_lock);
	for (struct list *node = lmdb->purges.next; node != &lmdb->purges; node = node->next) {
		struct walk *walk = LIST_ENTRY(node, struct walk, purge_link);
		struct end *end = walk->end;

		if (walk->number != number)
			continue;
		walk->end = NULL;
		*end = (struct end){.number = number, .err = err, .n = n};
		err = mailbox_post(walk->handle->ends, &end->message);
		assert(err == OK);
		break;
	}
	pthread_mutex_unlock(&lmdb->purges_lock);
}

int lmdb_purge_now(struct lmdb *lmdb, const struct store_write *write)
{
	uint64_t n = 0;
	size_t n_now;
	int rc;

	do {
		rc = lmdb_env_purge(&lmdb->env, store_write_key(write), MAX_TRANSACTION, &n_now);
		n += rc == 0 ? n_now : 0;
	} while (rc == 0 && n_now == MAX_TRANSACTION);
	post_end(lmdb, write->number, rc == 0 ? OK : ERR_STORE_FAULT, n);
	return rc;
}

void lmdb_purge_fail(struct lmdb *lmdb, const struct store_write *write)
{
	post_end(lmdb, write->number, ERR_STORE_FAULT, 0);
}

/* Made with the first purge: most handles never need it. */
static bool has_mailbox(struct lmdb_handle *handle)
{
	if (!handle->ends)
		handle->ends = mailbox_new(handle->loop, 0, on_end, handle);
	return handle->ends != NULL;
}

err_t lmdb_purge(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		 struct store_walk **out_walk)
{
	struct lmdb_handle *handle = (struct lmdb_handle *)store;
	struct lmdb *lmdb = handle->lmdb;
	struct store_write model = {.op = STORE_PURGE};
	struct walk *walk = has_mailbox(handle) ? walk_new(handle, ops) : NULL;

	if (!walk)
		return ERR_NO_MEMORY;
	walk->end = calloc(1, sizeof(*walk->end));
	pthread_mutex_lock(&lmdb->purges_lock);
	model.number = walk->number = ++lmdb->n_purges;
	list_append(&lmdb->purges, &walk->purge_link);
	pthread_mutex_unlock(&lmdb->purges_lock);
	if (!walk->end || !store_queue_add(&lmdb->queue, &model, prefix, slice_of(NULL, 0))) {
		walk_free(walk);
		return ERR_STORE_FAULT;
	}
	*out_walk = &walk->walk;
	return OK;
}

static void drop_end(void *arg, struct message *message)
{
	(void)arg;
	free(message);
}

void lmdb_walks_fini(struct lmdb_handle *handle)
{
	while (!list_is_empty(&handle->walks))
		walk_free(LIST_ENTRY(handle->walks.next, struct walk, link));
	mailbox_free(handle->ends, drop_end, NULL);
}
