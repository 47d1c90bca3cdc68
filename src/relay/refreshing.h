/* SPDX-License-Identifier: ISC */
/*
 * A refreshing: what is selected and in memory is fetched now, each key once, some at a time, what
 * expires first at first. It does not wait for those who fetch for clients: it takes its place
 * behind them at the gate of each issuer. Main thread only.
 */
#ifndef OCSPRELAY_RELAY_REFRESHING_H
#define OCSPRELAY_RELAY_REFRESHING_H

#include "relay/desk.h"
#include "relay/selection.h"

struct refreshing;

struct refreshing_count {
	size_t n_all, n_fetched, n_failed;
};

struct refreshing_ops {
	void (*failed)(void *arg, const struct cache_key *key, err_t err);
	void (*done)(void *arg, const struct refreshing_count *count);
	void *arg;
};

/* NULL without memory. After done it is void. */
struct refreshing *refreshing_start(struct desk *desk, const struct selection *selection,
				    const struct refreshing_ops *ops);

struct refreshing_count refreshing_count(const struct refreshing *refreshing);

/* Nothing of ops is called any more; fetches under way go on. NULL is fine. */
void refreshing_cancel(struct refreshing *refreshing);

#endif
