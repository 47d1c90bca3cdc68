/* SPDX-License-Identifier: ISC */
/*
 * A store: records by key behind the memory cache, kept where a restart does not lose them. What it
 * gives is untrusted: the caller verifies it (rule VS-24). A store that fails logs once, counts,
 * and tries again by itself; the relay goes on without it. A store on disk is the relay's alone:
 * its file must not be changed or cut short by others while it is open. A store in Redis is shared
 * by a fleet of relays, who can tell each other something through it: see the part on the fleet.
 *
 * store_open makes what all threads share (the LMDB environment and its writer thread; the address
 * of Redis and what is known of its health); store_attach makes one thread's handle, used by that
 * thread only, with its own connections on that thread's loop.
 *
 * No callback is ever called from inside the function that it was given to, nor from inside its
 * cancelling one. Callbacks may call every function here but store_detach and store_close.
 */
#ifndef OCSPRELAY_IO_STORE_H
#define OCSPRELAY_IO_STORE_H

#include "err.h"
#include "io/loop.h"
#include "types.h"

struct store_shared;
struct store;
struct store_read;

/* NULL for a good word of the configuration, "lmdb:/absolute/directory" or one of Redis
 * (io/redis_url.h); else what is allowed where it is wrong, as text for people. Opens nothing. */
const char *store_check(const char *url);

/* For the kinds that ask a server. All texts are borrowed until store_open returns. */
struct store_opts {
	int64_t ms_timeout;	       /* of a look-up */
	const char *password;	       /* NULL or "": none */
	const char *sentinel_user;     /* NULL or "": the default one */
	const char *sentinel_password; /* NULL or "": none */
	const char *prefix;	       /* of all keys and channels */
	size_t max_record;	       /* octets; a longer one is a fault of the server's */
	bool has_copies;	       /* store_get_copy asks replicas, where it can */
};

enum store_secret {
	STORE_PASSWORD,
	STORE_SENTINEL_PASSWORD,
	N_STORE_SECRETS
};

/* Opens the store that url, which passes store_check, names; a directory is made if its parent
 * exists. Never NULL for an outside fault: a store that cannot be opened is logged (STORE_FAILED)
 * and tried again later. NULL without memory. */
struct store_shared *store_open(const char *url, const struct store_opts *opts);

/* For the connections to come; copied. Nothing for the kinds without one. Any thread. */
void store_set_password(struct store_shared *shared, enum store_secret which, const char *password);

/* Writes what is queued and closes; after all handles are detached. Waits for the disk. */
void store_close(struct store_shared *shared);

struct store *store_attach(struct store_shared *shared,
			   struct loop *loop); /* NULL without memory */
void store_detach(struct store *store);	       /* cancels reads under way */

/* "disk" or "redis": the detail of Cache-Status (rule HS-24). And the counters' slot of its tier.
 */
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
 * The same, where a copy of the store may be asked, which may be a moment behind: it has what was
 * written more than a few seconds ago, and what it lacks the store itself is asked for. Nor is it
 * asked for a key that was written here in these seconds, or of which store_note was told. A store
 * that has no copies, or does not hear news (store_subscribe) for long enough, is asked itself.
 */
MUST_CHECK err_t store_get_copy(struct store *store, struct slice key, store_read_fn *fn, void *arg,
				struct slice *out_record, struct store_read **out_read);

/* Whether it may have copies: else store_get_copy is store_get. */
bool store_has_copies(const struct store *store);

/* Others say that key has been written, or removed, just now; empty: any key may have been. */
void store_note(struct store *store, struct slice key);

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

/*
 * All records, some at a time, so that nothing else on the loop waits; in no order. What is put or
 * removed meanwhile may or may not be seen, and in Redis a record may come twice.
 */
struct store_walk;

struct store_walk_ops {
	/* One record; key and record are borrowed until it returns. May cancel or pause the walk:
	 * no further record comes then. */
	void (*see)(void *arg, struct slice key, struct slice record);
	/* The end, once: OK, or ERR_STORE_FAULT when some have been left out; n were seen or, by
	 * store_purge, removed. The walk is void. */
	void (*done)(void *arg, err_t err, uint64_t n);
	void *arg;
};

/* Records of all keys that begin with prefix: an issuer-id (ISSUER_ID_LEN octets) or nothing, else
 * ERR_SYNTAX; ERR_NO_MEMORY; ERR_STORE_FAULT: the store is down. Only with OK is done called. */
MUST_CHECK err_t store_walk(struct store *store, struct slice prefix,
			    const struct store_walk_ops *ops, struct store_walk **out_walk);

/* The same, but removes, and waits until it is done: what was put before is gone then. ops->see is
 * not used. */
MUST_CHECK err_t store_purge(struct store *store, struct slice prefix,
			     const struct store_walk_ops *ops, struct store_walk **out_walk);

void store_walk_pause(struct store_walk *walk); /* not of a purge */
void store_walk_resume(struct store_walk *walk);

/* Neither see nor done is called any more; a purge goes on. store_detach does it, too. NULL is
 * fine. */
void store_walk_cancel(struct store_walk *walk);

/* Whether replicas of a store of this URL, which passes store_check, can be read. */
bool store_may_have_copies(const char *url);

/* --- the fleet: for stores that several relays share -------------------------------------------
 */

/* Whether stores of this URL, which passes store_check, are shared. */
bool store_may_be_shared(const char *url);

/* Whether there are others. Where there are none, the functions below give ERR_STORE_ALONE. */
bool store_is_shared(const struct store *store);

/*
 * The lease of a key: who has it does the work, the others wait for news of it. ERR_AGAIN: fn is
 * called once, within the time of a look-up. OK: it is ours until store_release is called; it ends
 * by itself when the store has not heard of us for ms. Else *out_lease is void afterwards:
 * ERR_BUSY: another one's. ERR_STORE_FAULT (also at once): nobody knows.
 */
struct store_lease;
typedef void store_lease_fn(void *arg, err_t err);

struct store_lease_ops {
	store_lease_fn *fn;
	void *arg;
	int64_t ms;
};

MUST_CHECK err_t store_lease(struct store *store, struct slice key,
			     const struct store_lease_ops *ops, struct store_lease **out_lease);

/* Gives up what was asked for, or is held: fn is not called any more. Each lease that was not void
 * is released, late or not, but not after store_detach, which forgets them all: Redis lets them
 * lapse. NULL is fine. */
void store_release(struct store_lease *lease);

/* Tells all other relays, and this one; best effort. At most STORE_NEWS_MAX octets, else
 * ERR_TOO_LONG. ERR_STORE_FAULT: the store is down, nobody hears it. */
#define STORE_NEWS_MAX 4096
MUST_CHECK err_t store_publish(struct store *store, struct slice message);

enum store_news {
	STORE_NEWS_MESSAGE, /* somebody said message, which is untrusted; our own come back, too */
	STORE_NEWS_BACK,    /* from now on we listen; what was said before may have been missed */
	STORE_NEWS_LOST	    /* we do not, until STORE_NEWS_BACK */
};

typedef void store_news_fn(void *arg, enum store_news what, struct slice message);

/* Listens, by a connection of its own, until store_detach. Once per handle. fn is called at first
 * with STORE_NEWS_BACK, as soon as there is a connection. ERR_NO_MEMORY. */
MUST_CHECK err_t store_subscribe(struct store *store, store_news_fn *fn, void *arg);

#endif
