/* SPDX-License-Identifier: ISC */
/* Walks and purges of the store on the local disk. For store_lmdb.c. */
#ifndef OCSPRELAY_IO_LMDB_WALK_H
#define OCSPRELAY_IO_LMDB_WALK_H

#include "io/lmdb_parts.h"

/* As store.h says of store_walk and so on. */
err_t lmdb_walk(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		struct store_walk **out_walk);
err_t lmdb_purge(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		 struct store_walk **out_walk);
void lmdb_walk_pause(struct store_walk *walk);
void lmdb_walk_resume(struct store_walk *walk);
void lmdb_walk_cancel(struct store_walk *walk);

/* Cancels all of a handle's walks, for ever. */
void lmdb_walks_fini(struct lmdb_handle *handle);

/* The writer only, env being open: does the purge that has arrived in the queue, in transactions of
 * a bounded size. */
int lmdb_purge_now(struct lmdb *lmdb, const struct store_write *write);

/* The writer only: it did not come to that. */
void lmdb_purge_fail(struct lmdb *lmdb, const struct store_write *write);

#endif
