/* SPDX-License-Identifier: ISC */
/*
 * A fetching: each of many keys is asked for once, some at a time, for operators. Either anew,
 * whatever is there (refresh), or only if it is not there (warm). It does not wait for those who
 * fetch for clients: it takes its place behind them at the gate of each issuer. Main thread only.
 */
#ifndef OCSPRELAY_RELAY_FETCHING_H
#define OCSPRELAY_RELAY_FETCHING_H

#include "relay/desk.h"
#include "relay/selection.h"

struct fetching;

struct fetching_count {
	size_t n_all;
	size_t n_there; /* in memory or a store already; never of a refresh */
	size_t n_fetched, n_failed;
};

struct fetching_ops {
	/* i: how many keys stood before this one. */
	void (*failed)(void *arg, size_t i, const struct cache_key *key, err_t err);
	void (*done)(void *arg, const struct fetching_count *count);
	void *arg;
};

/* What is selected and in memory is fetched now, first what expires first. NULL without memory.
 * After done it is void. */
struct fetching *fetching_refresh(struct desk *desk, const struct selection *selection,
				  const struct fetching_ops *ops);

/* Of n keys, which are copied, what neither memory nor a store has is fetched. NULL without memory.
 * After done it is void. */
struct fetching *fetching_warm(struct desk *desk, const struct cache_key *keys, size_t n,
			       const struct fetching_ops *ops);

struct fetching_count fetching_count(const struct fetching *fetching);

/* Nothing of ops is called any more; fetches under way go on. NULL is fine. */
void fetching_cancel(struct fetching *fetching);

#endif
