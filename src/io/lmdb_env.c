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

/* What an option allows for a response, and its header. */
#define MAX_RECORD_LEN ((size_t)17 << 20)

#define FILE_MODE 0640

/* NOTLS: read transactions belong to handles, not to threads. NOMETASYNC: one sync for each commit;
 * a power failure may cost the last one, never the file. */
#define FLAGS (MDB_NOTLS | MDB_NOMETASYNC)

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

/* MDB_NOTFOUND: a new file. */
static int open_trees(struct lmdb_env *env, MDB_txn *txn, unsigned flags)
{
	int rc = mdb_dbi_open(txn, "records", flags, &env->records);

	return rc != 0 ? rc : mdb_dbi_open(txn, "expiry", flags, &env->expiry);
}

static int do_open_trees(void *arg)
{
	struct lmdb_env *env = arg;
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = open_trees(env, txn, 0);
	env->is_readable = rc == 0;
	if (rc == 0)
		return mdb_txn_commit(txn); /* keeps the handles */
	mdb_txn_abort(txn);
	return lmdb_ok_if_absent(rc);
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
	env->map_size = opening.map_size;
	return rc != 0 ? rc : fault_guard_run(do_open_trees, env);
}

struct checking {
	const struct lmdb_env *env;
	lmdb_pages_fn *is_unwanted;
	void *arg;
};

/* The transaction keeps the pages that it sees from being used anew, by other processes too. */
static int do_check(void *arg)
{
	const struct checking *checking = arg;
	MDB_txn *txn = NULL;
	int fd, rc = mdb_env_get_fd(checking->env->env, &fd);

	if (rc == 0)
		rc = mdb_txn_begin(checking->env->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	rc = lmdb_pages_check(fd, mdb_txn_id(txn), checking->is_unwanted, checking->arg);
	mdb_txn_abort(txn);
	return rc;
}

int lmdb_env_check(const struct lmdb_env *env, lmdb_pages_fn *is_unwanted, void *arg)
{
	struct checking checking = {.env = env, .is_unwanted = is_unwanted, .arg = arg};
	int rc;

	do
		rc = fault_guard_run(do_check, &checking);
	while (rc == EAGAIN); /* others have committed twice since it began */
	return rc;
}

/* Leaves nothing behind but a page to be written. */
static int touch(MDB_txn *txn, const struct lmdb_env *env)
{
	static const uint8_t octets[LMDB_EXPIRY_LEN + 1] = {0xff}; /* no time of ours */
	MDB_val key = lmdb_val(octets, sizeof(octets)), nothing = lmdb_val("", 0);
	int rc = mdb_put(txn, env->expiry, &key, &nothing, 0);

	return rc != 0 ? rc : mdb_del(txn, env->expiry, &key, NULL);
}

static int do_begin(void *arg)
{
	struct lmdb_env *env = arg;
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(env->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	if ((rc = open_trees(env, txn, MDB_CREATE)) != 0 || (rc = touch(txn, env)) != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	rc = mdb_txn_commit(txn);
	env->is_readable = rc == 0;
	return rc;
}

int lmdb_env_begin(struct lmdb_env *env)
{
	return fault_guard_run(do_begin, env);
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
	struct slice record = slice_skip(lmdb_slice(value), LMDB_EXPIRY_LEN);

	buf_reset(&reader->record);
	if (value->mv_size < LMDB_EXPIRY_LEN || record.len > reader->record.max) {
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
	MDB_val key = lmdb_val(reading->key.p, reading->key.len), value;
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

	if (!env->is_readable)
		return MDB_NOTFOUND;
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

/* --- the rest ----------------------------------------------------------------------------------
 */

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

struct extending {
	MDB_env *env;
	size_t map_size;
};

static int do_extend(void *arg)
{
	const struct extending *extending = arg;

	return mdb_env_set_mapsize(extending->env, extending->map_size);
}

int lmdb_env_extend(const struct lmdb_env *env, size_t more)
{
	struct extending extending = {.env = env->env, .map_size = env->map_size + more};

	return fault_guard_run(do_extend, &extending);
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
