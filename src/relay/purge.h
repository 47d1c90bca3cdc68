/* SPDX-License-Identifier: ISC */
/*
 * A purge: what is selected is taken out of memory, of the failures that are remembered, and of the
 * stores. What a flight brings while it runs stays: that is newer. On the main thread for
 * operators, on a back thread when another relay tells of its purge, with that thread's handles of
 * the stores.
 */
#ifndef OCSPRELAY_RELAY_PURGE_H
#define OCSPRELAY_RELAY_PURGE_H

#include "relay/common.h"
#include "relay/selection.h"

struct purge;

struct purge_opts {
	const struct common *common;
	struct loop *loop;
	struct store **stores; /* the thread's own handles, common->n_stores */
	const struct issuers *issuers;
	bool spare_shared; /* stores that others use, too: who announced the purge does those */
};

struct purge_store {
	err_t err;	/* OK; ERR_STORE_FAULT: something may still be there */
	bool is_spared; /* by spare_shared */
	uint64_t n;	/* removed; 0 when a serial was selected: those are not counted */
};

struct purge_result {
	uint64_t n_entries;		  /* in memory */
	uint64_t n_failures;		  /* remembered */
	const struct purge_store *stores; /* common->n_stores */
};

typedef void purge_fn(void *arg, const struct purge_result *result);

/* Starts at once; fn is called when the stores are through, after which the purge is void. NULL
 * without memory: nothing was purged. The selection is copied, issuers are borrowed until it
 * returns. */
struct purge *purge_start(const struct purge_opts *opts, const struct selection *selection,
			  purge_fn *fn, void *arg);

/* fn is not called any more; what has begun goes on. Before the stores are detached. NULL is fine.
 */
void purge_cancel(struct purge *purge);

#endif
