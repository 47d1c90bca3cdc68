/* SPDX-License-Identifier: ISC */
/* Queued writes as a transaction of LMDB. */
#ifndef OCSPRELAY_IO_LMDB_BATCH_H
#define OCSPRELAY_IO_LMDB_BATCH_H

#include "io/lmdb_env.h"
#include "io/store_queue.h"

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
int lmdb_batch_write(const struct lmdb_env *env, struct lmdb_batch *batch, size_t max_expired);

#endif
