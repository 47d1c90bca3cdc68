/* SPDX-License-Identifier: ISC */
/* The question about one certificate, as nearly all clients ask it (SHA-1, no nonce), for commands
 * that want an answer to keep: making it, asking it, judging what comes. */
#ifndef OCSPRELAY_CMD_QUESTION_H
#define OCSPRELAY_CMD_QUESTION_H

#include "core/ocsp_request.h"
#include "core/verify.h"
#include "io/upstream.h"

struct question {
	const struct issuer *issuer;
	struct certid_of_cert asked; /* borrows from itself: a question must not be copied */
	uint8_t der[MAX_MINIMAL_REQUEST_LEN];
	size_t der_len;
};

/* issuer is kept. ERR_REQ_SERIAL, ERR_NO_MEMORY. */
MUST_CHECK err_t question_make(const struct issuer *issuer, X509 *cert, struct question *out);

struct question_way {
	const char *url;
	const char *proxy; /* as upstream_request has it */
	int64_t ms_limit;
};

/* As upstream_start: GET, or POST where that would be too long. */
struct transfer *question_ask(struct upstream *upstream, const struct question *question,
			      const struct question_way *way, upstream_fn *fn, void *arg);

/* As the relay judges. */
MUST_CHECK err_t question_judge(const struct question *question, struct slice der, int64_t now,
				struct verdict *out);

#endif
