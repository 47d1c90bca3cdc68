/* SPDX-License-Identifier: ISC */
/*
 * Refresh ahead: what is in use is fetched again before it ends, without a client that waits for it
 * (CL-06). Each back thread has one, for the keys that are its own. An entry that nobody has asked
 * for since it came is left to run out.
 *
 * The calendar gives what is due to the queue of its issuer. A queue is worked off at a rate that
 * the issuer's responders are known to stand: as many refreshes in a second as fetches may be under
 * way at once, a quarter of those at a time. While no responder of the issuer works, the queue only
 * grows, but for one request now and then that finds out whether one works again (probe); so an
 * outage costs the CA nothing, its end is seen within seconds, and what has piled up follows at the
 * same rate as ever.
 */
#ifndef OCSPRELAY_RELAY_REFRESHER_H
#define OCSPRELAY_RELAY_REFRESHER_H

#include "relay/ask.h"
#include "relay/common.h"

struct back;
struct refresher;

struct refresher *refresher_new(struct back *back); /* NULL without memory */
void refresher_free(struct refresher *refresher);   /* after the flights; NULL is fine */

/* entry is in memory: it will be refreshed when its time has come and if it is in use then. Nothing
 * if that is planned already. Any thread. */
void refresher_plan(const struct common *common, struct entry *entry);

/* A refresh that this refresher asked for has ended, well or not. */
void refresher_end(struct refresher *refresher, const struct ask *ask);

#endif
