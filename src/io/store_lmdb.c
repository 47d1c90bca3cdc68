/* SPDX-License-Identifier: ISC */
/*
 * The store on the local disk: its handles, which read by themselves and queue what is to be
 * written. The rest is lmdb_keeper.h.
 */
#include "io/store_lmdb.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/counters.h"
#include "io/clock.h"
#include "io/lmdb_keeper.h"

#define MAP_SIZE    (sizeof(size_t) > 4 ? (size_t)((uint64_t)64 << 30) : (size_t)1 << 30)
#define MS_PAUSE    30000
#define MS_IDLE	    60000
#define MAX_EXPIRED 256

/* --- the store -------------------------------------------------------------------------------- */

static err_t check(const char *directory)
{
	return directory[0] == '/' && strlen(directory) < PATH_MAX ? OK : ERR_SYNTAX;
}

static void lmdb_free(struct lmdb *lmdb)
{
	store_queue_fini(&lmdb->queue);
	pthread_rwlock_destroy(&lmdb->env_lock);
	pthread_mutex_destroy(&lmdb->handles_lock);
	sem_destroy(&lmdb->has_tried);
	free(lmdb->directory);
	free(lmdb);
}

static struct lmdb *lmdb_new(const char *directory, const struct store_lmdb_opts *opts)
{
	struct lmdb *lmdb = calloc(1, sizeof(*lmdb));
	char label[32];

	if (!lmdb)
		return NULL;
	counter_label(label, sizeof(label), "tier", "lmdb");
	lmdb->shared = (struct store_shared){.kind = &store_kind_lmdb,
					     .slot = counter_slot(SCOPE_TIER, label)};
	lmdb->opts = *opts;
	list_init(&lmdb->handles);
	store_queue_init(&lmdb->queue);
	pthread_rwlock_init(&lmdb->env_lock, NULL);
	pthread_mutex_init(&lmdb->handles_lock, NULL);
	sem_init(&lmdb->has_tried, 0, 0);
	lmdb->directory = strdup(directory);
	if (!lmdb->directory) {
		lmdb_free(lmdb);
		return NULL;
	}
	return lmdb;
}

struct store_shared *store_lmdb_open(const char *directory, const struct store_lmdb_opts *opts)
{
	struct lmdb *lmdb = lmdb_new(directory, opts);

	if (!lmdb)
		return NULL;
	if (pthread_create(&lmdb->keeper, NULL, lmdb_keep, lmdb) != 0) {
		lmdb_free(lmdb);
		return NULL;
	}
	while (sem_wait(&lmdb->has_tried) != 0 && errno == EINTR)
		;
	return &lmdb->shared;
}

static struct store_shared *open_default(const char *directory)
{
	static const struct store_lmdb_opts opts = {.map_size = MAP_SIZE,
						    .ms_pause = MS_PAUSE,
						    .ms_idle = MS_IDLE,
						    .max_expired = MAX_EXPIRED};

	return store_lmdb_open(directory, &opts);
}

static void close_store(struct store_shared *shared)
{
	struct lmdb *lmdb = (struct lmdb *)shared;

	store_queue_close(&lmdb->queue);
	pthread_join(lmdb->keeper, NULL);
	lmdb_count_first(lmdb, LABEL_STORE_RESULT_DROPPED, lmdb->queue.n);
	lmdb_free(lmdb);
}

static bool is_up(const struct store_shared *shared)
{
	return atomic_load(&((const struct lmdb *)shared)->is_up);
}

/* --- handles ---------------------------------------------------------------------------------- */

static struct store *attach(struct store_shared *shared, struct loop *loop)
{
	struct lmdb *lmdb = (struct lmdb *)shared;
	struct lmdb_handle *handle = calloc(1, sizeof(*handle));

	(void)loop; /* nothing here calls back */
	if (!handle)
		return NULL;
	handle->store = (struct store){.kind = shared->kind, .slot = shared->slot};
	handle->lmdb = lmdb;
	pthread_mutex_lock(&lmdb->handles_lock);
	list_append(&lmdb->handles, &handle->link);
	pthread_mutex_unlock(&lmdb->handles_lock);
	return &handle->store;
}

static void detach(struct store *store)
{
	struct lmdb_handle *handle = (struct lmdb_handle *)store;
	struct lmdb *lmdb = handle->lmdb;

	pthread_rwlock_rdlock(&lmdb->env_lock);
	pthread_mutex_lock(&lmdb->handles_lock);
	list_remove(&handle->link);
	lmdb_reader_end(&handle->reader);
	pthread_mutex_unlock(&lmdb->handles_lock);
	pthread_rwlock_unlock(&lmdb->env_lock);
	buf_fini(&handle->reader.record);
	free(handle);
}

/* The write lock is never held for longer than mapping and unmapping the file take. */
static int read_record(struct lmdb_handle *handle, struct slice key, int64_t *out_expiry)
{
	struct lmdb *lmdb = handle->lmdb;
	int none = 0, rc;

	pthread_rwlock_rdlock(&lmdb->env_lock);
	rc = lmdb->env.env ? atomic_load(&lmdb->read_rc) : EBUSY;
	if (rc == 0) {
		rc = lmdb_env_read(&lmdb->env, &handle->reader, key, out_expiry);
		if (rc != 0 && rc != MDB_NOTFOUND && rc != ENOMEM &&
		    atomic_compare_exchange_strong(&lmdb->read_rc, &none, rc))
			store_queue_alarm(&lmdb->queue);
	}
	pthread_rwlock_unlock(&lmdb->env_lock);
	return rc;
}

static err_t get(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		 struct slice *out_record, struct store_read **out_read)
{
	struct lmdb_handle *handle = (struct lmdb_handle *)store;
	int64_t us_start = clock_mono_us(), hard_expiry = 0;
	unsigned result = LABEL_STORE_RESULT_OK;
	err_t e = OK;
	/* First the queue, then the file: a removal is in one of them. */
	int rc = store_queue_removes(&handle->lmdb->queue, key)
		     ? MDB_NOTFOUND
		     : read_record(handle, key, &hard_expiry);

	(void)fn; /* never ERR_AGAIN */
	(void)arg;
	(void)out_read;
	if (rc == MDB_NOTFOUND || (rc == 0 && hard_expiry <= clock_wall())) {
		result = LABEL_STORE_RESULT_NOT_FOUND;
		e = ERR_NOT_FOUND;
	} else if (rc != 0) {
		result = LABEL_STORE_RESULT_ERROR;
		e = ERR_STORE_FAULT;
	} else {
		*out_record = buf_slice(&handle->reader.record);
	}
	counter_add(METRIC_STORE_OPERATIONS, store->slot, LABEL_OP_GET, result, 1);
	counter_observe(METRIC_STORE_SECONDS, store->slot, LABEL_OP_GET,
			(uint64_t)(clock_mono_us() - us_start));
	return e;
}

/* There are none. */
static void cancel(struct store_read *read)
{
	(void)read;
}

static void add(struct store *store, const struct store_write *model, struct slice key,
		struct slice record)
{
	struct lmdb *lmdb = ((struct lmdb_handle *)store)->lmdb;

	if (key.len > LMDB_MAX_KEY_LEN || (key.len == 0 && model->op != STORE_PURGE) ||
	    !store_queue_add(&lmdb->queue, model, key, record))
		lmdb_count(lmdb, model->op, LABEL_STORE_RESULT_DROPPED, 1);
}

static void put(struct store *store, struct slice key, struct slice record, int64_t hard_expiry)
{
	struct store_write model = {.op = STORE_PUT,
				    .hard_expiry = hard_expiry > 0 ? hard_expiry : 0};

	add(store, &model, key, record);
}

static void delete (struct store *store, struct slice key)
{
	struct store_write model = {.op = STORE_DELETE};

	add(store, &model, key, slice_of(NULL, 0));
}

static void purge(struct store *store, struct slice prefix)
{
	struct store_write model = {.op = STORE_PURGE};

	add(store, &model, prefix, slice_of(NULL, 0));
}

const struct store_kind store_kind_lmdb = {
    .scheme = "lmdb:",
    .name = "disk",
    .check = check,
    .open = open_default,
    .close = close_store,
    .is_up = is_up,
    .attach = attach,
    .detach = detach,
    .get = get,
    .cancel = cancel,
    .put = put,
    .delete = delete,
    .purge = purge,
};
