/* SPDX-License-Identifier: ISC */
/*
 * The running relay as the floor above sees it: start, reload, drain, look inside. Its front and
 * back threads are its own; every function here is for the main thread.
 */
#ifndef OCSPRELAY_RELAY_RELAY_H
#define OCSPRELAY_RELAY_RELAY_H

#include "err.h"
#include "io/loop.h"
#include "settings.h"
#include "state/cache.h"
#include "state/issuers.h"
#include "state/responders.h"

struct desk;
struct rehearsals;
struct relay;
struct runways;

struct relay_opts {
	struct loop *loop;		 /* the main thread's: relay_drain's callback runs there */
	const struct settings *settings; /* kept until the next reload is through, or relay_free */
	struct issuers *issuers;	 /* a reference is taken */
	struct hash_key hash_key;
};

/* Opens the listening sockets and makes the tables; starts nothing. NULL without memory. */
struct relay *relay_new(const struct relay_opts *opts);

/* Opens the stores and starts the threads; privileges have been dropped by now. ERR_NO_MEMORY,
 * ERR_SYSTEM if a thread cannot be made. */
MUST_CHECK err_t relay_start(struct relay *relay);

/*
 * New issuers, policies, limits and networks for all threads; connections, cache and what is under
 * way stay, but for what was verified under trust that is gone (issuer_has_same_trust): it is
 * forgotten before done is called. The caller frees the old settings only after done was called (on
 * the main loop), and does not reload again before. What needs a restart (listen, threads,
 * back_threads, user, cache, store) is ignored. After relay_start. ERR_NO_MEMORY: nothing changes
 * and done is not called.
 */
MUST_CHECK err_t relay_reload(struct relay *relay, const struct settings *settings,
			      struct issuers *issuers, loop_fn *done, void *arg);

/* Calls done as soon as the loop of every front and back thread has turned; it does nothing while
 * an earlier one of these calls is still waited for. After relay_start. ERR_NO_MEMORY: done is not
 * called. */
MUST_CHECK err_t relay_pulse(struct relay *relay, loop_fn *done, void *arg);

/* Accepts nothing more, lets requests under way end, at most for drain_timeout; then calls done,
 * which may be before this returns when there is nothing to wait for. */
void relay_drain(struct relay *relay, loop_fn *done, void *arg);

/* Stops and joins the threads, writes out the stores, frees all. NULL is fine. */
void relay_free(struct relay *relay);

bool relay_is_draining(const struct relay *relay);
size_t relay_listeners(const struct relay *relay); /* sockets that are open */

struct cache *relay_cache(struct relay *relay);
const struct issuers *relay_issuers(const struct relay *relay); /* of the last reload */
struct responders *relay_responders(struct relay *relay);
size_t relay_negative_count(struct relay *relay);

/* From where operators' work on what is kept is done; after relay_start. */
struct desk *relay_desk(struct relay *relay);

/* After relay_start. */
struct runways *relay_runways(struct relay *relay);
struct rehearsals *relay_rehearsals(struct relay *relay);

/* In trouble: none of its responders works, or that is rehearsed. */
bool relay_is_issuer_down(const struct relay *relay, const struct issuer *issuer);

struct relay_store_status {
	const char *name;
	bool is_up;
};
size_t relay_stores(const struct relay *relay);
struct relay_store_status relay_store(const struct relay *relay, size_t i);

#endif
