/* SPDX-License-Identifier: ISC */
/*
 * Verification as a back thread asks for it: by whom it trusts now, about what a question asked.
 * Whatever octets come from outside, from a responder, a store or a friend, pass here before they
 * become an entry (VS-24).
 */
#ifndef OCSPRELAY_RELAY_JUDGE_H
#define OCSPRELAY_RELAY_JUDGE_H

#include "core/verify.h"
#include "relay/ask.h"

struct back;
struct common;
struct rules;

/* As verify_response. */
MUST_CHECK err_t judge_response(const struct back *back, const struct ask *question,
				struct slice der, struct verdict *out);

/* A record of a store as an entry, one reference. ERR_RECORD_xxx, ERR_RSP_xxx, ERR_NO_MEMORY. */
MUST_CHECK err_t judge_record(const struct back *back, const struct ask *question,
			      struct slice record, struct entry **out);

/* The same for who is no back thread. */
struct judge {
	const struct common *common;
	const struct rules *rules;
};
MUST_CHECK err_t judge_record_by(const struct judge *by, const struct ask *question,
				 struct slice record, struct entry **out);

#endif
