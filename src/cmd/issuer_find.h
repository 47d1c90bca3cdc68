/* SPDX-License-Identifier: ISC */
/*
 * Which issuer some certificates make known, and how: the CA certificate whose key has signed the
 * leaf among them, and the responder that the leaf names. Nothing that a certificate names is
 * contacted.
 */
#ifndef OCSPRELAY_CMD_ISSUER_FIND_H
#define OCSPRELAY_CMD_ISSUER_FIND_H

#include "ctl/certificates.h"
#include "state/issuers.h"

enum issuer_responder_is { /* what the leaf says of a responder */
	RESPONDER_IS_NAMED,
	RESPONDER_IS_NOT_NAMED,
	RESPONDER_IS_UNUSABLE, /* by upstream_url_check */
	RESPONDER_HAS_NO_LEAF
};

struct issuer_found {
	X509 *leaf;	       /* borrowed from the certificates; NULL: there are CAs only */
	struct issuer *issuer; /* owned; NULL: its certificate is not among them */
	char *responder;       /* owned; NULL: none that can be used */
	enum issuer_responder_is responder_is;
};

/* from: at least one. The leaf is the first that is of no CA; without one the first CA is the
 * issuer. Never fails: what is not there is NULL. */
void issuer_find(const struct certificates *from, struct issuer_found *out);
void issuer_found_fini(struct issuer_found *found);

/* The issuer of the table that has issued cert, or NULL. */
const struct issuer *issuer_find_known(const struct issuers *table, X509 *cert);

/* Whether this very certificate is one of a known issuer. */
bool issuer_find_has(const struct issuer *known, const X509 *cert);

/* Whether known, an issuer of a table, has all that was found: certificates, responder, encoding of
 * the name. */
bool issuer_find_is_old(const struct issuer_found *found, const struct issuer *known);

/* Where the leaf says that its issuer's certificate lies (caIssuers, RFC 5280 4.2.2.1), for people
 * to judge; NULL: nowhere. To be freed. */
char *issuer_find_elsewhere(X509 *leaf);

#endif
