/* SPDX-License-Identifier: ISC */
/* The two trees, changed together in each transaction. */
#include "io/lmdb_env.h"

#include <errno.h>

#define MIN_MAP_SIZE  ((size_t)1 << 30)
#define MAX_READERS   512
#define FILE_MODE     0640
#define EXPIRY_LEN    8
#define MAX_LOOKED_AT 1000 /* records, expired ones too, by one lmdb_env_read_on */

/* What an option allows for a response, and its header. */
#define MAX_RECORD_LEN ((size_t)17 << 20)

/* NOTLS: read transactions belong to handles, not to threads. NOMETASYNC: one sync for each commit;
 * a power failure may cost the last one, never the file. */
#define FLAGS (MDB_NOTLS | MDB_NOMETASYNC)

static MDB_val val_of(const void *p, size_t len)
{
	return (MDB_val){.mv_size = len, .mv_data = (void *)(uintptr_t)p};
}

static int ok_if_absent(int rc)
{
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static int open_files(struct lmdb_env *env, const char *directory, size_t map_size)
{
	int rc = mdb_env_create(&env->env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxdbs(env->env, 2)) != 0 ||
	    (rc = mdb_env_set_maxreaders(env->env, MAX_READERS)) != 0 ||
	    (rc = mdb_env_set_mapsize(env->env, map_size)) != 0)
		return rc;
	return mdb_env_open(env->env, directory, FLAGS, FILE_MODE);
}

static int open_trees(struct lmdb_env *env)
{
	MDB_txn *txn = NULL;
	int n_dead, rc = mdb_reader_check(env->env, &n_dead);

	if (rc == 0)
		rc = mdb_txn_begin(env->env, NULL, 0, &txn);
	if (rc != 0)
		return rc;
	if ((rc = mdb_dbi_open(txn, "records", MDB_CREATE, &env->records)) != 0 ||
	    (rc = mdb_dbi_open(txn, "expiry", MDB_CREATE, &env->expiry)) != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

int lmdb_env_open(struct lmdb_env *env, const char *directory, size_t map_size)
{
	int rc = open_files(env, directory, map_size);

	while (rc == ENOMEM && map_size > MIN_MAP_SIZE) {
		lmdb_env_close(env);
		map_size /= 2;
		rc = open_files(env, directory, map_size);
	}
	if (rc == 0)
		rc = open_trees(env);
	if (rc != 0)
		lmdb_env_close(env);
	return rc;
}

void lmdb_env_close(struct lmdb_env *env)
{
	if (env->env)
		mdb_env_close(env->env);
	*env = (struct lmdb_env){.env = NULL};
}

/* --- reading ---------------------------------------------------------------------------------- */

static int copy_record(struct lmdb_reader *reader, const MDB_val *value, int64_t *out_expiry)
{
	const uint8_t *octets = value->mv_data;

	if (value->mv_size < EXPIRY_LEN)
		return MDB_NOTFOUND; /* not ours */
	buf_reset(&reader->record);
	if (buf_append(&reader->record, octets + EXPIRY_LEN, value->mv_size - EXPIRY_LEN) != OK)
		return reader->record.err == ERR_NO_MEMORY ? ENOMEM : MDB_NOTFOUND;
	*out_expiry = (int64_t)get_u64(octets);
	return 0;
}

int lmdb_env_read(const struct lmdb_env *env, struct lmdb_reader *reader, struct slice key,
		  int64_t *out_expiry)
{
	MDB_val key_val = val_of(key.p, key.len), value;
	int rc;

	if (reader->record.max == 0)
		buf_init(&reader->record, MAX_RECORD_LEN);
	rc = reader->txn ? mdb_txn_renew(reader->txn)
			 : mdb_txn_begin(env->env, NULL, MDB_RDONLY, &reader->txn);
	if (rc != 0)
		return rc;
	rc = mdb_get(reader->txn, env->records, &key_val, &value);
	if (rc == 0)
		rc = copy_record(reader, &value, out_expiry);
	mdb_txn_reset(reader->txn);
	return rc;
}

void lmdb_reader_end(struct lmdb_reader *reader)
{
	if (reader->txn)
		mdb_txn_abort(reader->txn);
	reader->txn = NULL;
}

static bool has_prefix(const MDB_val *key, struct slice prefix)
{
	return key->mv_size <= LMDB_MAX_KEY_LEN &&
	       slice_eq(slice_take(slice_of(key->mv_data, key->mv_size), prefix.len), prefix);
}

static int append_record(struct buf *batch, const MDB_val *key, const MDB_val *value, int64_t now)
{
	const uint8_t *octets = value->mv_data;
	uint8_t head[8];

	if (value->mv_size < EXPIRY_LEN || (int64_t)get_u64(octets) <= now)
		return 0;
	put_u32(head, (uint32_t)key->mv_size);
	put_u32(head + 4, (uint32_t)(value->mv_size - EXPIRY_LEN));
	buf_append(batch, head, sizeof(head));
	buf_append(batch, key->mv_data, key->mv_size);
	buf_append(batch, octets + EXPIRY_LEN, value->mv_size - EXPIRY_LEN);
	return batch->err == OK ? 0 : ENOMEM;
}

/* The first key that begins with prefix and lies behind position. */
static int seek(MDB_cursor *cursor, struct slice prefix, const struct lmdb_position *position,
		MDB_val *key, MDB_val *value)
{
	struct slice from = position->len > 0 ? slice_of(position->key, position->len) : prefix;
	int rc;

	if (from.len == 0)
		return mdb_cursor_get(cursor, key, value, MDB_FIRST);
	*key = val_of(from.p, from.len);
	rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (rc == 0 && position->len > 0 && slice_eq(slice_of(key->mv_data, key->mv_size), from))
		rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
	return rc;
}

static int read_on(MDB_cursor *cursor, struct slice prefix, struct lmdb_position *position,
		   int64_t now, struct buf *batch)
{
	MDB_val key, value;
	int rc = seek(cursor, prefix, position, &key, &value);

	for (size_t n = 0; rc == 0 && has_prefix(&key, prefix); n++) {
		if ((rc = append_record(batch, &key, &value, now)) != 0)
			return rc;
		position->len = key.mv_size;
		memcpy(position->key, key.mv_data, key.mv_size);
		if (batch->len >= LMDB_BATCH_OCTETS || n >= MAX_LOOKED_AT)
			return 0;
		rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	return rc == 0 ? MDB_NOTFOUND : rc;
}

int lmdb_env_read_on(const struct lmdb_env *env, struct slice prefix,
		     struct lmdb_position *position, int64_t now, struct buf *batch)
{
	MDB_txn *txn = NULL;
	MDB_cursor *cursor = NULL;
	int rc = mdb_txn_begin(env->env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_open(txn, env->records, &cursor);
	if (rc == 0) {
		rc = read_on(cursor, prefix, position, now, batch);
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct writing {
	const struct lmdb_env *env;
	MDB_txn *txn;
	int64_t now;
};

/* Expiry and key: a row of the expiry tree, in memory that the caller gives. */
static MDB_val row_of(uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN], const MDB_val *value,
		      struct slice key)
{
	memcpy(octets, value->mv_data, EXPIRY_LEN);
	memcpy(octets + EXPIRY_LEN, key.p, key.len);
	return val_of(octets, EXPIRY_LEN + key.len);
}

/* The expiry row of what is stored under key; nothing if nothing is. */
static int remove_row(struct writing *writing, struct slice key)
{
	uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	MDB_val key_val = val_of(key.p, key.len), value, row;
	int rc = mdb_get(writing->txn, writing->env->records, &key_val, &value);

	if (rc != 0 || value.mv_size < EXPIRY_LEN)
		return ok_if_absent(rc);
	row = row_of(octets, &value, key);
	return ok_if_absent(mdb_del(writing->txn, writing->env->expiry, &row, NULL));
}

static int put(struct writing *writing, const struct store_write *write)
{
	struct slice key = store_write_key(write), record = store_write_record(write);
	MDB_val key_val = val_of(key.p, key.len), nothing = val_of("", 0);
	MDB_val value = val_of(NULL, EXPIRY_LEN + record.len), row;
	uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	int rc = remove_row(writing, key);

	if (rc != 0)
		return rc;
	rc = mdb_put(writing->txn, writing->env->records, &key_val, &value, MDB_RESERVE);
	if (rc != 0)
		return rc;
	put_u64(value.mv_data, (uint64_t)write->hard_expiry);
	memcpy((uint8_t *)value.mv_data + EXPIRY_LEN, record.p, record.len);
	row = row_of(octets, &value, key);
	return mdb_put(writing->txn, writing->env->expiry, &row, &nothing, 0);
}

static int delete (struct writing *writing, const struct store_write *write)
{
	struct slice key = store_write_key(write);
	MDB_val key_val = val_of(key.p, key.len);
	int rc = remove_row(writing, key);

	return rc != 0 ? rc
		       : ok_if_absent(mdb_del(writing->txn, writing->env->records, &key_val, NULL));
}

/* The row that is first in time and its record. MDB_NOTFOUND: none has expired. */
static int remove_oldest(struct writing *writing, MDB_cursor *cursor)
{
	uint8_t octets[LMDB_MAX_KEY_LEN];
	MDB_val row, nothing, key;
	int rc = mdb_cursor_get(cursor, &row, &nothing, MDB_FIRST);

	if (rc != 0)
		return rc;
	if (row.mv_size <= EXPIRY_LEN || row.mv_size > EXPIRY_LEN + LMDB_MAX_KEY_LEN)
		return MDB_CORRUPTED;
	if ((int64_t)get_u64(row.mv_data) >= writing->now)
		return MDB_NOTFOUND;
	key = val_of(octets, row.mv_size - EXPIRY_LEN);
	memcpy(octets, (const uint8_t *)row.mv_data + EXPIRY_LEN, key.mv_size);
	rc = mdb_cursor_del(cursor, 0); /* row's page changes now */
	return rc != 0 ? rc
		       : ok_if_absent(mdb_del(writing->txn, writing->env->records, &key, NULL));
}

static int remove_expired(struct writing *writing, size_t max, size_t *out_n)
{
	MDB_cursor *cursor = NULL;
	int rc = mdb_cursor_open(writing->txn, writing->env->expiry, &cursor);

	if (rc != 0)
		return rc;
	while (*out_n < max && (rc = remove_oldest(writing, cursor)) == 0)
		(*out_n)++;
	mdb_cursor_close(cursor);
	return ok_if_absent(rc);
}

static int remove_first(struct writing *writing, MDB_cursor *cursor, struct slice prefix)
{
	static const struct lmdb_position nowhere;
	uint8_t octets[EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	MDB_val key, value, row;
	int rc = seek(cursor, prefix, &nowhere, &key, &value);

	if (rc == 0 && !has_prefix(&key, prefix))
		rc = MDB_NOTFOUND;
	if (rc != 0)
		return rc;
	if (value.mv_size >= EXPIRY_LEN) {
		row = row_of(octets, &value, slice_of(key.mv_data, key.mv_size));
		rc = ok_if_absent(mdb_del(writing->txn, writing->env->expiry, &row, NULL));
	}
	return rc != 0 ? rc : mdb_cursor_del(cursor, 0);
}

static int remove_prefix(struct writing *writing, struct slice prefix, size_t max, size_t *out_n)
{
	MDB_cursor *cursor = NULL;
	int rc = mdb_cursor_open(writing->txn, writing->env->records, &cursor);

	if (rc != 0)
		return rc;
	while (*out_n < max && (rc = remove_first(writing, cursor, prefix)) == 0)
		(*out_n)++;
	mdb_cursor_close(cursor);
	return ok_if_absent(rc);
}

int lmdb_env_purge(const struct lmdb_env *env, struct slice prefix, size_t max, size_t *out_n)
{
	struct writing writing = {.env = env};
	int rc = mdb_txn_begin(env->env, NULL, 0, &writing.txn);

	*out_n = 0;
	if (rc != 0)
		return rc;
	rc = remove_prefix(&writing, prefix, max, out_n);
	if (rc != 0) {
		mdb_txn_abort(writing.txn);
		return rc;
	}
	return mdb_txn_commit(writing.txn);
}

static int do_writes(struct writing *writing, const struct list *writes)
{
	int rc = 0;

	for (const struct list *node = writes->next; rc == 0 && node != writes; node = node->next) {
		const struct store_write *write = LIST_ENTRY(node, struct store_write, link);

		rc = write->op == STORE_PUT ? put(writing, write) : delete (writing, write);
	}
	return rc;
}

int lmdb_env_write(const struct lmdb_env *env, const struct list *writes, int64_t now,
		   size_t max_expired, size_t *out_n_expired)
{
	struct writing writing = {.env = env, .now = now};
	int rc = mdb_txn_begin(env->env, NULL, 0, &writing.txn);

	*out_n_expired = 0;
	if (rc != 0)
		return rc;
	rc = remove_expired(&writing, max_expired, out_n_expired);
	if (rc == 0)
		rc = do_writes(&writing, writes);
	if (rc != 0) {
		mdb_txn_abort(writing.txn);
		return rc;
	}
	return mdb_txn_commit(writing.txn);
}

bool lmdb_is_full(int rc)
{
	return rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT;
}
