/* SPDX-License-Identifier: ISC */
/*
 * What has happened since the last `count`: requests upstream and how many in one second, answers
 * by their kind, log events; and the statement `expect`, which asks for them.
 */
#ifndef OCSPRELAY_TESTS_REPLAY_TALLY_H
#define OCSPRELAY_TESTS_REPLAY_TALLY_H

#include "script.h"

#define MAX_RESPONDERS 8

enum tally_kind {
	TALLY_ANSWERS,
	TALLY_ERRORS, /* answers without a signature */
	TALLY_HITS,   /* signed answers from memory or a store */
	TALLY_GOOD,
	TALLY_REVOKED,
	TALLY_UNKNOWN,
	TALLY_FALLBACKS, /* hits that stand in for an answer that was wanted for one client */
	N_TALLY_KINDS
};

void tally_open(void); /* also takes the log */

void tally_upstream(size_t responder); /* a request to it begins, */
void tally_upstream_end(void);	       /* and ends */
unsigned tally_upstreams(void);	       /* that have begun, ever */
void tally_answer(const bool is[N_TALLY_KINDS], int64_t ms_taken);

void tally_count(void); /* begins anew */
void tally_expect(struct words *words);

/* For script_on_failure. */
void tally_show_log(void);

#endif
