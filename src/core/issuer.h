/* SPDX-License-Identifier: ISC */
/*
 * An issuer: one CA identity (subject and key), the certificates that carry it, its hashes under
 * the five algorithms, who else may sign for it, where to ask, and by which policy. Built once by
 * the configuration, immutable afterwards, read by every thread.
 */
#ifndef OCSPRELAY_CORE_ISSUER_H
#define OCSPRELAY_CORE_ISSUER_H

#include <openssl/x509.h>

#include "core/certid.h"
#include "core/key.h"
#include "core/policy.h"

struct issuer_names { /* one encoding of the issuer's name (rule NK-02) */
	uint8_t hash[N_HASH_ALGS][MAX_DIGEST_LEN];
};

struct issuer_validity { /* of one certificate, seconds since 1970 UTC */
	int64_t not_before, not_after;
};

struct issuer_responder {
	char *url;     /* http or https, as configured or learnt from a leaf certificate */
	unsigned slot; /* counters: SCOPE_RESPONDER; set by whoever builds the table */
};

struct issuer {
	char *label; /* name of the section, or the subject's common name; for people and metrics */
	unsigned slot; /* counters: SCOPE_ISSUER */
	uint8_t id[ISSUER_ID_LEN];
	uint8_t key_hash[N_HASH_ALGS][MAX_DIGEST_LEN];
	struct issuer_names *names; /* [0] = the subject as it stands in the certificate */
	size_t n_names;
	X509 **certs; /* same subject and key, at least one */
	size_t n_certs;
	struct issuer_validity *validity; /* of certs, in their order */
	X509_STORE *store; /* certs and nothing else: what delegates are checked against (VS-12) */
	X509 **trusted;	   /* may sign for this issuer by local decision (RFC 6960 4.2.2.2 (1)) */
	size_t n_trusted;
	struct issuer_responder *responders; /* in order of preference */
	size_t n_responders;
	char *proxy; /* NULL: the environment's; "": none */
	struct policy policy;
};

/*
 * A new issuer with one certificate, references taken; policy_default. label NULL: the subject's
 * common name. ERR_CERTIFICATE if it is not a CA (RFC 5280 4.2.1.9), its key or dates cannot be
 * read or it cannot be hashed, ERR_NO_MEMORY. Free with issuer_free. Certificates handed to an
 * issuer lose their OpenSSL trust settings ("TRUSTED CERTIFICATE") and must not be changed any
 * more; the functions below that take an issuer without const belong to the thread that builds it.
 */
MUST_CHECK err_t issuer_new(X509 *cert, const char *label, struct issuer **out);
void issuer_free(struct issuer *issuer);

/* Another certificate of the same identity; ERR_CERTIFICATE if it is not. A repeated one is fine.
 */
MUST_CHECK err_t issuer_add_cert(struct issuer *issuer, X509 *cert);
/* A certificate, of whatever issuer, that may sign for this one. A repeated one is fine. */
MUST_CHECK err_t issuer_add_trusted(struct issuer *issuer, X509 *cert);
/* Appends unless it is there already. */
MUST_CHECK err_t issuer_add_responder(struct issuer *issuer, const char *url);
/* Adds the encoding of the issuer's name that this leaf carries, unless it is known.
 * ERR_CERTIFICATE if it is another name (RFC 5280 7.1). Does not check the leaf's signature. */
MUST_CHECK err_t issuer_add_name_of(struct issuer *issuer, X509 *leaf);

/* True if leaf names this issuer (RFC 5280 7.1 comparison) and its signature verifies with the
 * issuer's key. */
bool issuer_has_issued(const struct issuer *issuer, X509 *leaf);

/* The first http or https OCSP URL of a certificate's authority information access, or NULL; to be
 * freed with free(). Only characters that a URL may have (RFC 3986 2). */
char *issuer_responder_of(X509 *leaf);

/* Latest notAfter, earliest notBefore of its certificates. */
int64_t issuer_not_after(const struct issuer *issuer);
int64_t issuer_not_before(const struct issuer *issuer);

/* The validity of any certificate. False if one of its dates is not a date. */
MUST_CHECK bool issuer_validity_of(const X509 *cert, struct issuer_validity *out);

/* Whether a certificate may be relied on at now. The skew forgives a notBefore slightly ahead of
 * our clock; notAfter is exact, for it is part of hard_expiry, from which on nothing is served
 * (CL-02). */
bool issuer_is_valid_at(const struct issuer_validity *validity, int64_t now, int64_t skew);

/* Whether what one vouches for, the other does too: the same certificates, the same that may sign
 * for them, the same demands on signatures. Both must be the same identity. */
bool issuer_has_same_trust(const struct issuer *a, const struct issuer *b);

/* Until when the issuer's word counts: the latest notAfter of its certificates that are valid at
 * now, by the policy's skew; INT64_MIN if none is (VS-14). */
int64_t issuer_valid_until(const struct issuer *issuer, int64_t now);

/* Computes the issuer-id of a certificate (see key.h). False if the library fails. */
bool issuer_id_of(X509 *cert, uint8_t out_id[ISSUER_ID_LEN]);

/* The CertID of a certificate of this issuer: key hash borrowed from issuer, name hash and serial
 * from out itself, which therefore must not be copied. The issuer's name is hashed as it stands in
 * cert. ERR_REQ_SERIAL, ERR_NO_MEMORY. */
struct certid_of_cert {
	struct certid certid;
	uint8_t name_hash[MAX_DIGEST_LEN];
	uint8_t serial[MAX_SERIAL_LEN];
};
MUST_CHECK err_t issuer_certid(const struct issuer *issuer, X509 *cert, enum hash_alg alg,
			       struct certid_of_cert *out);

/* True if certid, in whatever algorithm, names this issuer by key hash and one of its names. */
bool issuer_is_named_by(const struct issuer *issuer, const struct certid *certid);

#endif
