/* SPDX-License-Identifier: ISC */
/*
 * A trial: responders are asked as a flight of the relay would ask them, in its order and ways, and
 * their answers are judged as it would judge them. For commands, which wait for it: nothing is
 * kept, and nothing is asked that the configuration does not name.
 */
#ifndef OCSPRELAY_CMD_TRIAL_H
#define OCSPRELAY_CMD_TRIAL_H

#include "core/freshness.h"
#include "io/upstream.h"
#include "relay/ask.h"

struct trial_attempt { /* all of it is borrowed until the callback returns */
	const char *url;
	bool post, no_cache;
	const struct upstream_answer *answer;
	err_t err;			 /* the final judgement on the answer */
	const struct verdict *verdict;	 /* with OK */
	const struct lifetime *lifetime; /* with OK; without the random part of refresh_at */
};

typedef void trial_fn(void *arg, const struct trial_attempt *attempt);

struct trial_opts {
	const struct ask *ask; /* whose issuer has responders */
	size_t max_response;   /* octets */
	size_t first, n; /* of the responders, those that are asked until one's answer is good */
	trial_fn *fn;	 /* called for each attempt */
	void *arg;
};

/* OK: an answer was good; else the failure that tells most. upstream_global_init has been called.
 */
MUST_CHECK err_t trial_run(const struct trial_opts *opts);

#endif
