/* SPDX-License-Identifier: ISC */
/*
 * Records in an LMDB environment. All calls into LMDB are here and in lmdb_batch.h, each inside a
 * fault guard; who may call what and when is the business of lmdb_keeper.h.
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
#include "base/bytes.h"
#include "io/lmdb_pages.h"

#define LMDB_EXPIRY_LEN	 8
#define LMDB_MAX_KEY_LEN 256 /* LMDB's own limit is 511, less what the expiry tree adds */

struct lmdb_env {
	MDB_env *env; /* NULL: closed */
	MDB_dbi records, expiry;
	bool is_readable; /* the trees are there; else nothing is found */
	size_t map_size;
};

/*
 * Opens directory's environment, making its files, with a map of map_size octets or, where the
 * system has no room for that, less. Changes nothing in a file that is there; can be read from if
 * it holds our trees. After anything but 0 env is to be closed all the same.
 */
int lmdb_env_open(struct lmdb_env *env, const char *directory, size_t map_size);

/* Goes through all pages of a file that others may have damaged: before its first change. Reads
 * from the file, not from the map. 0, MDB_CORRUPTED, ECANCELED. */
int lmdb_env_check(const struct lmdb_env *env, lmdb_pages_fn *is_unwanted, void *arg);

/* Makes the trees if need be, and commits something: 0 means that it works. A thread in which this,
 * lmdb_env_touch or lmdb_batch_write gave FAULT_CAUGHT may hold LMDB's write lock: it must end, so
 * that the lock is seen to be orphaned, before lmdb_env_close. */
int lmdb_env_begin(struct lmdb_env *env);

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

/* A transaction that changes nothing but must write: afterwards the pages that the one before has
 * freed may be used. */
int lmdb_env_touch(const struct lmdb_env *env);

/* Lets the file grow by so much more than at first, or not. While nobody reads. */
int lmdb_env_extend(const struct lmdb_env *env, size_t more);

/* 0, or ESTALE: the data file in directory is no longer the one that is open. */
int lmdb_env_look(const struct lmdb_env *env, const char *directory);

/* Frees the slots of readers that died. */
int lmdb_env_tidy(const struct lmdb_env *env);

static inline MDB_val lmdb_val(const void *p, size_t len)
{
	/* LMDB's type is for reading and writing; it does not write through keys. */
	return (MDB_val){.mv_size = len, .mv_data = (void *)(uintptr_t)p};
}

static inline struct slice lmdb_slice(const MDB_val *val)
{
	return slice_of(val->mv_data, val->mv_size);
}

static inline int lmdb_ok_if_absent(int rc)
{
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What a result means. */
bool lmdb_is_full(int rc);
bool lmdb_is_damage(int rc);
const char *lmdb_text(int rc); /* borrowed until the next call by this thread */

#endif
