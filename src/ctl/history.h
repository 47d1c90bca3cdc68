/* SPDX-License-Identifier: ISC */
/*
 * The last day in memory: each minute how many requests were hits, misses and errors and how long
 * they took, as differences of the counters that /metrics shows; and, of each responder, how long
 * it took to answer in about the last hour. For people who look before anybody has set up a
 * monitoring; it is lost with the process.
 *
 * Bounded: 1440 samples of 40 octets (56 KiB), and two readings of 120 octets for each of at most
 * 4096 pairs of issuer and responder (below 1 MiB; 240 octets for one pair). Main thread.
 */
#ifndef OCSPRELAY_CTL_HISTORY_H
#define OCSPRELAY_CTL_HISTORY_H

#include "base/buf.h"
#include "base/counters.h"
#include "io/loop.h"

#define HISTORY_MS	60000 /* between two samples */
#define HISTORY_SAMPLES 1440

struct history;

/* Counts from now on, and takes a sample each minute on a timer of the loop. NULL without memory.
 */
struct history *history_new(struct loop *loop);
void history_free(struct history *history); /* NULL is fine */

/* What the timer does, at this time of the wall clock. */
void history_take(struct history *history, int64_t now);

/* Appends {"columns":[...],"samples":[[...],...],"current":[...]}: oldest first; the current one is
 * what has been since the last, up to now. Columns: time (its end, in seconds since 1970), seconds
 * (how long it is), hits, misses, errors, and microseconds: hit_p50, hit_p99, miss_p50, miss_p99
 * (0 where there was none). */
void history_json(const struct history *history, int64_t now, struct buf *out);

/* What a responder's slot has taken to answer in the last 30 to 60 minutes, or since the start. */
void history_upstream(const struct history *history, unsigned slot, struct histogram *out);

#endif
