/* SPDX-License-Identifier: ISC */
/*
 * Folding of repeated log events: what happens more than five times a minute with the same issuer,
 * responder, store, reason and so on (log_fold_fields) is counted, and the count told once a
 * minute. What says how somebody is rather than what has happened is written once and its count
 * told once an hour. A table of fixed size; the caller holds its lock. Monotonic milliseconds.
 */
#ifndef OCSPRELAY_CTL_LOG_FOLD_H
#define OCSPRELAY_CTL_LOG_FOLD_H

#include "base/log.h"

#define FOLD_AFTER    5
#define FOLD_MS	      60000
#define FOLD_HABIT_MS 3600000
#define FOLD_SLOTS    128
#define FOLD_FIELDS   6

struct log_fold {
	uint64_t id; /* hash of event and fields; 0: free */
	enum log_event event;
	int64_t ms_start;
	uint64_t n;		       /* since then, written or not */
	char values[FOLD_FIELDS][128]; /* of log_fold_fields, cut; empty: not there */
};

struct log_folds {
	struct log_fold slots[FOLD_SLOTS];
};

extern const char *const log_fold_fields[FOLD_FIELDS];

/* False for events that are written each time. */
bool log_fold_applies(enum log_event event);

/* What events of a fold have in common: hashed; not 0. */
uint64_t log_fold_id(enum log_event event, const struct log_field *fields);

/*
 * Counts an event. True: it is to be written. out_due gets the fold that had to make room or whose
 * minute is over; its n is 0 if there is nothing to tell, else the number of events not written.
 */
bool log_fold_admits(struct log_folds *folds, enum log_event event, const struct log_field *fields,
		     int64_t ms_now, struct log_fold *out_due);

/* True: *out is a fold whose minute is over, with the number of events not written; it starts
 * anew. ms_now = INT64_MAX gives all. */
bool log_fold_due(struct log_folds *folds, int64_t ms_now, struct log_fold *out);

#endif
