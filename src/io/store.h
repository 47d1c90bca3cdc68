/* SPDX-License-Identifier: ISC */
/*
 * A store: records by key behind the memory cache, kept where a restart does not lose them. What it
 * gives is untrusted: the caller verifies it (rule VS-24). A store that fails logs once, counts,
 * and tries again by itself; the relay goes on without it. A store on disk is the relay's alone:
 * its file must not be changed or cut short by others while it is open.
 *
 * store_open makes what all threads share (the LMDB environment and its writer thread);
 * store_attach makes one thread's handle, used by that thread only.
 */
#ifndef OCSPRELAY_IO_STORE_H
#define OCSPRELAY_IO_STORE_H

#include "err.h"
#include "io/loop.h"
#include "types.h"

struct store_shared;
struct store;
struct store_read;

/* OK or ERR_SYNTAX for the words of the configuration: "lmdb:/absolute/directory". Opens nothing.
 */
MUST_CHECK err_t store_check(const char *url);

/* Opens the store that url, which passes store_check, names, making its directory if its parent
 * exists. Never NULL for an outside fault: a store that cannot be opened is logged (STORE_FAILED)
 * and tried again later. NULL without memory. */
struct store_shared *store_open(const char *url);

/* Writes what is queued and closes; after all handles are detached. Waits for the disk. */
void store_close(struct store_shared *shared);

struct store *store_attach(struct store_shared *shared,
			   struct loop *loop); /* NULL without memory */
void store_detach(struct store *store);	       /* cancels reads under way */

/* "disk": the detail of Cache-Status (rule HS-24). And the counters' slot of its tier. */
const char *store_name(const struct store *store);
unsigned store_slot(const struct store *store);

typedef void store_read_fn(void *arg, err_t err, struct slice record);

/*
 * Looks key up. OK: *out_record holds the record, borrowed until the next call with this store.
 * ERR_NOT_FOUND, for expired ones too; ERR_STORE_FAULT. ERR_AGAIN: fn is called once, later, with
 * one of these results, unless store_cancel(*out_read) comes first.
 */
MUST_CHECK err_t store_get(struct store *store, struct slice key, store_read_fn *fn, void *arg,
			   struct slice *out_record, struct store_read **out_read);
void store_cancel(struct store_read *read); /* NULL is fine */

/*
 * Queues a write or removal: returns at once; key and record are copied. Expired records are
 * removed by the store itself some time after hard_expiry. A queue that is full drops the write
 * (counted).
 *
 * What was queued may be missed by store_get until it is committed; the memory cache has it. A put
 * is counted as ok (METRIC_STORE_OPERATIONS) when it survives the process.
 */
void store_put(struct store *store, struct slice key, struct slice record, int64_t hard_expiry);
void store_delete(struct store *store, struct slice key);

/* False while the store is failing. Any thread. */
bool store_is_up(const struct store_shared *shared);

#endif
