/* SPDX-License-Identifier: ISC */
/* One thread's handle of a store in Redis. For store_redis.c, redis_lease.c, redis_news.c and
 * redis_walk.c, which are the functions of store.h. */
#ifndef OCSPRELAY_IO_REDIS_PARTS_H
#define OCSPRELAY_IO_REDIS_PARTS_H

#include "base/bytes.h"
#include "base/counters.h"
#include "core/key.h"
#include "io/redis_route.h"

struct redis_handle {
	struct store store; /* first */
	struct redis_common *common;
	struct loop *loop;
	struct redis_route *route;
	struct list operations; /* gets, puts and deletes under way */
	struct list leases;	/* asked for, held, or being given up */
	struct list walks;	/* and purges */
	struct redis_news *news;
};

static inline void redis_count(const struct redis_handle *handle, unsigned op, unsigned result)
{
	counter_add(METRIC_STORE_OPERATIONS, handle->store.slot, op, result, 1);
}

/* What copies may lack for a while; of all keys, if it is empty. */
void redis_note(struct store *store, struct slice key);

/* PREFIX:1:<key text>, or with kind "lease" PREFIX:lease:<key text>; NUL-terminated, *out borrows
 * from dst. ERR_SYNTAX: key is none. */
#define REDIS_KEY_SIZE (64 + 8 + KEY_TEXT_SIZE)
#define REDIS_RECORDS  "1"
#define REDIS_LEASES   "lease"
MUST_CHECK err_t redis_key(const struct redis_handle *handle, const char *kind, struct slice key,
			   char dst[REDIS_KEY_SIZE], struct slice *out);

/* redis_lease.c */
err_t redis_lease(struct store *store, struct slice key, const struct store_lease_ops *ops,
		  struct store_lease **out_lease);
void redis_release(struct store_lease *lease);
void redis_leases_fini(struct redis_handle *handle);

/* redis_news.c */
err_t redis_publish(struct store *store, struct slice message);
err_t redis_subscribe(struct store *store, store_news_fn *fn, void *arg);
void redis_news_free(struct redis_news *news);

/* For how long we have been listening without a break. NULL is fine: 0. */
int64_t redis_news_ms(const struct redis_news *news);

/* redis_walk.c */
err_t redis_walk(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		 struct store_walk **out_walk);
err_t redis_purge(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		  struct store_walk **out_walk);
void redis_walk_pause(struct store_walk *walk);
void redis_walk_resume(struct store_walk *walk);
void redis_walk_cancel(struct store_walk *walk);
void redis_walks_fini(struct redis_handle *handle);

#endif
