/* SPDX-License-Identifier: ISC */
/*
 * Each function packs its arguments into a struct for the guarded one that does the work. A guarded
 * function may be left at any call into LMDB, so nothing but LMDB's own memory is held across one;
 * that is lost with the environment, which the caller closes after a fault.
 */
#include "io/lmdb_env.h"

#include <errno.h>

#include "io/fault_guard.h"
#include "io/lmdb_file.h"

#define MIN_MAP_SIZE ((size_t)1 << 30)
#define N_TREES	     2
#define MAX_READERS  512
#define MAX_RECORD_LEN                                                             \
	((size_t)17 << 20) /* what an option allows for a response, and its header \
			    */
#define EXPIRY_LEN 8
#define PURGE_STEP 4096 /* records removed in one transaction */
#define FILE_MODE  0640

/* NOTLS: read transactions belong to handles, not to threads. NOMETASYNC: one sync for each commit;
 * a power failure may cost the last one, never the file. */
#define FLAGS (MDB_NOTLS | MDB_NOMETASYNC)

static MDB_val val_of(const void *p, size_t len)
{
	/* LMDB's type is for reading and writing; it does not write through keys. */
	return (MDB_val){.mv_size = len, .mv_data = (void *)(uintptr_t)p};
}

static struct slice slice_of_val(const MDB_val *val)
{
	return slice_of(val->mv_data, val->mv_size);
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* LMDB would print and abort. */
static void on_assertion(MDB_env *env, const char *text)
{
	(void)env;
	(void)text;
	fault_guard_abandon();
}

static int open_files(struct lmdb_env *env, const char *directory, size_t map_size)
{
	int rc = mdb_env_create(&env->env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_assert(env->env, on_assertion)) != 0 ||
	    (rc = mdb_env_set_maxdbs(env->env, N_TREES)) != 0 ||
	    (rc = mdb_env_set_maxreaders(env->env, MAX_READERS)) != 0 ||
	    (rc = mdb_env_set_mapsize(env->env, map_size)) != 0)
		return rc;
	return mdb_env_open(env->env, directory, FLAGS, FILE_MODE);
}

struct opening {
	struct lmdb_env *env;
	const char *directory;
	size_t map_size;
};

static int do_open_files(void *arg)
{
	struct opening *opening = arg;

	return open_files(opening->env, opening->directory, opening->map_size);
}

/* Leaves nothing behind but a page to be written. */
static int touch(MDB_txn *txn, const struct lmdb_env *env)
{
	static const uint8_t octets[EXPIRY_LEN + 1] = {0xff}; /* no time of ours */
	MDB_val key = val_of(octets, sizeof(octets)), nothing = val_of("", 0);
	int rc = mdb_put(txn, env->expiry, &key, &nothing, 0);

	return rc != 0 ? rc : mdb_del(txn, env->expiry, &key, NULL);
}

static int do_open_trees(void *arg)
{
	struct lmdb_env *env = arg;
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(env->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	if ((rc = mdb_dbi_open(txn, "records", MDB_CREATE, &env->records)) != 0 ||
	    (rc = mdb_dbi_open(txn, "expiry", MDB_CREATE, &env->expiry)) != 0 ||
	    (rc = touch(txn, env)) != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

int lmdb_env_open(struct lmdb_env *env, const char *directory, size_t map_size)
{
	struct opening opening = {.env = env, .directory = directory, .map_size = map_size};
	int rc;

	fault_guard_install();
	while ((rc = fault_guard_run(do_open_files, &opening)) == ENOMEM &&
	       opening.map_size > MIN_MAP_SIZE) {
		lmdb_env_close(env);
		opening.map_size /= 2;
	}
	if (rc == 0)
		rc = fault_guard_run(do_open_trees, env);
	if (rc == 0)
		rc = lmdb_env_tidy(env);
	return rc;
}

static int do_close(void *arg)
{
	mdb_env_close(arg);
	return 0;
}

void lmdb_env_close(struct lmdb_env *env)
{
	if (env->env)
		(void)fault_guard_run(do_close, env->env);
	*env = (struct lmdb_env){.env = NULL};
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
	const struct lmdb_env *env;
	struct lmdb_reader *reader;
	struct slice key;
	int64_t *out_expiry;
};

static int copy_out(struct lmdb_reader *reader, const MDB_val *value, int64_t *out_expiry)
{
	struct slice record = slice_skip(slice_of_val(value), EXPIRY_LEN);

	buf_reset(&reader->record);
	if (value->mv_size < EXPIRY_LEN || record.len > reader->record.max) {
		*out_expiry = INT64_MAX;
		return 0;
	}
	*out_expiry = (int64_t)get_u64(value->mv_data);
	return buf_append(&reader->record, record.p, record.len) == OK ? 0 : ENOMEM;
}

static int do_read(void *arg)
{
	struct reading *reading = arg;
	struct lmdb_reader *reader = reading->reader;
	MDB_val key = val_of(reading->key.p, reading->key.len), value;
	int rc;

	if (reader->txn)
		rc = mdb_txn_renew(reader->txn);
	else
		rc = mdb_txn_begin(reading->env->env, NULL, MDB_RDONLY, &reader->txn);
	if (rc != 0)
		return rc;
	rc = mdb_get(reader->txn, reading->env->records, &key, &value);
	if (rc == 0)
		rc = copy_out(reader, &value, reading->out_expiry);
	mdb_txn_reset(reader->txn);
	return rc;
}

int lmdb_env_read(const struct lmdb_env *env, struct lmdb_reader *reader, struct slice key,
		  int64_t *out_expiry)
{
	struct reading reading = {
	    .env = env, .reader = reader, .key = key, .out_expiry = out_expiry};

	if (reader->record.max == 0)
		buf_init(&reader->record, MAX_RECORD_LEN);
	return fault_guard_run(do_read, &reading);
}

static int do_end(void *arg)
{
	mdb_txn_abort(arg);
	return 0;
}

void lmdb_reader_end(struct lmdb_reader *reader)
{
	if (reader->txn)
		(void)fault_guard_run(do_end, reader->txn);
	reader->txn = NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct writing {
	const struct lmdb_env *env;
	struct lmdb_batch *batch;
	size_t max_expired;
	MDB_txn *txn;
};

/* Not to be called with a key longer than LMDB_MAX_KEY_LEN. */
static MDB_val expiry_row(uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN], const MDB_val *value,
			  struct slice key)
{
	memcpy(octets, value->mv_data, EXPIRY_LEN);
	memcpy(octets + EXPIRY_LEN, key.p, key.len);
	return val_of(octets, EXPIRY_LEN + key.len);
}

static int ok_if_absent(int rc)
{
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Removes the row that goes with the value of key. */
static int remove_expiry_row(struct writing *writing, struct slice key, const MDB_val *value)
{
	uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	MDB_val row;

	if (value->mv_size < EXPIRY_LEN || key.len > LMDB_MAX_KEY_LEN)
		return 0; /* not of our making */
	row = expiry_row(octets, value, key);
	return ok_if_absent(mdb_del(writing->txn, writing->env->expiry, &row, NULL));
}

/* MDB_NOTFOUND if there is no such record. */
static int remove_record(struct writing *writing, struct slice key)
{
	MDB_val key_val = val_of(key.p, key.len), value;
	int rc = mdb_get(writing->txn, writing->env->records, &key_val, &value);

	if (rc == 0)
		rc = remove_expiry_row(writing, key, &value);
	return rc != 0 ? rc : mdb_del(writing->txn, writing->env->records, &key_val, NULL);
}

static int put(struct writing *writing, const struct store_write *write)
{
	struct slice key = store_write_key(write), record = store_write_record(write);
	MDB_val key_val = val_of(key.p, key.len), value, row, nothing = val_of("", 0);
	uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	int rc = mdb_get(writing->txn, writing->env->records, &key_val, &value);

	if (rc == 0)
		rc = remove_expiry_row(writing, key, &value);
	if (ok_if_absent(rc) != 0)
		return rc;
	value = val_of(NULL, EXPIRY_LEN + record.len);
	rc = mdb_put(writing->txn, writing->env->records, &key_val, &value, MDB_RESERVE);
	if (rc != 0)
		return rc;
	put_u64(value.mv_data, (uint64_t)write->hard_expiry);
	memcpy((uint8_t *)value.mv_data + EXPIRY_LEN, record.p, record.len);
	row = expiry_row(octets, &value, key);
	return mdb_put(writing->txn, writing->env->expiry, &row, &nothing, 0);
}

static int delete (struct writing *writing, const struct store_write *write)
{
	int rc = remove_record(writing, store_write_key(write));

	if (rc == 0)
		writing->batch->n_removed++;
	if (rc == MDB_NOTFOUND)
		writing->batch->n_absent++;
	return ok_if_absent(rc);
}

/* EAGAIN: there may be more than a transaction should hold. */
static int purge(struct writing *writing, const struct store_write *write)
{
	struct slice prefix = store_write_key(write);
	MDB_val key = val_of(prefix.p, prefix.len), value;
	MDB_cursor *cursor = NULL;
	size_t n = 0;
	int rc = mdb_cursor_open(writing->txn, writing->env->records, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, prefix.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0 && slice_eq(slice_take(slice_of_val(&key), prefix.len), prefix)) {
		if (n++ == PURGE_STEP) {
			rc = EAGAIN;
			break;
		}
		if ((rc = remove_expiry_row(writing, slice_of_val(&key), &value)) == 0 &&
		    (rc = mdb_cursor_del(cursor, 0)) == 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return ok_if_absent(rc);
}

/* The record that goes with a row, unless it has been given more time. */
static int remove_expired_record(struct writing *writing, const uint8_t *row, size_t len)
{
	MDB_val key = val_of(row + EXPIRY_LEN, len - EXPIRY_LEN), value;
	int rc = mdb_get(writing->txn, writing->env->records, &key, &value);

	if (rc == 0 && value.mv_size >= EXPIRY_LEN && memcmp(value.mv_data, row, EXPIRY_LEN) == 0)
		rc = mdb_del(writing->txn, writing->env->records, &key, NULL);
	return ok_if_absent(rc);
}

/* MDB_NOTFOUND: no row is older than now. They are in order of time. */
static int remove_oldest(struct writing *writing, MDB_cursor *cursor)
{
	uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	MDB_val row, nothing;
	size_t len;
	int rc = mdb_cursor_get(cursor, &row, &nothing, MDB_FIRST);

	if (rc != 0)
		return rc;
	len = row.mv_size;
	if (len <= EXPIRY_LEN || len > sizeof(octets))
		return MDB_CORRUPTED;
	if (get_u64(row.mv_data) >= (uint64_t)writing->batch->now)
		return MDB_NOTFOUND;
	memcpy(octets, row.mv_data, len); /* its page changes now */
	rc = mdb_cursor_del(cursor, 0);
	return rc != 0 ? rc : remove_expired_record(writing, octets, len);
}

static int remove_expired(struct writing *writing)
{
	struct lmdb_batch *batch = writing->batch;
	MDB_cursor *cursor = NULL;
	int rc = mdb_cursor_open(writing->txn, writing->env->expiry, &cursor);

	if (rc != 0)
		return rc;
	while (batch->n_expired < writing->max_expired &&
	       (rc = remove_oldest(writing, cursor)) == 0)
		batch->n_expired++;
	mdb_cursor_close(cursor);
	return ok_if_absent(rc);
}

static int (*const writers[])(struct writing *, const struct store_write *) = {
    [STORE_PUT] = put, [STORE_DELETE] = delete, [STORE_PURGE] = purge};

static int do_writes(struct writing *writing)
{
	struct lmdb_batch *batch = writing->batch;
	const struct store_write *write = batch->first;
	int rc = 0;

	while (batch->n_done < batch->n) {
		rc = writers[write->op](writing, write);
		if (rc != 0)
			break;
		if (++batch->n_done < batch->n)
			write = store_queue_next(write);
	}
	return rc == EAGAIN ? 0 : rc;
}

static int do_transaction(void *arg)
{
	struct writing *writing = arg;
	int rc = mdb_txn_begin(writing->env->env, NULL, 0, &writing->txn);

	if (rc != 0)
		return rc;
	if (writing->max_expired > 0)
		rc = remove_expired(writing);
	if (rc == 0)
		rc = do_writes(writing);
	if (rc != 0) {
		mdb_txn_abort(writing->txn);
		return rc;
	}
	return mdb_txn_commit(writing->txn);
}

int lmdb_env_write(const struct lmdb_env *env, struct lmdb_batch *batch, size_t max_expired)
{
	struct writing writing = {.env = env, .batch = batch, .max_expired = max_expired};

	batch->n_expired = batch->n_done = batch->n_removed = batch->n_absent = 0;
	return fault_guard_run(do_transaction, &writing);
}

static int do_touch(void *arg)
{
	const struct lmdb_env *env = arg;
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(env->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = touch(txn, env);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

int lmdb_env_touch(const struct lmdb_env *env)
{
	struct lmdb_env copy = *env;

	return fault_guard_run(do_touch, &copy);
}

int lmdb_env_look(const struct lmdb_env *env, const char *directory)
{
	int fd, rc = mdb_env_get_fd(env->env, &fd);

	if (rc != 0)
		return rc;
	return lmdb_file_is(directory, fd) ? 0 : ESTALE;
}

static int do_tidy(void *arg)
{
	int n_dead;

	return mdb_reader_check(arg, &n_dead);
}

int lmdb_env_tidy(const struct lmdb_env *env)
{
	return fault_guard_run(do_tidy, env->env);
}

/* --- results ---------------------------------------------------------------------------------- */

bool lmdb_is_full(int rc)
{
	return rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG;
}

bool lmdb_is_damage(int rc)
{
	return rc == FAULT_CAUGHT || rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND;
}

const char *lmdb_text(int rc)
{
	if (lmdb_is_damage(rc))
		return "data.mdb is damaged; move it away and a new one is made";
	if (rc == ESTALE)
		return "data.mdb was removed or replaced";
	return mdb_strerror(rc);
}
