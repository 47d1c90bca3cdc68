/* SPDX-License-Identifier: ISC */
/*
 * What a command line asks about: a certificate and the CA that issued it, read from files, as the
 * core wants to see them.
 */
#ifndef OCSPRELAY_CMD_SUBJECT_H
#define OCSPRELAY_CMD_SUBJECT_H

#include "base/buf.h"
#include "core/issuer.h"
#include "ctl/certificates.h"

#define MAX_DER_FILE 16777216

struct subject {
	X509 *cert; /* NULL when only an issuer was given */
	struct issuer *issuer;
};

/*
 * Reads the certificate (that is meant by its file, certificates_subject; NULL: none) and its
 * issuer (a file of CA certificates; NULL: searched among the other certificates of cert_path).
 * trusted_path (may be NULL) holds certificates that may sign for the issuer. False after one line
 * on standard error naming command.
 */
MUST_CHECK bool subject_read(const char *command, const char *cert_path, const char *issuer_path,
			     const char *trusted_path, struct subject *out);
/* The certificates of a file, at least one. False after one line on standard error; a doubt is said
 * there, too. */
MUST_CHECK bool subject_certificates(const char *command, const char *path,
				     struct certificates *out);
void subject_fini(struct subject *subject);

/* A new issuer: the CA certificate that has issued cert (NULL: the first CA), and all others of its
 * identity. NULL: there is none. */
struct issuer *subject_issuer_among(const struct certificates *from, X509 *cert);

#endif
