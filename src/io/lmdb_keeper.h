/* SPDX-License-Identifier: ISC */
/*
 * The two threads of an LMDB store. Back threads read on their own, from the map; all else is done
 * here:
 *
 *	keeper    runs a session, closes the environment behind it, pauses, runs the next one
 *	session   opens the environment, writes what is queued, one commit for all of it, until the
 *	          store is closed or something fails
 *
 * They are two because a fault inside LMDB leaves its write lock with the thread that had it: only
 * when that thread has ended can the lock be taken over.
 */
#ifndef OCSPRELAY_IO_LMDB_KEEPER_H
#define OCSPRELAY_IO_LMDB_KEEPER_H

#include <semaphore.h>

#include "io/lmdb_env.h"
#include "io/lmdb_file.h"
#include "io/store_kind.h"
#include "io/store_lmdb.h"
#include "io/store_queue.h"

struct lmdb {
	struct store_shared shared; /* first */
	char *directory;	    /* owned */
	struct store_lmdb_opts opts;
	struct store_queue queue;
	pthread_t keeper;
	sem_t has_tried; /* posted when the first session has opened, or has failed to */
	atomic_bool is_up;
	atomic_int read_rc; /* what a reader ran into; ends the session */

	/* Used under the read lock, opened and closed under the write lock. */
	pthread_rwlock_t env_lock;
	struct lmdb_env env;

	pthread_mutex_t handles_lock;
	struct list handles;

	/* Of keeper and session, only one of which runs at a time. */
	bool has_opened, is_failing;
	int failed_rc;		      /* what was logged last */
	struct lmdb_identity damaged; /* the file that is not opened again */
};

struct lmdb_handle {
	struct store store; /* first */
	struct lmdb *lmdb;
	struct list link;
	struct lmdb_reader reader; /* of the handle's thread; ended by the keeper, too */
};

/* The keeper's thread function, arg is the struct lmdb. Returns after store_queue_close. */
void *lmdb_keep(void *arg);

/* Counts n writes with this result, or the first n of the queue. */
void lmdb_count(const struct lmdb *lmdb, enum store_op op, unsigned result, size_t n);
void lmdb_count_first(const struct lmdb *lmdb, unsigned result, size_t n);

#endif
