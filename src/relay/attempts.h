/* SPDX-License-Identifier: ISC */
/*
 * The attempts of one flight: an issuer's responders in their order, each asked by GET or POST as
 * rule HC-01 says, some once more in another way, those left out that asked to be left alone or do
 * not work; and what is to be said when none had a good answer. Back threads only.
 */
#ifndef OCSPRELAY_RELAY_ATTEMPTS_H
#define OCSPRELAY_RELAY_ATTEMPTS_H

#include "io/upstream.h"
#include "relay/ask.h"
#include "relay/common.h"

struct attempts {
	const struct common *common;
	const struct ask *question;
	size_t responder;   /* index: the one that is asked */
	bool is_asked;	    /* not for the first time */
	bool is_post_retry; /* it refused GET a moment ago */
	bool post, no_cache;
	uint64_t left_out; /* who does not work, a bit for each of the first 64, */
	bool takes_broken; /* and is asked now, because the others failed */

	/* of the failure that tells most */
	err_t err; /* OK: none yet */
	unsigned http_status;
	int64_t retry_after; /* seconds: the shortest that one asked for */
};

/* Both are kept. */
void attempts_init(struct attempts *attempts, const struct common *common,
		   const struct ask *question);

/* Finds whom to ask now, and how. False: nobody is left; err tells why. */
bool attempts_next(struct attempts *attempts, int64_t ms_now);
const char *attempts_url(const struct attempts *attempts); /* of the one found */

/* A responder that is left out because it does not work, but for a probe now and then (HC-12). */
bool attempts_is_broken(const struct responder_state *state);

/* The one found has failed: err is the final judgement on its answer. False: it is asked once more
 * in another way, by which it may work. */
bool attempts_note_failure(struct attempts *attempts, const struct upstream_answer *answer,
			   err_t err);

#endif
