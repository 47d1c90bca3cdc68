/* SPDX-License-Identifier: ISC */
/* What a kind of store provides. store.h is its contract, function by function; store.c picks the
 * kind by the scheme of the URL. */
#ifndef OCSPRELAY_IO_STORE_KIND_H
#define OCSPRELAY_IO_STORE_KIND_H

#include "io/store.h"

struct store_kind {
	const char *name; /* store_name */

	const char *(*check)(const char *url);
	struct store_shared *(*open)(const char *url, const struct store_opts *opts);
	void (*close)(struct store_shared *shared);
	/* or NULL */
	void (*set_password)(struct store_shared *shared, enum store_secret which,
			     const char *password);
	bool (*is_up)(const struct store_shared *shared);

	struct store *(*attach)(struct store_shared *shared, struct loop *loop);
	void (*detach)(struct store *store);
	err_t (*get)(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		     struct slice *out_record, struct store_read **out_read);
	void (*cancel)(struct store_read *read);

	/* All NULL where there are no copies. */
	err_t (*get_copy)(struct store *store, struct slice key, store_read_fn *fn, void *arg,
			  struct slice *out_record, struct store_read **out_read);
	bool (*has_copies)(const struct store *store);
	void (*note)(struct store *store, struct slice key);
	bool (*may_have_copies)(const char *url);

	void (*put)(struct store *store, struct slice key, struct slice record,
		    int64_t hard_expiry);
	void (*delete)(struct store *store, struct slice key);

	err_t (*walk)(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		      struct store_walk **out_walk);
	err_t (*purge)(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		       struct store_walk **out_walk);
	void (*walk_pause)(struct store_walk *walk);
	void (*walk_resume)(struct store_walk *walk);
	void (*walk_cancel)(struct store_walk *walk);

	/* All NULL where nobody else uses the store. */
	err_t (*lease)(struct store *store, struct slice key, const struct store_lease_ops *ops,
		       struct store_lease **out_lease);
	void (*release)(struct store_lease *lease);
	err_t (*publish)(struct store *store, struct slice message);
	err_t (*subscribe)(struct store *store, store_news_fn *fn, void *arg);
};

/* First members of each kind's own structs. */
struct store_shared {
	const struct store_kind *kind;
	unsigned slot; /* of METRIC_STORE_xxx */
};

struct store {
	const struct store_kind *kind;
	unsigned slot;
};

struct store_read {
	const struct store_kind *kind;
};

struct store_walk {
	const struct store_kind *kind;
};

struct store_lease {
	const struct store_kind *kind;
};

extern const struct store_kind store_kind_lmdb, store_kind_redis;

#endif
