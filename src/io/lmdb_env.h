/* SPDX-License-Identifier: ISC */
/*
 * Records in an LMDB environment: every call into LMDB is here. Results are LMDB's: 0, an errno or
 * an MDB_xxx. Two trees:
 *
 *	records   key -> hard expiry (8 octets, big endian), record
 *	expiry    hard expiry (8 octets, big endian), key -> nothing
 */
#ifndef OCSPRELAY_IO_LMDB_ENV_H
#define OCSPRELAY_IO_LMDB_ENV_H

#include <lmdb.h>

#include "base/buf.h"
#include "io/store_queue.h"

#define LMDB_MAX_KEY_LEN 256 /* LMDB's own limit is 511, less what the expiry tree adds */

struct lmdb_env {
	MDB_env *env; /* NULL: closed */
	MDB_dbi records, expiry;
};

/* Opens directory's environment, making its files, with a map of map_size octets or, where the
 * system has no room for that, less. After a failure *env is closed. */
int lmdb_env_open(struct lmdb_env *env, const char *directory, size_t map_size);
void lmdb_env_close(struct lmdb_env *env); /* after its readers; legal on a closed one */

/* One thread's way of reading; all zero at first, but for the buffer. */
struct lmdb_reader {
	MDB_txn *txn; /* reset between reads: it holds no snapshot back */
	struct buf record;
};

/* 0: reader->record and *out_expiry hold a copy. MDB_NOTFOUND. */
int lmdb_env_read(const struct lmdb_env *env, struct lmdb_reader *reader, struct slice key,
		  int64_t *out_expiry);
void lmdb_reader_end(struct lmdb_reader *reader); /* before lmdb_env_close; keeps the buffer */

/*
 * The next records of keys that begin with prefix, those behind *position (which moves on; all zero
 * at first), appended to batch until it holds LMDB_BATCH_OCTETS or there are no more: for each the
 * lengths of key and record, 4 octets each, then both. Those that expired by now are left out.
 * MDB_NOTFOUND: that was all.
 */
#define LMDB_BATCH_OCTETS ((size_t)64 << 10)
struct lmdb_position {
	size_t len;
	uint8_t key[LMDB_MAX_KEY_LEN];
};
int lmdb_env_read_on(const struct lmdb_env *env, struct slice prefix,
		     struct lmdb_position *position, int64_t now, struct buf *batch);

/* One transaction: removes up to max records of keys that begin with prefix, *out_n of them. */
int lmdb_env_purge(const struct lmdb_env *env, struct slice prefix, size_t max, size_t *out_n);

/* One transaction: removes up to max_expired records that expired before now (*out_n_expired of
 * them), then does the writes of the list. 0: committed, it survives the death of the process. */
int lmdb_env_write(const struct lmdb_env *env, const struct list *writes, int64_t now,
		   size_t max_expired, size_t *out_n_expired);

/* Whether the store is full: reading goes on, and so may writing when there is room again. */
bool lmdb_is_full(int rc);

#endif
