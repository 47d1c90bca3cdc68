/* SPDX-License-Identifier: ISC */
/*
 * The main thread's desk: its own handles of the stores, the rules of the last reload, and the
 * batches under way. What operators have done to what is kept is done from here.
 */
#ifndef OCSPRELAY_RELAY_DESK_H
#define OCSPRELAY_RELAY_DESK_H

#include "relay/common.h"
#include "relay/rules.h"
#include "relay/selection.h"

struct desk {
	const struct common *common;
	struct loop *loop;
	struct rules *rules;   /* one reference */
	struct store **stores; /* common->n_stores */
	struct list batches;
};

/* After the stores have been opened. NULL without memory. A reference of rules is taken. */
struct desk *desk_new(const struct common *common, struct loop *loop, struct rules *rules);

/* After a reload. */
void desk_set_rules(struct desk *desk, struct rules *rules);

/* Tells the other relays behind the stores that are shared what has been purged. */
void desk_announce_purge(struct desk *desk, const struct selection *selection);

/* After the back threads have ended, before the stores are closed. NULL is fine. */
void desk_free(struct desk *desk);

#endif
