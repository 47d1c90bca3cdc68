/* SPDX-License-Identifier: ISC */
/*
 * What a reload changes, as one immutable object: settings, issuers, networks. Every thread holds
 * one reference and swaps it when told; asks under way keep the issuers that they began with.
 */
#ifndef OCSPRELAY_RELAY_RULES_H
#define OCSPRELAY_RELAY_RULES_H

#include <stdatomic.h>

#include "io/networks.h"
#include "settings.h"
#include "state/issuers.h"

struct rules {
	atomic_uint n_refs;
	const struct settings *settings; /* the main thread's; outlives the threads' references */
	struct issuers *issuers;
	struct networks *allow;
};

/* One reference; takes one of issuers. NULL without memory. settings->top.allow has been checked.
 */
struct rules *rules_new(const struct settings *settings, struct issuers *issuers);
struct rules *rules_ref(struct rules *rules);
void rules_unref(struct rules *rules); /* NULL is fine */

#endif
