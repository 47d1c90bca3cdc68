/* SPDX-License-Identifier: ISC */
/*
 * Who signed a response, and whether that one was entitled to (RFC 6960 4.2.2.2, 4.2.2.3): the
 * issuer itself, a delegate that hangs directly below it, or a certificate that the operator named.
 */
#ifndef OCSPRELAY_CORE_SIGNER_H
#define OCSPRELAY_CORE_SIGNER_H

#include "core/delegate.h"
#include "core/issuer.h"
#include "core/response.h"

enum signer_kind {
	SIGNER_ISSUER,
	SIGNER_DELEGATE,
	SIGNER_TRUSTED
};

struct signer {
	enum signer_kind kind;
	int64_t not_after;	   /* of the signer's certificate; TIME_NEVER for the issuer */
	bool is_weak;		   /* SHA-1, or a key below RSA 2048, P-256 or their like (VS-20) */
	bool is_recalled;	   /* its certificate is not in the response (VS-18) */
	bool has_unreadable;	   /* something in the response's certificates is none (VS-17) */
	struct delegate *delegate; /* SIGNER_DELEGATE: one reference is given; else NULL */
};

struct signer_question {
	const struct issuer *issuer;
	/* Delegates that have signed before; NULL: none. They are judged like the embedded ones,
	 * only not decoded and checked again while the issuer is the same. */
	const struct delegate_set *known;
	int64_t now;
};

/*
 * Finds the entitled signer whose key verifies the signature over response->tbs: the issuer, then
 * its trusted certificates, then the embedded ones, of those that the ResponderID names; if none of
 * them is named, the known delegates (VS-18). Errors:
 * ERR_RSP_ALGORITHM, ERR_RSP_DER (ResponderID is not a Name), ERR_NO_MEMORY; else the reason of the
 * candidate that came furthest: ERR_RSP_RESPONDER_ID when there was none, ERR_RSP_SIGNER_xxx,
 * ERR_RSP_SIGNATURE. Whether the issuer itself is valid at now is the caller's question. Any
 * thread; clears its OpenSSL error queue.
 */
MUST_CHECK err_t signer_find(const struct response *response,
			     const struct signer_question *question, struct signer *out);

#endif
