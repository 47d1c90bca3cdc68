/* SPDX-License-Identifier: ISC */
/* What a kind of store provides. store.h is its contract, function by function; store.c picks the
 * kind by the scheme of the URL. */
#ifndef OCSPRELAY_IO_STORE_KIND_H
#define OCSPRELAY_IO_STORE_KIND_H

#include "io/store.h"

struct store_kind {
	const char *scheme; /* with its colon: "lmdb:" */
	const char *name;   /* store_name */

	/* rest is what follows the scheme. */
	err_t (*check)(const char *rest);
	struct store_shared *(*open)(const char *rest);
	void (*close)(struct store_shared *shared);
	bool (*is_up)(const struct store_shared *shared);

	struct store *(*attach)(struct store_shared *shared, struct loop *loop);
	void (*detach)(struct store *store);
	err_t (*get)(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		     struct slice *out_record, struct store_read **out_read);
	void (*cancel)(struct store_read *read);
	void (*put)(struct store *store, struct slice key, struct slice record,
		    int64_t hard_expiry);
	void (*delete)(struct store *store, struct slice key);
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

extern const struct store_kind store_kind_lmdb;

#endif
