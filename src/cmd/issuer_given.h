/* SPDX-License-Identifier: ISC */
/* What a command line gives about an issuer, and what is known already: certificates of files and
 * of a TLS server, and the issuers of a configuration or of a directory. */
#ifndef OCSPRELAY_CMD_ISSUER_GIVEN_H
#define OCSPRELAY_CMD_ISSUER_GIVEN_H

#include "cmd/args.h"
#include "ctl/issuer_load.h"

struct issuer_given_args {
	const char *config;    /* NULL: not given */
	const char *directory; /* NULL: issuer_dir of the configuration; else, without config, this
				* directory is all that is known */
	struct args_texts paths;
	const char *tls; /* HOST:PORT, or NULL */
	unsigned seconds;
};

struct issuer_given {
	struct certificates certs; /* of the files, then of the server; at least one */
	size_t n_of_files;
	struct settings *settings;
	const char *directory; /* where issuers belong */
	struct issuers *table;
	struct issuer_origin *origins; /* of the table */
};

/* ARGS_GO; or the exit status, when it has been said why. To be given back in either case. After
 * upstream_global_init. */
MUST_CHECK int issuer_given_read(const struct issuer_given_args *args, struct issuer_given *out);
void issuer_given_fini(struct issuer_given *given);

/* Whether the certificate is one of the files. */
bool issuer_given_is_of_file(const struct issuer_given *given, const X509 *cert);

/* The file that an issuer of the table was read from first. */
const char *issuer_given_path(const struct issuer_given *given, const struct issuer *known);

#endif
