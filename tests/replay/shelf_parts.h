/* SPDX-License-Identifier: ISC */
/* What the two halves of the stores' stand-in share: records (shelf.c) and the fleet
 * (shelf_fleet.c). */
#ifndef OCSPRELAY_TESTS_REPLAY_SHELF_PARTS_H
#define OCSPRELAY_TESTS_REPLAY_SHELF_PARTS_H

#include "base/list.h"
#include "shelf.h"

#define N_CHAINS 4096
#define MS_REDIS 1 /* for what is asked of it */

struct row {
	struct list link;
	struct slice key, record;
	int64_t hard_expiry, ms_until; /* ms_until: as Redis counts */
};

struct shelf {
	char name[24], url[48];
	bool is_shared, is_down, hangs, has_failed, loses_news;
	struct list rows[N_CHAINS];
	size_t n_rows;
	struct list leases; /* asked for, held, or left to lapse by who had them */
	struct list handles;
};

struct store_shared {
	struct shelf *shelf;
};

struct store {
	struct list link; /* in handles */
	struct shelf *shelf;
	struct loop *loop;
	struct slice given; /* to the last caller of store_get */
	struct list reads;
	store_news_fn *on_news;
	void *arg;
	struct list hearings;
};

struct hearing { /* news on its way to one relay */
	struct list link;
	struct store *store;
	struct timer *timer;
	enum store_news what;
	struct slice message;
};

struct store_lease {
	struct list link;
	struct store *store;
	struct slice key;
	struct store_lease_ops ops;
	struct timer *turn; /* not answered yet */
	int64_t ms_until;   /* held until then; 0: not held */
};

struct store_read {
	struct list link;
	struct store *store;
	struct slice key;
	store_read_fn *fn;
	void *arg;
	struct timer *turn;
};

extern bool shelf_is_ignoring; /* see shelf_ignore */

/* To all relays that listen. */
void shelf_tell_all(struct shelf *shelf, enum store_news what, struct slice message);

void shelf_end_hearings(struct store *store);
void shelf_end_leases(struct shelf *shelf); /* of relays that are gone */

#endif
