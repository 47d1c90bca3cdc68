/* SPDX-License-Identifier: ISC */
/* Asking the admin listener of a running relay, for the command line: one call at a time, waiting
 * until it is answered. */
#ifndef OCSPRELAY_IO_ADMIN_CLIENT_H
#define OCSPRELAY_IO_ADMIN_CLIENT_H

#include "err.h"
#include "types.h"

struct admin_client;

/* address: "host:port", "*:port" (here), "[address]:port" or "unix:/path". token: NULL for none.
 * Both are copied. NULL without memory, or if a token cannot stand in a header field. */
struct admin_client *admin_client_new(const char *address, const char *token);
void admin_client_free(struct admin_client *client); /* NULL is fine */

struct admin_call {
	const char *path; /* and query */
	const char *type; /* of the body; NULL: GET, without one */
	struct slice body;
	/* The next octets of an answer of this status; false: no more of them. */
	bool (*part)(void *arg, unsigned status, struct slice octets);
	void *arg;
};

/* OK: answered to the end, and *out_status says how. ERR_UP_UNREACHABLE, ERR_UP_FRAMING (cut
 * short, also by part); *out_detail, which may be "", lives as long as the client. */
MUST_CHECK err_t admin_client_call(struct admin_client *client, const struct admin_call *call,
				   unsigned *out_status, const char **out_detail);

#endif
