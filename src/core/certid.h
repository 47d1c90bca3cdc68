/* SPDX-License-Identifier: ISC */
/* CertID (RFC 6960 4.1.1) and the five hash algorithms that the relay knows. */
#ifndef OCSPRELAY_CORE_CERTID_H
#define OCSPRELAY_CORE_CERTID_H

#include "core/der.h"
#include "err.h"
#include "types.h"

#define MAX_SERIAL_LEN 40 /* RFC 5280 4.1.2.2 says 20; others exist (rule RP-38) */
#define MAX_DIGEST_LEN 64

enum hash_alg {
	HASH_SHA1,
	HASH_SHA224,
	HASH_SHA256,
	HASH_SHA384,
	HASH_SHA512,
	N_HASH_ALGS
};

struct hash_alg_row {
	const char *name;	/* "sha1": command line, JSON, OpenSSL */
	const char *short_name; /* "s1": keys of stores */
	size_t len;		/* octets of a digest */
	struct slice oid;	/* content of the OBJECT IDENTIFIER */
};

extern const struct hash_alg_row hash_algs[N_HASH_ALGS];

/* By hash_algs[].name, or N_HASH_ALGS. */
enum hash_alg hash_alg_named(const char *name);

struct certid {
	enum hash_alg alg;
	struct slice name_hash, key_hash; /* as long as alg says */
	struct slice serial;		  /* content octets of the INTEGER, opaque */
};

/*
 * Reads one CertID; the slices borrow from the cursor's input. Parameters NULL and absent are the
 * same (RFC 4055 2.1, rule NK-04). Errors: ERR_REQ_DER, ERR_REQ_PARAMETERS, ERR_REQ_DIGEST,
 * ERR_REQ_SERIAL; ERR_REQ_HASH for a well-formed CertID of another algorithm, the cursor then
 * stands behind it.
 */
MUST_CHECK err_t certid_read(struct der *der, struct certid *out);

/*
 * As certid_read, for responses, which may speak of certificates that are none of our business: a
 * CertID of another algorithm, or with a longer serial, is read with alg = N_HASH_ALGS and its
 * other fields as sent. Such a one equals no CertID.
 */
MUST_CHECK err_t certid_read_any(struct der *der, struct certid *out);

/* Writes the encoding of a CertID that certid_read may have given, parameters always an explicit
 * NULL (NK-05); the number of octets. */
#define MAX_CERTID_LEN 224
size_t certid_encode(uint8_t dst[MAX_CERTID_LEN], const struct certid *certid);

#endif
