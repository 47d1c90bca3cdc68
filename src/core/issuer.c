/* SPDX-License-Identifier: ISC */
/*
 * Building an issuer out of certificates, and the questions that one certificate answers. All that
 * OpenSSL would compute on first use (extension cache, key) is computed here, at building time, so
 * that the threads which later share an issuer only ever read.
 */
#include "core/issuer.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

#define MAX_URL_LEN 2048

/* In the order of enum hash_alg. */
static const EVP_MD *(*const digests[N_HASH_ALGS])(void) = {EVP_sha1, EVP_sha224, EVP_sha256,
							    EVP_sha384, EVP_sha512};

static const X509_NAME *subject_of(const struct issuer *issuer)
{
	return X509_get_subject_name(issuer->certs[0]);
}

static EVP_PKEY *key_of(const struct issuer *issuer)
{
	return X509_get0_pubkey(issuer->certs[0]);
}

/* --- hashes --- */

static bool hash_name(const X509_NAME *name, struct issuer_names *out)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		if (X509_NAME_digest(name, digests[i](), out->hash[i], NULL) != 1)
			return false;
	}
	return true;
}

/* Over the value of the BIT STRING, without tag, length and unused bits (rule NK-01). */
static bool hash_key(const X509 *cert, uint8_t out[N_HASH_ALGS][MAX_DIGEST_LEN])
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		if (X509_pubkey_digest(cert, digests[i](), out[i], NULL) != 1)
			return false;
	}
	return true;
}

bool issuer_id_of(X509 *cert, uint8_t out_id[ISSUER_ID_LEN])
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
	uint8_t id[EVP_MAX_MD_SIZE];
	const uint8_t *name;
	EVP_MD_CTX *ctx;
	size_t name_len;
	bool done;

	if (!key || X509_NAME_get0_der(X509_get_subject_name(cert), &name, &name_len) != 1)
		return false;
	ctx = EVP_MD_CTX_new();
	done = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	       EVP_DigestUpdate(ctx, name, name_len) == 1 &&
	       EVP_DigestUpdate(ctx, ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key)) ==
		   1 &&
	       EVP_DigestFinal_ex(ctx, id, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (done)
		memcpy(out_id, id, ISSUER_ID_LEN);
	else
		ERR_clear_error();
	return done;
}

/* --- times --- */

static bool seconds_of(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

bool issuer_validity_of(const X509 *cert, struct issuer_validity *out)
{
	struct issuer_validity v;

	if (!seconds_of(X509_get0_notBefore(cert), &v.not_before) ||
	    !seconds_of(X509_get0_notAfter(cert), &v.not_after)) {
		ERR_clear_error();
		return false;
	}
	*out = v;
	return true;
}

bool issuer_is_valid_at(const struct issuer_validity *validity, int64_t now, int64_t skew)
{
	return validity->not_before <= time_add(now, skew) && now < validity->not_after;
}

int64_t issuer_valid_until(const struct issuer *issuer, int64_t now)
{
	int64_t until = INT64_MIN;

	for (size_t i = 0; i < issuer->n_certs; i++) {
		const struct issuer_validity *validity = &issuer->validity[i];

		if (issuer_is_valid_at(validity, now, issuer->policy.clock_skew) &&
		    validity->not_after > until)
			until = validity->not_after;
	}
	return until;
}

int64_t issuer_not_after(const struct issuer *issuer)
{
	int64_t latest = INT64_MIN;

	for (size_t i = 0; i < issuer->n_certs; i++) {
		if (issuer->validity[i].not_after > latest)
			latest = issuer->validity[i].not_after;
	}
	return latest;
}

int64_t issuer_not_before(const struct issuer *issuer)
{
	int64_t earliest = INT64_MAX;

	for (size_t i = 0; i < issuer->n_certs; i++) {
		if (issuer->validity[i].not_before < earliest)
			earliest = issuer->validity[i].not_before;
	}
	return earliest;
}

/* --- building --- */

/* For people only, so a name that cannot be shown as it is need not be. */
static char *common_name(const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *utf8 = NULL;
	char *oneline, *label = NULL;
	int len;

	if (at >= 0) {
		len = ASN1_STRING_to_UTF8(&utf8,
					  X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		if (len > 0)
			label = strndup((char *)utf8, (size_t)len);
		OPENSSL_free(utf8);
	} else {
		oneline = X509_NAME_oneline(name, NULL, 0);
		label = oneline ? strdup(oneline) : NULL;
		OPENSSL_free(oneline);
	}
	for (char *c = label; c && *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return label;
}

/*
 * No trust settings, no look-ups, no purpose: what may sign is decided in signer.c, this only says
 * whether a certificate hangs directly below these. Times are compared there too, with the skew of
 * the policy. Level 0 because OpenSSL's security level would judge the delegate's certificate by
 * the age of its algorithms; rule VS-20 judges the response, and whether the CA may sign with SHA-1
 * is the CA's and the client's matter.
 */
static X509_STORE *new_store(void)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param;

	if (!store)
		return NULL;
	param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_depth(param, 0);
	X509_VERIFY_PARAM_set_auth_level(param, 0);
	if (X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
						   X509_V_FLAG_NO_CHECK_TIME) != 1) {
		X509_STORE_free(store);
		return NULL;
	}
	return store;
}

/* Makes OpenSSL compute what it keeps inside of a certificate. False: a certificate not to use. */
static bool prepare(X509 *cert)
{
	X509_trust_clear(cert);
	X509_reject_clear(cert);
	return X509_check_purpose(cert, -1, 0) == 1 && X509_get0_pubkey(cert);
}

static bool is_among(X509 *const *certs, size_t n, const X509 *cert)
{
	for (size_t i = 0; i < n; i++) {
		if (X509_cmp(certs[i], cert) == 0)
			return true;
	}
	return false;
}

static err_t append_cert(X509 ***certs, size_t *n, X509 *cert)
{
	X509 **grown = reallocarray(*certs, *n + 1, sizeof(*grown));

	if (!grown)
		return ERR_NO_MEMORY;
	*certs = grown;
	if (X509_up_ref(cert) != 1)
		return ERR_INTERNAL;
	grown[(*n)++] = cert;
	return OK;
}

err_t issuer_add_cert(struct issuer *issuer, X509 *cert)
{
	struct issuer_validity validity, *grown;
	uint8_t id[ISSUER_ID_LEN];
	err_t e = ERR_CERTIFICATE;

	if (!prepare(cert) || X509_check_ca(cert) != 1 || !issuer_id_of(cert, id) ||
	    memcmp(id, issuer->id, sizeof(id)) != 0 || !issuer_validity_of(cert, &validity))
		goto out;
	e = OK;
	if (is_among(issuer->certs, issuer->n_certs, cert))
		goto out;
	e = ERR_NO_MEMORY;
	grown = reallocarray(issuer->validity, issuer->n_certs + 1, sizeof(*grown));
	if (!grown)
		goto out;
	issuer->validity = grown;
	grown[issuer->n_certs] = validity;
	if (X509_STORE_add_cert(issuer->store, cert) != 1)
		goto out;
	e = append_cert(&issuer->certs, &issuer->n_certs, cert);
out:
	ERR_clear_error();
	return e;
}

err_t issuer_new(X509 *cert, const char *label, struct issuer **out)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));
	err_t e = ERR_NO_MEMORY;

	if (!issuer)
		goto out;
	issuer->policy = policy_default;
	issuer->label = label ? strdup(label) : common_name(cert);
	issuer->names = calloc(1, sizeof(*issuer->names));
	issuer->store = new_store();
	if (!issuer->label || !issuer->names || !issuer->store)
		goto out;
	e = ERR_CERTIFICATE;
	if (!issuer_id_of(cert, issuer->id) || !hash_key(cert, issuer->key_hash) ||
	    !hash_name(X509_get_subject_name(cert), &issuer->names[0]))
		goto out;
	issuer->n_names = 1;
	e = issuer_add_cert(issuer, cert);
	if (e != OK)
		goto out;
	*out = issuer;
	issuer = NULL;
out:
	issuer_free(issuer);
	ERR_clear_error();
	return e;
}

void issuer_free(struct issuer *issuer)
{
	if (!issuer)
		return;
	for (size_t i = 0; i < issuer->n_certs; i++)
		X509_free(issuer->certs[i]);
	for (size_t i = 0; i < issuer->n_trusted; i++)
		X509_free(issuer->trusted[i]);
	for (size_t i = 0; i < issuer->n_responders; i++)
		free(issuer->responders[i].url);
	X509_STORE_free(issuer->store);
	free(issuer->certs);
	free(issuer->validity);
	free(issuer->trusted);
	free(issuer->responders);
	free(issuer->names);
	free(issuer->label);
	free(issuer->proxy);
	free(issuer);
}

err_t issuer_add_trusted(struct issuer *issuer, X509 *cert)
{
	err_t e = ERR_CERTIFICATE;

	if (prepare(cert))
		e = is_among(issuer->trusted, issuer->n_trusted, cert)
			? OK
			: append_cert(&issuer->trusted, &issuer->n_trusted, cert);
	ERR_clear_error();
	return e;
}

err_t issuer_add_responder(struct issuer *issuer, const char *url)
{
	struct issuer_responder *grown;
	char *copy;

	for (size_t i = 0; i < issuer->n_responders; i++) {
		if (strcmp(issuer->responders[i].url, url) == 0)
			return OK;
	}
	grown = reallocarray(issuer->responders, issuer->n_responders + 1, sizeof(*grown));
	if (!grown)
		return ERR_NO_MEMORY;
	issuer->responders = grown;
	copy = strdup(url);
	if (!copy)
		return ERR_NO_MEMORY;
	grown[issuer->n_responders++] = (struct issuer_responder){.url = copy};
	return OK;
}

err_t issuer_add_name_of(struct issuer *issuer, X509 *leaf)
{
	const X509_NAME *name = X509_get_issuer_name(leaf);
	struct issuer_names variant, *grown;
	const size_t len = hash_algs[HASH_SHA256].len;

	if (X509_NAME_cmp(name, subject_of(issuer)) != 0 || !hash_name(name, &variant)) {
		ERR_clear_error();
		return ERR_CERTIFICATE;
	}
	for (size_t i = 0; i < issuer->n_names; i++) {
		if (memcmp(issuer->names[i].hash[HASH_SHA256], variant.hash[HASH_SHA256], len) == 0)
			return OK;
	}
	grown = reallocarray(issuer->names, issuer->n_names + 1, sizeof(*grown));
	if (!grown)
		return ERR_NO_MEMORY;
	issuer->names = grown;
	grown[issuer->n_names++] = variant;
	return OK;
}

/* --- questions --- */

/* None is twice in an array (append_cert), so as many and all of them is the same ones. */
static bool are_same(X509 *const *a, size_t n_a, X509 *const *b, size_t n_b)
{
	for (size_t i = 0; i < n_a; i++) {
		if (!is_among(b, n_b, a[i]))
			return false;
	}
	return n_a == n_b;
}

bool issuer_has_same_trust(const struct issuer *a, const struct issuer *b)
{
	return are_same(a->certs, a->n_certs, b->certs, b->n_certs) &&
	       are_same(a->trusted, a->n_trusted, b->trusted, b->n_trusted) &&
	       a->policy.weak_signature == b->policy.weak_signature;
}

bool issuer_has_issued(const struct issuer *issuer, X509 *leaf)
{
	bool has = X509_NAME_cmp(X509_get_issuer_name(leaf), subject_of(issuer)) == 0 &&
		   X509_verify(leaf, key_of(issuer)) == 1;

	ERR_clear_error();
	return has;
}

/* Visible ASCII that RFC 3986 2 allows, behind one of the two schemes. */
static bool is_http_url(struct slice url)
{
	static const char never[] = "\"<>\\^`{|}";
	size_t scheme_len;

	if (slice_eq_nocase(slice_take(url, 7), "http://"))
		scheme_len = 7;
	else if (slice_eq_nocase(slice_take(url, 8), "https://"))
		scheme_len = 8;
	else
		return false;
	if (url.len == scheme_len || url.len > MAX_URL_LEN)
		return false;
	for (size_t i = 0; i < url.len; i++) {
		if (url.p[i] <= ' ' || url.p[i] > '~' || strchr(never, url.p[i]))
			return false;
	}
	return true;
}

char *issuer_responder_of(X509 *leaf)
{
	AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(leaf, NID_info_access, NULL, NULL);
	char *found = NULL;

	for (int i = 0; !found && i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
		const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(aia, i);
		const ASN1_STRING *uri = access->location->d.uniformResourceIdentifier;
		struct slice url;

		if (OBJ_obj2nid(access->method) != NID_ad_OCSP || access->location->type != GEN_URI)
			continue;
		url = slice_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
		if (is_http_url(url))
			found = strndup((const char *)url.p, url.len);
	}
	AUTHORITY_INFO_ACCESS_free(aia);
	ERR_clear_error();
	return found;
}

/* The content octets of the serial number as they stand in DER. */
static err_t read_serial(const X509 *cert, uint8_t dst[MAX_SERIAL_LEN], size_t *out_len)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	uint8_t der[2 + MAX_SERIAL_LEN], *end = der;
	int len = i2d_ASN1_INTEGER(serial, NULL);

	if (len < 3 || (size_t)len > sizeof(der)) /* a longer one has a longer header, too */
		return ERR_REQ_SERIAL;
	i2d_ASN1_INTEGER(serial, &end);
	*out_len = (size_t)len - 2;
	memcpy(dst, der + 2, *out_len);
	return OK;
}

err_t issuer_certid(const struct issuer *issuer, X509 *cert, enum hash_alg alg,
		    struct certid_of_cert *out)
{
	const size_t len = hash_algs[alg].len;
	uint8_t name_hash[EVP_MAX_MD_SIZE], serial[MAX_SERIAL_LEN];
	size_t serial_len = 0;
	err_t e = read_serial(cert, serial, &serial_len);

	if (e == OK &&
	    X509_NAME_digest(X509_get_issuer_name(cert), digests[alg](), name_hash, NULL) != 1)
		e = ERR_NO_MEMORY;
	ERR_clear_error();
	if (e != OK)
		return e;
	memcpy(out->name_hash, name_hash, len);
	memcpy(out->serial, serial, serial_len);
	out->certid = (struct certid){.alg = alg,
				      .name_hash = slice_of(out->name_hash, len),
				      .key_hash = slice_of(issuer->key_hash[alg], len),
				      .serial = slice_of(out->serial, serial_len)};
	return OK;
}

bool issuer_is_named_by(const struct issuer *issuer, const struct certid *certid)
{
	const enum hash_alg alg = certid->alg;
	size_t len;

	if (alg >= N_HASH_ALGS)
		return false;
	len = hash_algs[alg].len;
	if (!slice_eq(certid->key_hash, slice_of(issuer->key_hash[alg], len)))
		return false;
	for (size_t i = 0; i < issuer->n_names; i++) {
		if (slice_eq(certid->name_hash, slice_of(issuer->names[i].hash[alg], len)))
			return true;
	}
	return false;
}
