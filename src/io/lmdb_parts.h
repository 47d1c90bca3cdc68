/* SPDX-License-Identifier: ISC */
/* What the store on the local disk is made of. For store_lmdb.c and lmdb_walk.c. */
#ifndef OCSPRELAY_IO_LMDB_PARTS_H
#define OCSPRELAY_IO_LMDB_PARTS_H

#include <semaphore.h>
#include <stdatomic.h>

#include "io/lmdb_env.h"
#include "io/mailbox.h"
#include "io/store_kind.h"
#include "io/store_lmdb.h"
#include "io/store_queue.h"

struct lmdb {
	struct store_shared shared; /* first */
	char *directory;	    /* owned */
	struct store_lmdb_opts opts;
	struct store_queue queue;
	pthread_t writer;
	sem_t has_tried; /* posted when the writer has opened the store, or has failed to */
	atomic_bool is_up;

	/* Used under the read lock, opened and closed under the write lock. */
	pthread_rwlock_t env_lock;
	struct lmdb_env env;

	struct list handles; /* under env_lock, too */

	pthread_mutex_t purges_lock;
	struct list purges; /* under purges_lock: those whose end somebody wants to hear of */
	uint64_t n_purges;  /* under purges_lock: ever */

	/* The writer's own. */
	bool has_opened, is_failing;
	int failed_rc;	    /* what was logged last */
	int64_t ms_written; /* the end of the last transaction */
};

struct lmdb_handle {
	struct store store; /* first */
	struct lmdb *lmdb;
	struct loop *loop;
	struct list link;
	struct list walks;	   /* and purges: the handle's thread only */
	struct mailbox *ends;	   /* of purges; NULL before the first */
	struct lmdb_reader reader; /* of the handle's thread; ended by the writer, too */
};

#endif
