/* SPDX-License-Identifier: ISC */
/*
 * One write transaction. Each record has one row in the expiry tree, made and removed together with
 * it, so that what has expired is found without a search. Values that LMDB hands out are good until
 * the next change of their tree only: what is needed afterwards is copied.
 */
#include "io/lmdb_batch.h"

#include <errno.h>

#include "io/fault_guard.h"

#define PURGE_STEP 4096 /* records removed in one transaction */

struct writing {
	const struct lmdb_env *env;
	struct lmdb_batch *batch;
	size_t max_expired;
	MDB_txn *txn;
};

/* Not to be called with a key longer than LMDB_MAX_KEY_LEN. */
static MDB_val expiry_row(uint8_t octets[LMDB_EXPIRY_LEN + LMDB_MAX_KEY_LEN], const MDB_val *value,
			  struct slice key)
{
	memcpy(octets, value->mv_data, LMDB_EXPIRY_LEN);
	memcpy(octets + LMDB_EXPIRY_LEN, key.p, key.len);
	return lmdb_val(octets, LMDB_EXPIRY_LEN + key.len);
}

/* Removes the row that goes with the value of key. */
static int remove_expiry_row(struct writing *writing, struct slice key, const MDB_val *value)
{
	uint8_t octets[LMDB_EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	MDB_val row;

	if (value->mv_size < LMDB_EXPIRY_LEN || key.len > LMDB_MAX_KEY_LEN)
		return 0; /* not of our making */
	row = expiry_row(octets, value, key);
	return lmdb_ok_if_absent(mdb_del(writing->txn, writing->env->expiry, &row, NULL));
}

/* MDB_NOTFOUND if there is no such record. */
static int remove_record(struct writing *writing, struct slice key)
{
	MDB_val key_val = lmdb_val(key.p, key.len), value;
	int rc = mdb_get(writing->txn, writing->env->records, &key_val, &value);

	if (rc == 0)
		rc = remove_expiry_row(writing, key, &value);
	return rc != 0 ? rc : mdb_del(writing->txn, writing->env->records, &key_val, NULL);
}

static int put(struct writing *writing, const struct store_write *write)
{
	struct slice key = store_write_key(write), record = store_write_record(write);
	MDB_val key_val = lmdb_val(key.p, key.len), value, row, nothing = lmdb_val("", 0);
	uint8_t octets[LMDB_EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	int rc = mdb_get(writing->txn, writing->env->records, &key_val, &value);

	if (rc == 0)
		rc = remove_expiry_row(writing, key, &value);
	if (lmdb_ok_if_absent(rc) != 0)
		return rc;
	value = lmdb_val(NULL, LMDB_EXPIRY_LEN + record.len);
	rc = mdb_put(writing->txn, writing->env->records, &key_val, &value, MDB_RESERVE);
	if (rc != 0)
		return rc;
	put_u64(value.mv_data, (uint64_t)write->hard_expiry);
	memcpy((uint8_t *)value.mv_data + LMDB_EXPIRY_LEN, record.p, record.len);
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
	return lmdb_ok_if_absent(rc);
}

/* EAGAIN: there may be more than a transaction should hold. */
static int purge(struct writing *writing, const struct store_write *write)
{
	struct slice prefix = store_write_key(write);
	MDB_val key = lmdb_val(prefix.p, prefix.len), value;
	MDB_cursor *cursor = NULL;
	size_t n = 0;
	int rc = mdb_cursor_open(writing->txn, writing->env->records, &cursor);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(cursor, &key, &value, prefix.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0 && slice_eq(slice_take(lmdb_slice(&key), prefix.len), prefix)) {
		if (n++ == PURGE_STEP) {
			rc = EAGAIN;
			break;
		}
		if ((rc = remove_expiry_row(writing, lmdb_slice(&key), &value)) == 0 &&
		    (rc = mdb_cursor_del(cursor, 0)) == 0)
			rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return lmdb_ok_if_absent(rc);
}

/* The record that goes with a row, unless it has been given more time. */
static int remove_expired_record(struct writing *writing, const uint8_t *row, size_t len)
{
	MDB_val key = lmdb_val(row + LMDB_EXPIRY_LEN, len - LMDB_EXPIRY_LEN), value;
	int rc = mdb_get(writing->txn, writing->env->records, &key, &value);

	if (rc == 0 && value.mv_size >= LMDB_EXPIRY_LEN &&
	    memcmp(value.mv_data, row, LMDB_EXPIRY_LEN) == 0)
		rc = mdb_del(writing->txn, writing->env->records, &key, NULL);
	return lmdb_ok_if_absent(rc);
}

/* MDB_NOTFOUND: no row is older than now. They are in order of time. */
static int remove_oldest(struct writing *writing, MDB_cursor *cursor)
{
	uint8_t octets[LMDB_EXPIRY_LEN + LMDB_MAX_KEY_LEN];
	MDB_val row, nothing;
	size_t len;
	int rc = mdb_cursor_get(cursor, &row, &nothing, MDB_FIRST);

	if (rc != 0)
		return rc;
	len = row.mv_size;
	if (len <= LMDB_EXPIRY_LEN || len > sizeof(octets))
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
	return lmdb_ok_if_absent(rc);
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

int lmdb_batch_write(const struct lmdb_env *env, struct lmdb_batch *batch, size_t max_expired)
{
	struct writing writing = {.env = env, .batch = batch, .max_expired = max_expired};

	batch->n_expired = batch->n_done = batch->n_removed = batch->n_absent = 0;
	return fault_guard_run(do_transaction, &writing);
}
