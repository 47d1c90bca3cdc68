/* SPDX-License-Identifier: ISC */
/* What people call a certificate, and what it is. */
#ifndef OCSPRELAY_CTL_CERTIFICATE_H
#define OCSPRELAY_CTL_CERTIFICATE_H

#include <openssl/x509.h>

#include "types.h"

/* True with basicConstraints CA:TRUE. */
bool certificate_is_ca(X509 *cert);

/* The name as RFC 2253 writes it, UTF-8, controls escaped; cut where cap ends. */
void certificate_name(const X509_NAME *name, char *dst, size_t cap);

/* What to call its subject in one word: common name, else organization, else the whole name; a copy
 * to be freed with free(), controls replaced. NULL: no memory, or no name at all. */
char *certificate_label(const X509 *cert);

#endif
