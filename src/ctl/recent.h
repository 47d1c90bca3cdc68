/* SPDX-License-Identifier: ISC */
/*
 * The last notable events, from notice up, whatever the log's level: for who looks at the relay and
 * has no log at hand. They come by a tap beside the log's sink, so there is in them what may be in
 * a log line of that level (rule SL-15), and nothing else. What the log would fold is one event
 * with a count, as long as it comes again within ten minutes.
 *
 * Bounded: 128 events of at most 2 KiB of fields. Any thread; own mutex, held for a look through
 * the list.
 */
#ifndef OCSPRELAY_CTL_RECENT_H
#define OCSPRELAY_CTL_RECENT_H

#include "base/buf.h"
#include "base/log.h"

#define RECENT_MAX	  128
#define RECENT_FIELDS_MAX 2048 /* octets of JSON; fields that do not fit are left out */
#define RECENT_VALUE_MAX  256  /* octets of a value; the rest is cut */
#define RECENT_AGAIN	  600  /* seconds */

struct recent;

/* Hears of events from now on: before the threads start. NULL without memory. */
struct recent *recent_new(void);
void recent_free(struct recent *recent); /* after the threads have ended; NULL is fine */

/* What the tap does, at this time of the wall clock. Without memory the event is not kept. */
void recent_add(struct recent *recent, enum log_event event, const struct log_field *fields,
		int64_t now);

/* Appends {"events":[{"first":TIME,"last":TIME,"count":1,"level":"notice","event":"ready",
 * "text":"serving","fields":{"issuers":2}}]}: what came last comes first. */
void recent_json(struct recent *recent, struct buf *out);

#endif
