/* SPDX-License-Identifier: ISC */
/* Certificates from files. */
#ifndef OCSPRELAY_CTL_CERTIFICATES_H
#define OCSPRELAY_CTL_CERTIFICATES_H

#include <openssl/x509.h>

#include "err.h"
#include "io/tls_peer.h"
#include "types.h"

struct certificates {
	X509 **items;
	size_t n;
	size_t n_bad;  /* PEM blocks that hold none that can be read */
	size_t n_keys; /* PEM blocks beside them that are private keys */
};

/*
 * Every certificate of some octets: PEM (any number; other blocks, text and byte order marks
 * between them are skipped), one in DER, or a PKCS#7 of some in either; references are the
 * caller's, to be given back by certificates_free. ERR_CERTIFICATE if there is none,
 * ERR_CERTIFICATE_xxx if there is something else that is known, ERR_TOO_LONG (above 64 MiB),
 * ERR_NO_MEMORY. Never asks for a passphrase.
 */
MUST_CHECK err_t certificates_parse(struct slice bytes, struct certificates *out);
/* The same of a file ("-": standard input); and ERR_SYSTEM (errno). */
MUST_CHECK err_t certificates_read(const char *path, struct certificates *out);
/* As file_read_regular reads it. */
MUST_CHECK err_t certificates_read_regular(const char *path, struct certificates *out);
/* The same of what a TLS server presents, as tls_peer_read reads it; ERR_UP_UNREACHABLE with
 * detail. */
MUST_CHECK err_t certificates_read_peer(const char *address, unsigned seconds,
					struct certificates *out, char detail[TLS_PEER_DETAIL]);
/* What people should hear of a file that was read, or NULL: that a private key lies in it. */
const char *certificates_doubt(const struct certificates *certificates);
/* The one that is meant by a file that holds issuers as well: the first that is no CA, in whatever
 * order they are (a PKCS#7 has none of its own), else the first. Borrowed. */
X509 *certificates_subject(const struct certificates *certificates);
void certificates_free(struct certificates *certificates);

#endif
