/* SPDX-License-Identifier: ISC */
/*
 * A throw-away PKI for tests: keys, certificates and OCSP responses, made on the spot, with fixed
 * dates, whole or broken as the specification at hand says. Whatever a function gives lives as long
 * as the test. What cannot be made ends the test: aborts, so nothing returns NULL.
 */
#ifndef OCSPRELAY_TESTS_PKI_H
#define OCSPRELAY_TESTS_PKI_H

#include <openssl/x509.h>

#include "core/certid.h"
#include "core/response.h"

#define PKI_NOW	 INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define PKI_HOUR INT64_C(3600)
#define PKI_DAY	 (24 * PKI_HOUR)
#define PKI_YEAR (365 * PKI_DAY)

enum pki_key_kind {
	PKI_P256,
	PKI_P224,
	PKI_RSA2048,
	PKI_RSA1024,
	PKI_ED25519,
	PKI_N_KEY_KINDS
};

/* The same key for the same arguments; index below 8. */
EVP_PKEY *pki_key(enum pki_key_kind kind, unsigned index);

/* A name of one common name in this string type (V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING). */
X509_NAME *pki_name(const char *common_name, int string_type);

#define PKI_CA_EXTS                                                                  \
	"basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" \
	"subjectKeyIdentifier=hash\n"
#define PKI_DELEGATE_EXTS                                                    \
	"keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\n" \
	"noCheck=ignored\nauthorityKeyIdentifier=keyid\n"

struct pki_cert {
	const char *name;	/* common name of the subject, as UTF8String */
	X509_NAME *subject;	/* instead of name */
	EVP_PKEY *key;		/* NULL: pki_key(PKI_P256, 0) */
	X509 *issuer;		/* NULL: itself */
	EVP_PKEY *signed_by;	/* NULL: key */
	X509_NAME *issuer_name; /* instead of issuer's subject */
	const char *serial;	/* hexadecimal content octets of a positive number; NULL: 01 */
	int64_t not_before, not_after; /* 0: a year from PKI_NOW */
	const char *exts; /* lines of OpenSSL's x509v3_config(5); NULL: none, and version 1 */
	const EVP_MD *md; /* NULL: SHA-256 */
};

X509 *pki_cert(const struct pki_cert *spec);

/* The content octets of a certificate's serial number. */
struct slice pki_serial(const X509 *cert);

struct pki_single {
	X509 *issuer;	       /* of the certificate that it speaks of */
	const char *serial;    /* hexadecimal content octets; NULL: 01 */
	const char *hash;      /* OpenSSL's name of the CertID's algorithm; NULL: sha1 */
	const X509_NAME *name; /* NULL: issuer's subject */
	enum cert_status status;
	int64_t revoked_at;
	int reason;			  /* CRLReason + 1; 0: none */
	int64_t this_update, next_update; /* 0: PKI_NOW minus and plus one day; -1: no nextUpdate */
	const char *next_update_text;	  /* instead: content of the GeneralizedTime as it is */
	struct slice exts;		  /* Extensions, one after the other */
};

struct pki_response {
	const struct pki_single *singles;
	size_t n_singles;
	X509 *responder;  /* whom the ResponderID names */
	bool is_by_name;  /* else by the hash of its key */
	EVP_PKEY *key;	  /* that signs */
	const EVP_MD *md; /* NULL: SHA-256, or none where the key has its own */
	bool is_pss;
	int64_t produced_at; /* 0: PKI_NOW minus one day */
	struct slice exts;   /* Extensions, one after the other */
	struct slice certs;  /* Certificates, one after the other; pki_der() gives one */
	uint8_t version;     /* 0: DEFAULT; n: vn+1, written */
};

/* The whole OCSPResponse. */
struct slice pki_response(const struct pki_response *spec);

/* The same in memory of its own, to be freed by the caller: for who makes very many of them. */
struct slice pki_response_alone(const struct pki_response *spec);

/* The CertID's content as a struct, as if read from a request. */
struct certid pki_certid(X509 *issuer, const char *serial, enum hash_alg alg);

struct slice pki_der(X509 *cert);

/* Pieces of memory that OpenSSL holds in this process. */
long pki_openssl_holds(void);

/* The n-th allocation of OpenSSL from now on fails, once; 0: none. How far off the failure was that
 * had been ordered before; 0 when it has happened. */
long pki_openssl_fail_at(long n);

#endif
