/* SPDX-License-Identifier: ISC */
/*
 * The runway of each issuer: if its responders vanished now, when would the first, the median and
 * the last of the answers in use run out? In use is what clients have asked for since it came, and
 * what is watched. Main thread only, with a timer of its own, which also warns,
 * once in each outage, real or rehearsed, when the first is nearer than the issuer's
 * runway_warning.
 *
 * It is found by looking at the whole cache, which costs nothing while nobody asks and no issuer is
 * in trouble, and takes nothing from each entry: an incremental count would take octets of each
 * (P5) and work on hits. A look at 1,000,000 entries was measured to take 75 ms of the main
 * thread's core, 0.3 ms of them under the mutex of each of the 256 shards, which is how long a hit
 * may have to wait. It is done at most every five seconds and for at most a hundredth of the time;
 * in between the last result grows older by itself.
 */
#ifndef OCSPRELAY_RELAY_RUNWAYS_H
#define OCSPRELAY_RELAY_RUNWAYS_H

#include "relay/common.h"
#include "relay/rules.h"
#include "state/runway.h"
#include "state/soonest.h"

struct runways;

/* One reference of rules is taken. NULL without memory. */
struct runways *runways_new(const struct common *common, struct loop *loop, struct rules *rules);
void runways_free(struct runways *runways); /* NULL is fine */

/* After a reload. */
void runways_set_rules(struct runways *runways, struct rules *rules);

/* Of one issuer, from now. */
struct runway_of runways_get(struct runways *runways, const struct issuer *issuer);

/* How many in memory have expired, as the same looks find it, and wait to be replaced. */
uint64_t runways_expired(struct runways *runways);

/* Of all that memory has, in use or not, what expires first, as the same looks find it: some of it
 * may have expired, or been replaced, since. Borrowed until the next call of either. */
const struct soonest *runways_soonest(struct runways *runways);

#endif
