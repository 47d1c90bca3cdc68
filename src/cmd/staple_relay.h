/* SPDX-License-Identifier: ISC */
/* Whom staples come from: the relay's address and the issuers, as a command line and the
 * configuration say. */
#ifndef OCSPRELAY_CMD_STAPLE_RELAY_H
#define OCSPRELAY_CMD_STAPLE_RELAY_H

#include "cmd/staple.h"
#include "settings.h"

struct staple_relay {
	char *url;
	const char *proxy;	   /* for it, as upstream_request has it */
	struct settings *settings; /* NULL: no configuration was read */
	struct issuers *table;	   /* of these settings */
	struct certificates given; /* of --issuer */
	struct staple_sources sources;
};

struct staple_relay_args {
	const char *config; /* NULL: not given */
	const char *url;    /* NULL: the first address of the configuration that clients use */
	const char *issuer; /* a file; NULL: none */
};

/* ARGS_GO; or the exit status, when it has been said why. To be closed in either case. Without
 * args->config the default one is read only if there is no url. */
MUST_CHECK int staple_relay_open(const struct staple_relay_args *args, struct staple_relay *out);
void staple_relay_close(struct staple_relay *relay);

/* Reads the certificates of issuers anew. False, and all is as it was: they cannot be read. The
 * former table, which is given back, may be in use; it is the caller's. */
MUST_CHECK bool staple_relay_read_issuers(struct staple_relay *relay,
					  const struct staple_relay_args *args,
					  struct issuers **out_former);

#endif
