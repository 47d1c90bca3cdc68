/* SPDX-License-Identifier: ISC */
/* The file that makes an issuer known to a relay: the CA's certificates and the leaf that teaches
 * the responder, in PEM, each under lines that say for people what it is. */
#ifndef OCSPRELAY_CMD_ISSUER_FILE_H
#define OCSPRELAY_CMD_ISSUER_FILE_H

#include "base/buf.h"
#include "cmd/issuer_find.h"

/* found->issuer is there. out remembers failure. */
void issuer_file_write(const struct issuer_found *found, struct buf *out);

/* What the file is called by itself, "Name-of-the-CA-0123abcd.pem", so that CAs with the same name
 * and another key have files of their own; to be freed. NULL without memory. */
char *issuer_file_name(const struct issuer *issuer);

/* Whether it may be called so: a name, not a path, and not hidden. */
bool issuer_file_may_be(const char *name);

/* Whether two such files have the same certificates, whatever else stands in them. */
bool issuer_file_is_same(struct slice a, struct slice b);

/* Appends there, the octets of such a file in PEM, and behind them those certificates that it has
 * not. False, with nothing appended: it is no PEM, or has certificates that were not found. */
bool issuer_file_extend(const struct issuer_found *found, struct slice there, struct buf *out);

/* "AB:CD:...", as openssl x509 -fingerprint -sha256 prints it. False if the library fails. */
#define FINGERPRINT_SIZE (3 * 32 + 1)
bool issuer_file_fingerprint(const X509 *cert, char dst[FINGERPRINT_SIZE]);

/* Appends the lines "BEGIN subject ...", "BEGIN valid ...", "BEGIN sha256 ..." about a certificate.
 */
void issuer_file_describe(X509 *cert, const char *begin, struct buf *out);

#endif
