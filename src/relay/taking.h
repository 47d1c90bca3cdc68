/* SPDX-License-Identifier: ISC */
/*
 * Taking what another relay has stored: a response on its way from the stores into memory, and into
 * our own stores, if it is newer than what is there. Nothing is fetched. Back threads only.
 */
#ifndef OCSPRELAY_RELAY_TAKING_H
#define OCSPRELAY_RELAY_TAKING_H

#include "core/key.h"
#include "types.h"

struct back;
struct takings;

struct takings *takings_new(struct back *back); /* NULL without memory */
void takings_free(struct takings *takings);	/* NULL is fine */

struct taking_opts {
	const struct cache_key *key;
	uint64_t hash;
	/* As announced: it is waited for a moment, since news may be faster than a record. Both 0:
	 * whatever is there now. */
	int64_t this_update, produced_at;
	int64_t ms; /* from now on: until then somebody else may have it */
};

/* Best effort: what is not taken is found at the next refresh. */
void taking_start(struct takings *takings, const struct taking_opts *opts);

/* Whether there is room for many more. */
bool takings_are_few(const struct takings *takings);

#endif
