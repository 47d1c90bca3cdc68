/* SPDX-License-Identifier: ISC */
/*
 * The other relays behind the same store: what this back thread tells them, and what it does when
 * they tell something. News is hearsay: what it names is looked for in the store and verified like
 * everything that comes from there.
 */
#ifndef OCSPRELAY_RELAY_FLEET_H
#define OCSPRELAY_RELAY_FLEET_H

#include "state/entry.h"

struct back;
struct fleet;

/* Listens, if one of back's stores is shared. NULL without memory. */
struct fleet *fleet_new(struct back *back);
void fleet_free(struct fleet *fleet); /* NULL is fine */

/* Whether there may have been news of something that was fetched then, and we did not listen. */
bool fleet_may_have_missed(const struct fleet *fleet, int64_t fetched_at);

/* Tells the others that the shared store has this now. */
void fleet_tell(struct fleet *fleet, const struct entry *entry);

#endif
