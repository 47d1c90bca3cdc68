/* SPDX-License-Identifier: ISC */
/*
 * What is odd about a responder's answer and no reason to refuse it (tbl/oddities.h): counted for
 * each answer, told to the log, which folds it. Nothing else follows from it; above all, a
 * responder's Date never moves our time (SL-18). Back threads only.
 */
#ifndef OCSPRELAY_RELAY_ODDITIES_H
#define OCSPRELAY_RELAY_ODDITIES_H

#include "core/verify.h"
#include "io/upstream.h"
#include "relay/ask.h"

/* Of any answer of this responder (index) of the question's issuer, accepted or not. */
void oddities_of_answer(const struct ask *question, size_t responder,
			const struct upstream_answer *answer);

/* Of an accepted response of so many octets. */
void oddities_of_response(const struct ask *question, size_t responder,
			  const struct verdict *verdict, size_t len);

#endif
