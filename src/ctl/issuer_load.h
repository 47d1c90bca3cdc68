/* SPDX-License-Identifier: ISC */
/*
 * The issuer table from the configuration: issuer sections and the certificates of issuer_dir.
 * CA certificates are issuers; leaf certificates teach their issuer's responder URL and name
 * encoding; certificates of one identity become one issuer.
 */
#ifndef OCSPRELAY_CTL_ISSUER_LOAD_H
#define OCSPRELAY_CTL_ISSUER_LOAD_H

#include "base/buf.h"
#include "settings.h"
#include "state/issuers.h"

/*
 * Never fails for an outside fault: what cannot be read is skipped, with a line
 * "FILE: what is wrong" in messages and a log event. NULL without memory. Reads files: start-up,
 * reload and command line only.
 */
struct issuers *issuer_load(const struct settings *settings, struct hash_key key,
			    struct buf *messages);

/* Every certificate of a file, PEM (any number) or DER; references are the caller's. ERR_CERTIFICATE
 * if there is none, ERR_SYSTEM. */
struct certificates {
	X509 **items;
	size_t n;
};
MUST_CHECK err_t certificates_read(const char *path, struct certificates *out);
void certificates_free(struct certificates *certificates);

#endif
