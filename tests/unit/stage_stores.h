/* SPDX-License-Identifier: ISC */
/*
 * The stores behind the relay on the stage (stage.h). What they lend is freed when the contract
 * says so, so that an address sanitizer sees whoever keeps it.
 */
#ifndef OCSPRELAY_TESTS_STAGE_STORES_H
#define OCSPRELAY_TESTS_STAGE_STORES_H

#include "io/store.h"

extern struct stage_stores {
	unsigned n_gets, n_puts, n_deletes; /* of all stores */
	bool is_slow;			    /* store_get answers in a later turn of the loop, */
	int64_t ms;			    /* after this time */
	err_t err;			    /* with this, if it is not OK */
	unsigned n_published, n_leases;	    /* what other relays were told; leases asked for */
	char published[512];		    /* the last of it */
	struct slice copy;		    /* what copies give, if it is not empty; borrowed */
	unsigned n_copies, n_notes;	    /* of n_gets those that were asked; store_note */
} stage_stores;

/* The record under key; empty: there is none. */
struct slice stage_record(const struct store_shared *shared, struct slice key);

/* Other relays, at a store that was opened as "redis:": one of them has this key's lease (empty:
 * has it no more), and says something, which arrives in a later turn. */
void stage_lease_elsewhere(struct store_shared *shared, struct slice key);
void stage_say(struct store_shared *shared, struct slice message);
void stage_listen(struct store_shared *shared, bool is_heard); /* what they say */
void stage_drop(struct store_shared *shared);		       /* has nothing any more */
bool stage_is_leased(const struct store_shared *shared, struct slice key); /* by us */

#endif
