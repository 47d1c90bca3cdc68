/* SPDX-License-Identifier: ISC */
/*
 * What is remembered of each responder, by URL, shared by all its issuers and all back threads:
 * whether it works, that it wants POST, that it does not do nonces, until when it asked to be left
 * alone. URLs are those of the configuration, so they are few and never forgotten. Monotonic
 * milliseconds. Any thread; own mutex, miss path only.
 */
#ifndef OCSPRELAY_STATE_RESPONDERS_H
#define OCSPRELAY_STATE_RESPONDERS_H

#include "err.h"
#include "types.h"

struct responders;

struct responders *responders_new(void);	     /* NULL without memory */
void responders_free(struct responders *responders); /* NULL is fine */

struct responder_state {
	bool is_asked;	       /* a request has ended since the start */
	bool is_down;	       /* the last request failed */
	unsigned n_failures;   /* in a row */
	int64_t ms_down_since; /* while is_down: when the first of them failed */
	int64_t ms_was_down;   /* how long the last time took that is over */
	uint64_t mark;	       /* as set last */
	bool wants_post;       /* GET was refused within the last hour (HC-01) */
	bool skips_nonce;      /* answered a nonce without one within the last hour (NO-04) */
	int64_t ms_not_before; /* Retry-After (HC-14), while it lies ahead; 0: none */
};

/* The state at ms_now; all zero for a URL never seen. */
struct responder_state responder_get(struct responders *responders, const char *url,
				     int64_t ms_now);

enum responder_change {
	RESPONDER_SAME,
	RESPONDER_WENT_DOWN,
	RESPONDER_CAME_BACK
};

/* A request ended. Unreachable, HTTP failure, invalid answer, tryLater, internalError count as
 * failure; what the responder may rightly say (also unauthorized) as success. Without memory the
 * report is lost, as are those below. */
enum responder_change responder_report(struct responders *responders, const char *url, bool success,
				       int64_t ms_now);
/* True for one caller, of whatever issuer, in ms_each: it may find out whether this one works
 * again. */
bool responder_take_probe(struct responders *responders, const char *url, int64_t ms_now,
			  int64_t ms_each);
void responder_set_mark(struct responders *responders, const char *url, uint64_t mark);
void responder_set_wants_post(struct responders *responders, const char *url, int64_t ms_now);
void responder_set_skips_nonce(struct responders *responders, const char *url, int64_t ms_now);
/* The caller limits how far ahead this may lie (HC-14: 300 s). */
void responder_set_not_before(struct responders *responders, const char *url, int64_t ms_until);

#endif
