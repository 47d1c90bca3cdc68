/* SPDX-License-Identifier: ISC */
/* A certificate as the issuer table sees it: who has issued it, and by which key its responses are
 * kept. */
#ifndef OCSPRELAY_CTL_ISSUED_H
#define OCSPRELAY_CTL_ISSUED_H

#include "state/issuers.h"

/* The key under SHA-1, by which nearly all clients ask; who asks otherwise keeps that warm by
 * asking. ERR_ISSUER_UNKNOWN, ERR_REQ_SERIAL (too long), ERR_NO_MEMORY. */
MUST_CHECK err_t issued_key(const struct issuers *issuers, X509 *cert, struct cache_key *out);

/* What to say of its errors. */
const char *issued_why(err_t err);

/* Whether nobody asks about it by the table: it is the issuer of others there, and its own at the
 * most. key: its own, NULL when its issuer is not known. */
bool issued_is_top(const struct issuers *issuers, X509 *cert, const struct cache_key *key);

#endif
