/* SPDX-License-Identifier: ISC */
/* What requests to the admin listener say: a selection, as JSON or as the query of a URL. */
#ifndef OCSPRELAY_CTL_ADMIN_BODY_H
#define OCSPRELAY_CTL_ADMIN_BODY_H

#include "base/buf.h"
#include "relay/selection.h"

struct evhttp_request;

/* That no issuer of this name is configured, and which one may be meant. */
void admin_body_no_issuer(const struct issuers *issuers, const char *text, struct buf *why);

/*
 * {"issuer": "NAME", "serial": "HEX"}, either of them or both, or {"all": true}. ERR_SYNTAX: why
 * holds what is wrong; also for what selects nothing.
 */
MUST_CHECK err_t admin_body_read(struct evhttp_request *request, const struct issuers *issuers,
				 struct selection *out, struct buf *why);

struct admin_query {
	struct selection selection; /* issuer=, serial= */
	int64_t ms_expiring;	    /* expiring=: within so long; INT64_MAX: whenever */
	uint64_t limit;		    /* limit=: so many of them; UINT64_MAX: all */
	char tier[16];		    /* tier=: memory, disk or redis; "": all of them */
};

/* ERR_SYNTAX as above. What is not given selects all. */
MUST_CHECK err_t admin_query_read(struct evhttp_request *request, const struct issuers *issuers,
				  struct admin_query *out, struct buf *why);

#endif
