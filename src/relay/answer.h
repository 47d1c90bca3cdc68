/* SPDX-License-Identifier: ISC */
/*
 * The answer to one client: rendered, counted, logged and sent, in this one place, whether it comes
 * from an exchange that never waited or from an ask that came home. Front threads only.
 */
#ifndef OCSPRELAY_RELAY_ANSWER_H
#define OCSPRELAY_RELAY_ANSWER_H

#include "core/http_request.h"
#include "core/issuer.h"
#include "core/reply.h"
#include "state/entry.h"

struct connection;
struct front;

struct answer {
	struct front *front;
	struct connection *connection;
	const struct http_request *http; /* NULL: no conditions to look at any more */
	const struct issuer *issuer;	 /* NULL: not known */
	struct entry *entry;		 /* one reference, taken; NULL: err is the answer */
	err_t err;
	enum http_method method;
	enum reply_verdict verdict;
	const char *detail;
	unsigned fwd_status;
	bool is_stored;
	unsigned minor;
	int64_t now, us_start;
};

/* Answers the open request of answer->connection. */
void answer_send(struct answer *answer);

#endif
