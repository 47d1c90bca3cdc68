/* SPDX-License-Identifier: ISC */
/*
 * Verification: octets, question, issuer and time in; a verdict or the reason for refusal out.
 * The one place that decides whether a response may be served (RFC 6960 3.2, 4.2.2.2; RFC 9919).
 * Pure: no clock, no network, no certificate store of the machine.
 */
#ifndef OCSPRELAY_CORE_VERIFY_H
#define OCSPRELAY_CORE_VERIFY_H

#include "core/issuer.h"
#include "core/response.h"
#include "core/signer.h"

enum verdict_flags {
	VERDICT_WEAK = 1 << 0,		 /* SHA-1 or RSA below 2048 bits, let through by policy */
	VERDICT_NO_NEXT_UPDATE = 1 << 1, /* CL-04; at least one of the matching ones lacks it */
	VERDICT_NONCE = 1 << 2,		 /* carries a nonce, asked for or not (VS-23) */
	VERDICT_NEVER_ISSUED = 1 << 3,	 /* the extended revoked form of RFC 6960 2.2 (CL-14) */
	VERDICT_OTHER_HASH = 1 << 4,	 /* the matching CertID uses another algorithm (NK-08) */
	VERDICT_MIXED_ISSUERS = 1 << 5,	 /* has SingleResponses of other issuers too (VS-05) */
	VERDICT_NO_NOCHECK = 1 << 6,	 /* delegate without id-pkix-ocsp-nocheck (VS-16) */
	VERDICT_EARLY_PRODUCED = 1 << 7, /* producedAt before thisUpdate by more than the skew */
	VERDICT_RECALLED = 1 << 8,	 /* the delegate's certificate is not in it (VS-18) */
	VERDICT_UNREADABLE = 1 << 9,	 /* one of the embedded certificates is none (VS-17) */
};

struct verdict {
	enum cert_status status; /* strictest of the matching SingleResponses (VS-04) */
	enum signer_kind signer;
	unsigned flags;
	unsigned algs;	     /* 1 << enum hash_alg: by which the response names the certificate */
	int reason;	     /* CRLReason or -1 */
	int64_t revoked_at;  /* 0 unless revoked */
	int64_t this_update; /* earliest of the matching ones */
	int64_t next_update; /* earliest; TIME_NEVER when none of the matching ones has it */
	int64_t produced_at;
	int64_t
	    hard_expiry; /* min(nextUpdate of all asked, notAfter of signer and issuer); > now */
	size_t tail; /* offset in the DER of what follows the signature: the certificates, if any */
};

struct verify_question {
	const struct certid *certids; /* what was asked, all of the same issuer */
	unsigned n_certids;
	struct slice nonce; /* that was sent upstream; empty: none. ERR_RSP_NONCE if the response
			     * has another one; one without is fine (NO-04) */
	const struct issuer *issuer;
	/* Delegates of the issuer that signed before: further candidates (VS-18), and if one of
	 * them is embedded it is not decoded and checked once more. A delegate who signed this
	 * response becomes the first. NULL: none is known or remembered. */
	struct delegate_set *known;
	int64_t now; /* wall clock, seconds */
};

/*
 * Judges a successful or unsuccessful OCSPResponse. For an unsuccessful one the error is the
 * ERR_UP_xxx of its status. The verdict is about certids[0] when there are several, each of which
 * must be answered. Order: syntax, CertID, nonce, times, signer, signature; the first reason found
 * is returned, and of several possible signers that of the one who came furthest. Owner of nothing;
 * may be called from any thread, whose OpenSSL error queue it clears. Costs public-key operations.
 */
MUST_CHECK err_t verify_response(struct slice der, const struct verify_question *question,
				 struct verdict *out);

#endif
