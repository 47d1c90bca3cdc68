/* SPDX-License-Identifier: ISC */
/*
 * The CAs of a play: certificates, what is true of each of them at any time, and the responses that
 * say so. Every response that was ever made is remembered, so that what clients get can be judged
 * without asking the code that is tested.
 *
 * The CAs' time is the true one, which passes evenly; the relays' clock may be wrong.
 */
#ifndef OCSPRELAY_TESTS_REPLAY_AUTHORITY_H
#define OCSPRELAY_TESTS_REPLAY_AUTHORITY_H

#include "core/ocsp_request.h"
#include "core/response.h"
#include "pki.h"

#define MAX_ISSUERS 4
#define MAX_ASKERS  3 /* responders of an issuer */

struct authority_issuer {
	const char *name;
	X509 *cert;
	const char *responders[MAX_ASKERS];
	size_t n_responders;
};

extern struct authority {
	struct authority_issuer issuers[MAX_ISSUERS];
	size_t n_issuers;
	size_t n_certs; /* numbered from 0 */
} authority;

int64_t authority_now(void); /* true seconds since 1970 */

struct authority_issuer *authority_add_issuer(const char *name);

/* n of them: NAME for one, NAME1 to NAMEn for more. */
void authority_add_certs(const char *name, size_t n, size_t issuer);

struct cert_range {
	size_t first, n;
};

/* A certificate, or all that were added under one name; false: there is none of that name. */
bool authority_find(const char *name, struct cert_range *out);
const char *authority_name(size_t cert); /* for messages; valid until the next call */

/* From now on. */
void authority_set_status(size_t cert, enum cert_status status);

/* The CertID; borrows from static memory until the next call. */
struct certid authority_certid(size_t cert, enum hash_alg alg);

/* The certificate that is asked about; false: none of ours. */
bool authority_is_asked(const struct certid *certid, size_t *out_cert);

struct authority_order {
	size_t cert;
	enum hash_alg alg;
	int64_t at;    /* thisUpdate, producedAt, and when the status was looked at */
	int64_t valid; /* seconds; 0: no nextUpdate */
	struct slice nonce_ext;
	bool is_broken; /* the signature is */
};

/* A response made to order, to be freed by the caller. */
struct slice authority_sign(const struct authority_order *order);

struct statement { /* what a response says */
	size_t cert;
	enum hash_alg alg;
	enum cert_status status;
	int64_t this_update, next_update; /* TIME_NEVER: none */
	bool is_broken;
};

/* False: nobody ever made these octets. */
bool authority_recall(struct slice response, struct statement *out);

void authority_close(void);

#endif
