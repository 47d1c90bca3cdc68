/* SPDX-License-Identifier: ISC */
/*
 * An importing: the records of a bundle, each judged and kept on the back thread of its key as if
 * it had just been fetched. What cannot be read or is not believed is told, one by one. Main thread
 * only.
 */
#ifndef OCSPRELAY_RELAY_IMPORTING_H
#define OCSPRELAY_RELAY_IMPORTING_H

#include "relay/desk.h"

struct importing;

struct importing_count {
	size_t n_kept;
	size_t n_older; /* good, but newer ones are here */
	size_t n_refused;
};

struct importing_ops {
	/* key: what the bundle says, NULL where that is none. ERR_SYNTAX: damaged, so there may
	 * have been more than one. */
	void (*refused)(void *arg, const struct cache_key *key, err_t err);
	void (*done)(void *arg, const struct importing_count *count);
	void *arg;
};

/* A whole bundle, copied. ERR_SYNTAX, ERR_RECORD_VERSION: it does not begin as one;
 * ERR_NO_MEMORY. After done it is void. */
MUST_CHECK err_t importing_start(struct desk *desk, struct slice bundle,
				 const struct importing_ops *ops, struct importing **out);

/* Nothing of ops is called any more; what is on its way arrives. NULL is fine. */
void importing_cancel(struct importing *importing);

#endif
