/* SPDX-License-Identifier: ISC */
/*
 * Records in an LMDB environment. All calls into LMDB are here, each inside a fault guard; who may
 * call what and when is the business of store_lmdb.c.
 *
 * Results are LMDB's: 0, an errno, an MDB_xxx, or FAULT_CAUGHT (fault_guard.h). Two trees:
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
 * system has no room for that, less. Writes and commits something, so that 0 means: it works. After
 * anything else env is to be closed all the same.
 *
 * A thread in which this, lmdb_env_write or lmdb_env_touch gave FAULT_CAUGHT may hold LMDB's write
 * lock: it must end, so that the lock is seen to be orphaned, before lmdb_env_close. */
int lmdb_env_open(struct lmdb_env *env, const char *directory, size_t map_size);
void lmdb_env_close(struct lmdb_env *env); /* after its readers */

/* One thread's way of reading, all zero at first but for the buffer. */
struct lmdb_reader {
	MDB_txn *txn; /* reset between reads: it holds no snapshot back */
	struct buf record;
};

/* 0: reader->record and *out_expiry hold a copy; a value that cannot be one of ours is an empty
 * record. MDB_NOTFOUND. */
int lmdb_env_read(const struct lmdb_env *env, struct lmdb_reader *reader, struct slice key,
		  int64_t *out_expiry);
void lmdb_reader_end(struct lmdb_reader *reader); /* before lmdb_env_close; keeps the buffer */

/* What a transaction shall do, and what it did. */
struct lmdb_batch {
	const struct store_write *first; /* and the following ones */
	size_t n;
	int64_t now;
	size_t n_expired;	    /* records removed because they were */
	size_t n_done;		    /* fewer than n where a purge needs another transaction */
	size_t n_removed, n_absent; /* of the single deletes */
};

/* One transaction: first removes up to max_expired records that expired before now, then does the
 * writes. 0: committed, it survives the death of the process. */
int lmdb_env_write(const struct lmdb_env *env, struct lmdb_batch *batch, size_t max_expired);

/* A transaction that changes nothing but must write: afterwards the pages that the one before has
 * freed may be used. */
int lmdb_env_touch(const struct lmdb_env *env);

/* 0, or ESTALE: the data file in directory is no longer the one that is open. */
int lmdb_env_look(const struct lmdb_env *env, const char *directory);

/* Frees the slots of readers that died. */
int lmdb_env_tidy(const struct lmdb_env *env);

/* What a result means. */
bool lmdb_is_full(int rc);
bool lmdb_is_damage(int rc);
const char *lmdb_text(int rc); /* borrowed until the next call by this thread */

#endif
