/* SPDX-License-Identifier: ISC */
/*
 * What one request to a responder came to, for everybody who wants to know: counters, log, and the
 * memory of the responder's health. Back threads only.
 */
#ifndef OCSPRELAY_RELAY_OUTCOME_H
#define OCSPRELAY_RELAY_OUTCOME_H

#include "io/upstream.h"
#include "relay/ask.h"

struct back;

/* What this responder (index) of the question's issuer came to. err is the final judgement on the
 * answer: its own err, or what verification said. */
void outcome_report(struct back *back, const struct ask *question, size_t responder,
		    const struct upstream_answer *answer, err_t err);

/* The same, for the memory of the responder's health: once it is clear that it is not asked again
 * in another way. */
void outcome_note_health(struct back *back, const struct ask *question, size_t responder,
			 const struct upstream_answer *answer, err_t err);

#endif
