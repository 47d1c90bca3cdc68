/* SPDX-License-Identifier: ISC */
/*
 * OCSPRequest (RFC 6960 4.1.1): the strict reader of the hot path and the writer of the minimal
 * request that goes upstream. Section 1.3 of the conformance table in doc/ lists every decision.
 */
#ifndef OCSPRELAY_CORE_OCSP_REQUEST_H
#define OCSPRELAY_CORE_OCSP_REQUEST_H

#include "core/certid.h"

#define MAX_CERTIDS   8
#define MAX_NONCE_LEN 128

struct ocsp_request_limits {
	unsigned max_certids;	 /* 1 to MAX_CERTIDS */
	unsigned max_extensions; /* per list */
};

enum ocsp_request_flags {
	REQUEST_SIGNED = 1 << 0,       /* optionalSignature present (not checked, RFC 9919 3.1.2) */
	REQUEST_CRITICAL = 1 << 1,     /* unknown critical extension, anywhere (RP-40, RP-44) */
	REQUEST_NOT_BASIC = 1 << 2,    /* AcceptableResponses without id-pkix-ocsp-basic (RP-41) */
	REQUEST_PREFERS_ALGS = 1 << 3, /* preferred signature algorithms (RP-42) */
	REQUEST_NONCE = 1 << 4
};

struct ocsp_request {
	struct certid certids[MAX_CERTIDS];
	unsigned n_certids;
	unsigned flags;
	struct slice
	    nonce; /* the nonce's octets: inside the inner OCTET STRING where there is one */
	struct slice nonce_ext; /* the whole Extension, for forwarding verbatim (NO-03) */
	struct slice der;	/* the whole request */
};

/*
 * Reads der, all of it. Its cost is bounded by limits and by the 512 elements of rule SL-04, not by
 * its length. The result borrows from it. Errors: ERR_REQ_DER, ERR_REQ_TRAILING,
 * ERR_REQ_EMPTY (also for no octets at all), ERR_REQ_VERSION, ERR_REQ_DIGEST, ERR_REQ_PARAMETERS,
 * ERR_REQ_SERIAL, ERR_REQ_NONCE, ERR_REQ_CERTIDS, ERR_REQ_EXTENSIONS; ERR_REQ_HASH when the request
 * is in order but names an algorithm that is not supported. Allocates nothing.
 *
 * An extension of 4.4 is understood where that section puts it; a nonce among the extensions of a
 * single Request has no meaning there and is treated as unknown.
 */
MUST_CHECK err_t ocsp_request_parse(struct slice der, const struct ocsp_request_limits *limits,
				    struct ocsp_request *out);

/*
 * Writes the minimal request for one CertID: no version, no requestorName, and the given nonce
 * Extension, or none when it is empty (NK-06, NO-08). ERR_TOO_LONG when cap does not suffice;
 * MAX_MINIMAL_REQUEST_LEN + nonce_ext.len always does.
 */
#define MAX_MINIMAL_REQUEST_LEN (MAX_CERTID_LEN + 40)
MUST_CHECK err_t ocsp_request_encode(const struct certid *certid, struct slice nonce_ext,
				     uint8_t *dst, size_t cap, size_t *out_len);

#endif
