/* SPDX-License-Identifier: ISC */
/*
 * The responders behind the relay on the stage (stage.h). One that is silent for ms_attempt gives
 * ERR_UP_TIMEOUT by itself. What they lend is freed when the contract says so, so that an address
 * sanitizer sees whoever keeps it.
 */
#ifndef OCSPRELAY_TESTS_STAGE_UPSTREAM_H
#define OCSPRELAY_TESTS_STAGE_UPSTREAM_H

#include "io/upstream.h"

struct stage_request { /* what was asked of one */
	char *url, *proxy;
	struct slice der;
	bool post, no_cache;
	char etag[96]; /* that made it conditional, or "" */
	int64_t ms_started, ms_connect, ms_attempt;
	struct transfer *transfer; /* NULL: answered, or cancelled */
	bool is_cancelled;
};

extern struct stage_upstream {
	struct stage_request *requests; /* all that ever were */
	size_t n_requests, n_pending;
	void (*responder)(size_t i); /* called in a later turn after each request; may be NULL */
} stage_upstream;

/* The answer to the i-th request, which is pending. */
void stage_answer(size_t i, const struct upstream_answer *answer);
void stage_answer_ok(size_t i, struct slice body); /* HTTP 200 */
void stage_answer_http(size_t i, unsigned status); /* refused with this status */

#endif
