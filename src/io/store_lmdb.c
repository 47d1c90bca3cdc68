/* SPDX-License-Identifier: ISC */
/*
 * The store on the local disk. Back threads read from the map by themselves and queue what is to be
 * written; one writer thread, the only one that waits for the disk, opens the environment and
 * commits all that is queued in one transaction.
 *
 * A full disk is no reason to close: reading goes on, writes are lost until a pause later one
 * succeeds. After any other failure the environment is closed and, a pause later, opened again. The
 * file itself is never deleted. That nobody else changes its octets or cuts it short while it is
 * open is a condition of LMDB's, and so of ours.
 */
#include "io/store_lmdb.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"
#include "io/lmdb_file.h"
#include "io/lmdb_parts.h"
#include "io/lmdb_walk.h"
#include "io/thread.h"

#define MAP_SIZE       (sizeof(size_t) > 4 ? (size_t)((uint64_t)64 << 30) : (size_t)1 << 30)
#define MS_GATHER      100
#define MS_PAUSE       30000
#define MS_IDLE	       60000
#define MAX_EXPIRED    256
#define MAX_ROUNDS     64 /* of making room after each commit */
#define DIRECTORY_MODE 0750

/* --- what the world sees of it ---------------------------------------------------------------- */

static void set_up(struct lmdb *lmdb, bool is_up)
{
	if (atomic_exchange(&lmdb->is_up, is_up) != is_up)
		counter_add(METRIC_STORE_UP, lmdb->shared.slot, 0, 0, is_up ? 1 : -1);
}

static void report_success(struct lmdb *lmdb)
{
	set_up(lmdb, true);
	if (lmdb->is_failing)
		LOG(STORE_BACK, LOG_TEXT("store", "lmdb"), LOG_TEXT("path", lmdb->directory));
	else if (!lmdb->has_opened)
		LOG(STORE_OPEN, LOG_TEXT("store", "lmdb"), LOG_TEXT("path", lmdb->directory));
	lmdb->has_opened = true;
	lmdb->is_failing = false;
}

/* Once for each cause. */
static void report_failure(struct lmdb *lmdb, int rc)
{
	set_up(lmdb, false);
	if (!lmdb->is_failing || lmdb->failed_rc != rc)
		LOG(STORE_FAILED, LOG_TEXT("store", "lmdb"), LOG_TEXT("path", lmdb->directory),
		    LOG_TEXT("reason", mdb_strerror(rc)));
	lmdb->is_failing = true;
	lmdb->failed_rc = rc;
}

static void count(const struct lmdb *lmdb, unsigned op, unsigned result, size_t n)
{
	if (n > 0)
		counter_add(METRIC_STORE_OPERATIONS, lmdb->shared.slot, op, result, (int64_t)n);
}

/* Frees writes, counted with this result. */
static void finish_writes(const struct lmdb *lmdb, struct list *writes, unsigned result)
{
	size_t n_deletes, n_puts = store_queue_free(writes, &n_deletes);

	count(lmdb, LABEL_OP_PUT, result, n_puts);
	count(lmdb, LABEL_OP_DELETE, result, n_deletes);
}

/* --- the writer ------------------------------------------------------------------------------- */

static void close_env(struct lmdb *lmdb)
{
	pthread_rwlock_wrlock(&lmdb->env_lock);
	for (struct list *node = lmdb->handles.next; node != &lmdb->handles; node = node->next)
		lmdb_reader_end(&LIST_ENTRY(node, struct lmdb_handle, link)->reader);
	lmdb_env_close(&lmdb->env);
	pthread_rwlock_unlock(&lmdb->env_lock);
}

static int open_env(struct lmdb *lmdb)
{
	struct lmdb_env env = {.env = NULL};
	int rc;

	if (mkdir(lmdb->directory, DIRECTORY_MODE) != 0 && errno != EEXIST)
		return errno;
	rc = lmdb_file_check(lmdb->directory);
	if (rc == 0)
		rc = lmdb_env_open(&env, lmdb->directory, lmdb->opts.map_size);
	if (rc != 0)
		return rc;
	pthread_rwlock_wrlock(&lmdb->env_lock);
	lmdb->env = env;
	pthread_rwlock_unlock(&lmdb->env_lock);
	return 0;
}

/* One transaction; how many expired records it removed. */
static int write_once(struct lmdb *lmdb, struct list *writes, size_t *out_n_expired)
{
	int64_t us_start = clock_mono_us();
	int rc =
	    lmdb_env_write(&lmdb->env, writes, clock_wall(), lmdb->opts.max_expired, out_n_expired);

	if (!list_is_empty(writes)) {
		counter_observe(METRIC_STORE_SECONDS, lmdb->shared.slot, LABEL_OP_PUT,
				(uint64_t)(clock_mono_us() - us_start));
		lmdb->ms_written = clock_mono_ms();
	}
	if (rc == 0)
		finish_writes(lmdb, writes, LABEL_STORE_RESULT_OK);
	return rc;
}

/* Removes some expired records, and nothing else; false if there were none. */
static bool make_room(struct lmdb *lmdb, size_t *out_n_expired)
{
	struct list nothing;

	list_init(&nothing);
	return write_once(lmdb, &nothing, out_n_expired) == 0 && *out_n_expired > 0;
}

/* What is full gives up its expired records first. Otherwise they go after the writes, in small
 * transactions, so that removing keeps up with adding. */
static int write_all(struct lmdb *lmdb, struct list *writes)
{
	size_t n_expired;
	int rounds = 0, rc = write_once(lmdb, writes, &n_expired);

	while (lmdb_is_full(rc) && rounds++ < MAX_ROUNDS && make_room(lmdb, &n_expired))
		rc = write_once(lmdb, writes, &n_expired);
	while (rc == 0 && n_expired == lmdb->opts.max_expired && rounds++ < MAX_ROUNDS &&
	       make_room(lmdb, &n_expired))
		;
	return rc;
}

/* The next purge of the list, unlinked, and in *before the writes that came before it; NULL: there
 * is none, all are in *before. */
static struct store_write *cut_purge(struct list *writes, struct list *before)
{
	struct list *node;

	while ((node = list_shift(writes))) {
		struct store_write *write = LIST_ENTRY(node, struct store_write, link);

		if (write->op == STORE_PURGE)
			return write;
		list_append(before, node);
	}
	return NULL;
}

/* In the order in which they came. After a failure the rest is lost. */
static int do_queued(struct lmdb *lmdb, struct list *writes)
{
	struct store_write *purge;
	struct list some;
	int rc = 0;

	list_init(&some);
	do {
		purge = cut_purge(writes, &some);
		if (rc == 0)
			rc = write_all(lmdb, &some);
		finish_writes(lmdb, &some, LABEL_STORE_RESULT_ERROR); /* those left over */
		if (purge && rc == 0)
			rc = lmdb_purge_now(lmdb, purge);
		else if (purge)
			lmdb_purge_fail(lmdb, purge);
		free(purge);
	} while (purge);
	return rc;
}

/* Opens what is not open, and writes what is queued. */
static void turn(struct lmdb *lmdb)
{
	struct list writes;
	int rc = lmdb->env.env ? 0 : open_env(lmdb);

	list_init(&writes);
	if (rc == 0) {
		store_queue_take(&lmdb->queue, &writes);
		rc = do_queued(lmdb, &writes);
	}
	if (rc == 0) {
		report_success(lmdb);
		return;
	}
	report_failure(lmdb, rc);
	if (!lmdb_is_full(rc))
		close_env(lmdb);
}

/* Waits for something to do. What comes alone is written at once; what comes soon after it, with
 * all that does, since a transaction costs several records, most of it by the sync. */
static bool wait(struct lmdb *lmdb)
{
	int64_t ms;

	if (lmdb->is_failing)
		return store_queue_wait(&lmdb->queue, lmdb->opts.ms_pause, STORE_PATIENT);
	if (!store_queue_wait(&lmdb->queue, lmdb->opts.ms_idle, STORE_EAGER))
		return false;
	ms = lmdb->ms_written + lmdb->opts.ms_gather - clock_mono_ms();
	return ms <= 0 || store_queue_wait(&lmdb->queue, ms, STORE_GATHER);
}

static void *run_writer(void *arg)
{
	struct lmdb *lmdb = arg;
	struct list rest;
	bool is_open;

	thread_begin("disk", THREAD_PATIENT);
	list_init(&rest);
	turn(lmdb);
	sem_post(&lmdb->has_tried);
	do {
		is_open = wait(lmdb);
		turn(lmdb);
	} while (is_open);
	store_queue_take(&lmdb->queue, &rest);
	finish_writes(lmdb, &rest, LABEL_STORE_RESULT_DROPPED); /* nobody waits for purges now */
	close_env(lmdb);
	set_up(lmdb, false);
	counter_thread_end();
	return NULL;
}

/* --- the store -------------------------------------------------------------------------------- */

/* What follows the scheme. */
static const char *directory_of(const char *url)
{
	return url + strlen("lmdb:");
}

static const char *check(const char *url)
{
	if (directory_of(url)[0] != '/')
		return "an absolute directory after lmdb:";
	return strlen(directory_of(url)) < PATH_MAX ? NULL : "a shorter path";
}

static void lmdb_free(struct lmdb *lmdb)
{
	store_queue_fini(&lmdb->queue);
	pthread_rwlock_destroy(&lmdb->env_lock);
	pthread_mutex_destroy(&lmdb->purges_lock);
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
	list_init(&lmdb->purges);
	store_queue_init(&lmdb->queue);
	pthread_rwlock_init(&lmdb->env_lock, NULL);
	pthread_mutex_init(&lmdb->purges_lock, NULL);
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
	if (pthread_create(&lmdb->writer, NULL, run_writer, lmdb) != 0) {
		lmdb_free(lmdb);
		return NULL;
	}
	while (sem_wait(&lmdb->has_tried) != 0 && errno == EINTR)
		;
	return &lmdb->shared;
}

static struct store_shared *open_default(const char *url, const struct store_opts *unused)
{
	static const struct store_lmdb_opts opts = {.map_size = MAP_SIZE,
						    .ms_gather = MS_GATHER,
						    .ms_pause = MS_PAUSE,
						    .ms_idle = MS_IDLE,
						    .max_expired = MAX_EXPIRED};

	(void)unused;
	return store_lmdb_open(directory_of(url), &opts);
}

static void close_store(struct store_shared *shared)
{
	struct lmdb *lmdb = (struct lmdb *)shared;

	store_queue_close(&lmdb->queue);
	pthread_join(lmdb->writer, NULL);
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

	if (!handle)
		return NULL;
	handle->loop = loop;
	list_init(&handle->walks);
	handle->store = (struct store){.kind = shared->kind, .slot = shared->slot};
	handle->lmdb = lmdb;
	pthread_rwlock_wrlock(&lmdb->env_lock);
	list_append(&lmdb->handles, &handle->link);
	pthread_rwlock_unlock(&lmdb->env_lock);
	return &handle->store;
}

static void detach(struct store *store)
{
	struct lmdb_handle *handle = (struct lmdb_handle *)store;
	struct lmdb *lmdb = handle->lmdb;

	lmdb_walks_fini(handle);
	pthread_rwlock_wrlock(&lmdb->env_lock);
	list_remove(&handle->link);
	lmdb_reader_end(&handle->reader);
	pthread_rwlock_unlock(&lmdb->env_lock);
	buf_fini(&handle->reader.record);
	free(handle);
}

/* The write lock is never held for longer than mapping and unmapping the file take. */
static int read_record(struct lmdb_handle *handle, struct slice key, int64_t *out_expiry)
{
	struct lmdb *lmdb = handle->lmdb;
	int rc = EBUSY;

	pthread_rwlock_rdlock(&lmdb->env_lock);
	if (lmdb->env.env)
		rc = lmdb_env_read(&lmdb->env, &handle->reader, key, out_expiry);
	pthread_rwlock_unlock(&lmdb->env_lock);
	return rc;
}

static err_t get(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		 struct slice *out_record, struct store_read **out_read)
{
	struct lmdb_handle *handle = (struct lmdb_handle *)store;
	int64_t us_start = clock_mono_us(), hard_expiry = 0;
	unsigned result = LABEL_STORE_RESULT_OK;
	int rc = read_record(handle, key, &hard_expiry);
	err_t err = OK;

	(void)fn; /* never ERR_AGAIN */
	(void)arg;
	(void)out_read;
	if (rc == MDB_NOTFOUND || (rc == 0 && hard_expiry <= clock_wall())) {
		result = LABEL_STORE_RESULT_NOT_FOUND;
		err = ERR_NOT_FOUND;
	} else if (rc != 0) {
		result = LABEL_STORE_RESULT_ERROR;
		err = ERR_STORE_FAULT;
	} else {
		*out_record = buf_slice(&handle->reader.record);
	}
	count(handle->lmdb, LABEL_OP_GET, result, 1);
	counter_observe(METRIC_STORE_SECONDS, store->slot, LABEL_OP_GET,
			(uint64_t)(clock_mono_us() - us_start));
	return err;
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

	if (key.len == 0 || key.len > LMDB_MAX_KEY_LEN ||
	    !store_queue_add(&lmdb->queue, model, key, record))
		count(lmdb, model->op == STORE_PUT ? LABEL_OP_PUT : LABEL_OP_DELETE,
		      LABEL_STORE_RESULT_DROPPED, 1);
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

const struct store_kind store_kind_lmdb = {
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
    .walk = lmdb_walk,
    .purge = lmdb_purge,
    .walk_pause = lmdb_walk_pause,
    .walk_resume = lmdb_walk_resume,
    .walk_cancel = lmdb_walk_cancel,
};
