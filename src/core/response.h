/* SPDX-License-Identifier: ISC */
/*
 * A view of an OCSPResponse (RFC 6960 4.2.1): where everything is, nothing judged but the syntax.
 * All slices borrow from the DER. Allocates nothing.
 */
#ifndef OCSPRELAY_CORE_RESPONSE_H
#define OCSPRELAY_CORE_RESPONSE_H

#include "core/certid.h"

#define MAX_SINGLES	   1024
#define MAX_RESPONSE_CERTS 10

enum cert_status {
	CERT_GOOD,
	CERT_REVOKED,
	CERT_UNKNOWN
};

enum response_flags {
	RESPONSE_CRITICAL = 1 << 0,	   /* unknown critical extension in responseExtensions */
	RESPONSE_NONCE = 1 << 1,	   /* a nonce is present */
	RESPONSE_EXTENDED_REVOKE = 1 << 2, /* 1.3.6.1.5.5.7.48.1.9, RFC 6960 4.4.8 */
};

struct response {
	enum ocsp_status status; /* only OCSP_SUCCESSFUL has what follows */
	struct slice der;	 /* all of it */
	struct slice tbs;	 /* ResponseData, header included: what is signed */
	struct slice name;	 /* ResponderID byName: DER of the Name; p == NULL: byKey */
	struct slice key_hash;	 /* ResponderID byKey: 20 octets */
	int64_t produced_at;
	struct slice singles; /* inside of the SEQUENCE OF SingleResponse */
	unsigned n_singles;
	unsigned flags;
	struct slice nonce;	/* as struct ocsp_request's */
	struct slice sig_alg;	/* AlgorithmIdentifier, header included */
	struct slice signature; /* octets of the BIT STRING, which has no unused bits */
	struct slice certs;	/* inside of the SEQUENCE OF Certificate; may be empty */
	unsigned n_certs;
};

/*
 * Reads all of der. The tag [0] of an explicit v1, and criticality FALSE, are tolerated; empty
 * lists of extensions and two nonces are not; the length of a nonce is not judged. Errors:
 * ERR_RSP_DER, ERR_RSP_TRAILING, ERR_RSP_STATUS, ERR_RSP_TYPE, ERR_RSP_VERSION, ERR_RSP_SINGLES,
 * ERR_RSP_CERTS, ERR_RSP_TIME. An error status with responseBytes is taken for the bare error (rule
 * VS-01). Every SingleResponse is checked for syntax here, so response_next_single cannot fail on
 * what this accepted, except by ERR_NOT_FOUND.
 */
MUST_CHECK err_t response_parse(struct slice der, struct response *out);

struct single {
	struct certid
	    certid; /* alg = N_HASH_ALGS: none that we can ask about, see certid_read_any */
	enum cert_status status;
	int64_t revoked_at; /* CERT_REVOKED only */
	int reason;	    /* CRLReason, -1 when absent */
	int64_t this_update;
	int64_t next_update; /* TIME_NEVER when absent */
	bool has_next_update;
	bool has_critical; /* unknown critical singleExtension */
};

/* The SingleResponses in order: start with *cursor = der_of(response->singles). ERR_NOT_FOUND at
 * the end. */
MUST_CHECK err_t response_next_single(struct der *cursor, struct single *out);

/* The embedded certificates in order, each as its whole DER; start with der_of(response->certs).
 * ERR_NOT_FOUND at the end. */
MUST_CHECK err_t response_next_cert(struct der *cursor, struct slice *out_cert);

/* The five octets of an unsuccessful answer (RFC 6960 4.2.1); for what is none of the five
 * statuses, those of internalError. Static. */
struct slice response_error(enum ocsp_status status);

#endif
