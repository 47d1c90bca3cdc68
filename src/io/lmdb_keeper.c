/* SPDX-License-Identifier: ISC */
/*
 * A full disk or map is no reason to close the environment: reading goes on, removals are done,
 * puts are lost and only tried again after a pause. Anything else ends the session, and what is
 * queued waits for the next one. A file that was found damaged is not opened again before it has
 * changed; it is never deleted. What the guard cannot catch is damage that looks like sound pages
 * to LMDB while it writes: records are verified when they are read, the process is not protected
 * from that.
 */
#include "io/lmdb_keeper.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"
#include "io/lmdb_batch.h"

#define DIRECTORY_MODE 0750
#define MAX_ROUNDS     64 /* of making room, before a full store is believed to be full */
#define RESERVE	       ((size_t)16 << 20)

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
		    LOG_TEXT("reason", lmdb_text(rc)));
	lmdb->is_failing = true;
	lmdb->failed_rc = rc;
}

void lmdb_count(const struct lmdb *lmdb, enum store_op op, unsigned result, size_t n)
{
	if (n > 0)
		counter_add(METRIC_STORE_OPERATIONS, lmdb->shared.slot,
			    op == STORE_PUT ? LABEL_OP_PUT : LABEL_OP_DELETE, result, (int64_t)n);
}

static size_t count_puts(const struct lmdb *lmdb, size_t n)
{
	const struct store_write *write = n > 0 ? store_queue_first(&lmdb->queue) : NULL;
	size_t n_puts = 0, i;

	for (i = 0; i < n; i++) {
		n_puts += write->op == STORE_PUT;
		if (i + 1 < n)
			write = store_queue_next(write);
	}
	return n_puts;
}

void lmdb_count_first(const struct lmdb *lmdb, unsigned result, size_t n)
{
	size_t n_puts = count_puts(lmdb, n);

	lmdb_count(lmdb, STORE_PUT, result, n_puts);
	lmdb_count(lmdb, STORE_DELETE, result, n - n_puts);
}

/* The batch is committed. */
static void count_done(const struct lmdb *lmdb, const struct lmdb_batch *batch)
{
	size_t n_puts = count_puts(lmdb, batch->n_done);

	lmdb_count(lmdb, STORE_PUT, LABEL_STORE_RESULT_OK, n_puts);
	lmdb_count(lmdb, STORE_DELETE, LABEL_STORE_RESULT_OK,
		   batch->n_done - n_puts - batch->n_absent);
	lmdb_count(lmdb, STORE_DELETE, LABEL_STORE_RESULT_NOT_FOUND, batch->n_absent);
}

/* --- session ---------------------------------------------------------------------------------- */

static int find_directory(const struct lmdb *lmdb)
{
	struct lmdb_identity now;

	if (mkdir(lmdb->directory, DIRECTORY_MODE) != 0 && errno != EEXIST)
		return errno;
	now = lmdb_file_identity(lmdb->directory);
	if (lmdb->damaged.inode != 0 && lmdb_identity_eq(&now, &lmdb->damaged))
		return MDB_CORRUPTED;
	return lmdb_file_check(lmdb->directory);
}

/* From here on there are reads. */
static int open_env(struct lmdb *lmdb)
{
	struct lmdb_env env = {.env = NULL};
	int rc = find_directory(lmdb);

	if (rc != 0)
		return rc;
	rc = lmdb_env_open(&env, lmdb->directory, lmdb->opts.map_size);
	/* Even if it is of no use: the keeper closes it. */
	pthread_rwlock_wrlock(&lmdb->env_lock);
	lmdb->env = env;
	atomic_store(&lmdb->read_rc, rc);
	pthread_rwlock_unlock(&lmdb->env_lock);
	if (rc == 0 && !lmdb->is_failing)
		set_up(lmdb, true);
	return rc;
}

static bool is_closing(void *arg)
{
	struct lmdb *lmdb = arg;

	return store_queue_is_closing(&lmdb->queue);
}

/* Opens or closes the part of the map that is kept for removing: that takes pages, too. */
static void open_reserve(struct lmdb *lmdb, size_t size)
{
	pthread_rwlock_wrlock(&lmdb->env_lock);
	(void)lmdb_env_extend(&lmdb->env, size); /* if it fails, so does what comes next */
	pthread_rwlock_unlock(&lmdb->env_lock);
}

/* From here on there are writes. */
static int begin(struct lmdb *lmdb)
{
	struct lmdb_env env = lmdb->env;
	int rc = lmdb_env_check(&env, is_closing, lmdb);

	if (rc == 0)
		rc = lmdb_env_begin(&env);
	if (lmdb_is_full(rc)) {
		open_reserve(lmdb, RESERVE);
		rc = lmdb_env_begin(&env);
		open_reserve(lmdb, 0);
	}
	pthread_rwlock_wrlock(&lmdb->env_lock);
	lmdb->env = env;
	pthread_rwlock_unlock(&lmdb->env_lock);
	return rc;
}

/* For comparison with times that are stored without sign. */
static int64_t now(void)
{
	int64_t t = clock_wall();

	return t > 0 ? t : 0;
}

/* Removes some expired records of a full store. Pages that a transaction frees are there for the
 * one after the next. */
static bool make_room(struct lmdb *lmdb)
{
	struct lmdb_batch nothing = {.now = now()};
	bool is_done;

	open_reserve(lmdb, RESERVE);
	is_done = lmdb_batch_write(&lmdb->env, &nothing, lmdb->opts.max_expired) == 0 &&
		  nothing.n_expired > 0 && lmdb_env_touch(&lmdb->env) == 0;
	open_reserve(lmdb, 0);
	return is_done;
}

/* Writes what of the first n writes one transaction takes. */
static int write_batch(struct lmdb *lmdb, size_t n)
{
	struct lmdb_batch batch = {.first = store_queue_first(&lmdb->queue), .n = n, .now = now()};
	int64_t us_start = clock_mono_us();
	int rc = lmdb_batch_write(&lmdb->env, &batch, lmdb->opts.max_expired);

	if (rc != 0)
		return rc;
	counter_observe(METRIC_STORE_SECONDS, lmdb->shared.slot, LABEL_OP_PUT,
			(uint64_t)(clock_mono_us() - us_start));
	count_done(lmdb, &batch);
	store_queue_done(&lmdb->queue, batch.n_done);
	return 0;
}

/* Expired records go first. If that does not help, the puts go, so that the removals among them are
 * not held up by what they might make room for. */
static int write_some(struct lmdb *lmdb, size_t n)
{
	int rounds = 0, rc = write_batch(lmdb, n);

	while (lmdb_is_full(rc) && rounds++ < MAX_ROUNDS && make_room(lmdb))
		rc = write_batch(lmdb, n);
	if (rc == 0)
		return 0;
	lmdb_count_first(lmdb, LABEL_STORE_RESULT_ERROR, n);
	if (!lmdb_is_full(rc))
		return rc;
	n -= store_queue_drop_puts(&lmdb->queue, n);
	if (n > 0) {
		open_reserve(lmdb, RESERVE);
		(void)write_batch(lmdb, n); /* if it fails they wait */
		open_reserve(lmdb, 0);
	}
	return rc;
}

/* Nothing to write: expired records, readers that died; or, after a failure, whether it works. */
static int idle(struct lmdb *lmdb)
{
	struct lmdb_batch nothing = {.now = now()};
	int rc = lmdb->is_failing ? lmdb_env_touch(&lmdb->env) : lmdb_env_tidy(&lmdb->env);

	while (rc == 0 && store_queue_len(&lmdb->queue) == 0) {
		rc = lmdb_batch_write(&lmdb->env, &nothing, lmdb->opts.max_expired);
		if (nothing.n_expired == 0)
			break;
	}
	return rc;
}

/* Tells what became of an attempt to write. 0: the session goes on, as it does with a full store
 * that can be read. */
static int report(struct lmdb *lmdb, int rc)
{
	if (lmdb_is_full(rc) && lmdb->env.is_readable) {
		report_failure(lmdb, rc);
		return 0;
	}
	if (rc == 0)
		report_success(lmdb);
	return rc;
}

/* Waits for something to do and does it. */
static int turn(struct lmdb *lmdb)
{
	size_t n = lmdb->is_failing
		       ? store_queue_wait(&lmdb->queue, lmdb->opts.ms_pause, STORE_PATIENT)
		       : store_queue_wait(&lmdb->queue, lmdb->opts.ms_idle, STORE_EAGER);
	int rc = atomic_load(&lmdb->read_rc);

	if (n == 0 && store_queue_is_closing(&lmdb->queue))
		return rc;
	if (rc == 0)
		rc = lmdb_env_look(&lmdb->env, lmdb->directory);
	if (rc == 0)
		rc = n > 0 ? write_some(lmdb, n) : idle(lmdb);
	return report(lmdb, rc);
}

/* Whether there is nothing left to do before closing, or nothing to be done about it. */
static bool is_over(struct lmdb *lmdb)
{
	return store_queue_is_closing(&lmdb->queue) &&
	       (lmdb->is_failing || store_queue_len(&lmdb->queue) == 0);
}

static void *run_session(void *arg)
{
	struct lmdb *lmdb = arg;
	int rc = open_env(lmdb);

	if (rc == 0) {
		sem_post(&lmdb->has_tried);
		rc = report(lmdb, begin(lmdb));
	}
	while (rc == 0 && !is_over(lmdb))
		rc = turn(lmdb);
	counter_thread_end();
	return (void *)(intptr_t)rc;
}

/* --- keeper ----------------------------------------------------------------------------------- */

static void close_env(struct lmdb *lmdb)
{
	struct list *node;

	pthread_rwlock_wrlock(&lmdb->env_lock);
	pthread_mutex_lock(&lmdb->handles_lock);
	for (node = lmdb->handles.next; node != &lmdb->handles; node = node->next)
		lmdb_reader_end(&LIST_ENTRY(node, struct lmdb_handle, link)->reader);
	pthread_mutex_unlock(&lmdb->handles_lock);
	lmdb_env_close(&lmdb->env);
	pthread_rwlock_unlock(&lmdb->env_lock);
}

static int one_session(struct lmdb *lmdb)
{
	pthread_t thread;
	void *result;
	int rc = pthread_create(&thread, NULL, run_session, lmdb);

	if (rc != 0)
		return rc;
	pthread_join(thread, &result);
	rc = (int)(intptr_t)result;
	close_env(lmdb);
	if (lmdb_is_damage(rc))
		lmdb->damaged = lmdb_file_identity(lmdb->directory);
	return rc;
}

void *lmdb_keep(void *arg)
{
	struct lmdb *lmdb = arg;

	for (;;) {
		int rc = one_session(lmdb);

		if (rc != 0 && rc != ECANCELED)
			report_failure(lmdb, rc);
		sem_post(&lmdb->has_tried); /* once more than needed does not matter */
		if (rc != 0)
			store_queue_wait(&lmdb->queue, lmdb->opts.ms_pause, STORE_PATIENT);
		if (store_queue_is_closing(&lmdb->queue))
			break;
	}
	set_up(lmdb, false);
	counter_thread_end();
	return NULL;
}
