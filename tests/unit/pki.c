/* SPDX-License-Identifier: ISC */
/*
 * The throw-away PKI. Certificates are made by OpenSSL; responses by hand, because its API cannot
 * set producedAt and refuses to make most of what a relay must refuse. Everything made is kept in
 * static tables, where leak checkers can see it.
 */
#include "pki.h"

#include <stdatomic.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "build.h"
#include "core/dates.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static void check(int done)
{
	if (done != 1)
		abort();
}

/* Keeps a certificate or name for the rest of the process. */
static void *keep(void *p)
{
	static void *volatile kept[1024]; /* written only: else optimised away */
	static size_t n;

	check(n < N_ELEMENTS(kept));
	return kept[n++] = must(p);
}

/* --- leaks --- */

/* Criterion's children end without a leak check, so OpenSSL's memory is counted here. */
static atomic_long n_held, n_until_failure;

static bool fails_now(void)
{
	return n_until_failure > 0 && --n_until_failure == 0;
}

static void *count_malloc(size_t len, const char *file, int line)
{
	void *p = fails_now() ? NULL : malloc(len);

	(void)file;
	(void)line;
	n_held += p != NULL;
	return p;
}

static void count_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	n_held -= p != NULL;
	free(p);
}

static void *count_realloc(void *p, size_t len, const char *file, int line)
{
	if (!p)
		return count_malloc(len, file, line);
	if (len > 0)
		return fails_now() ? NULL : realloc(p, len);
	count_free(p, file, line);
	return NULL;
}

/* OpenSSL listens to this only before its first allocation. */
__attribute__((constructor)) static void start_counting(void)
{
	check(CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free));
}

long pki_openssl_holds(void)
{
	return n_held;
}

long pki_openssl_fail_at(long n)
{
	return atomic_exchange(&n_until_failure, n);
}

/* --- keys and names --- */

EVP_PKEY *pki_key(enum pki_key_kind kind, unsigned index)
{
	static EVP_PKEY *keys[PKI_N_KEY_KINDS][8];
	EVP_PKEY **key = &keys[kind][index];

	if (*key)
		return *key;
	switch (kind) {
	case PKI_P256:
		*key = EVP_EC_gen("P-256");
		break;
	case PKI_P224:
		*key = EVP_EC_gen("P-224");
		break;
	case PKI_RSA2048:
		*key = EVP_RSA_gen(2048);
		break;
	case PKI_RSA1024:
		*key = EVP_RSA_gen(1024);
		break;
	case PKI_ED25519:
		*key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	case PKI_N_KEY_KINDS:
		break;
	}
	return must(*key);
}

X509_NAME *pki_name(const char *common_name, int string_type)
{
	X509_NAME *name = keep(X509_NAME_new());

	check(X509_NAME_add_entry_by_txt(name, "CN", string_type, (const uint8_t *)common_name, -1,
					 -1, 0));
	return name;
}

/* --- certificates --- */

static void add_extensions(X509 *cert, X509 *issuer, const char *lines)
{
	BIO *text = must(BIO_new_mem_buf(lines, -1));
	CONF *conf = must(NCONF_new(NULL));
	long line = 0;
	X509V3_CTX ctx;

	check(NCONF_load_bio(conf, text, &line) > 0);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	check(X509V3_EXT_add_nconf(conf, &ctx, "default", cert));
	check(X509_set_version(cert, X509_VERSION_3));
	NCONF_free(conf);
	BIO_free(text);
}

static void set_serial(X509 *cert, const char *hex)
{
	BIGNUM *n = NULL;
	ASN1_INTEGER *serial;

	check(BN_hex2bn(&n, hex) > 0);
	serial = must(BN_to_ASN1_INTEGER(n, NULL));
	check(X509_set_serialNumber(cert, serial));
	ASN1_INTEGER_free(serial);
	BN_free(n);
}

/* ED25519 brings its own digest. */
static const EVP_MD *digest_for(EVP_PKEY *key, const EVP_MD *wanted)
{
	if (EVP_PKEY_is_a(key, "ED25519"))
		return NULL;
	return wanted ? wanted : EVP_sha256();
}

X509 *pki_cert(const struct pki_cert *spec)
{
	X509 *cert = keep(X509_new());
	EVP_PKEY *key = spec->key ? spec->key : pki_key(PKI_P256, 0);
	EVP_PKEY *signed_by = spec->signed_by ? spec->signed_by : key;
	X509_NAME *subject =
	    spec->subject ? spec->subject : pki_name(spec->name, V_ASN1_UTF8STRING);
	X509 *issuer = spec->issuer ? spec->issuer : cert;
	int64_t from = spec->not_before ? spec->not_before : PKI_NOW - PKI_YEAR;
	int64_t to = spec->not_after ? spec->not_after : PKI_NOW + PKI_YEAR;

	set_serial(cert, spec->serial ? spec->serial : "01");
	check(X509_set_subject_name(cert, subject));
	check(X509_set_issuer_name(cert, spec->issuer_name ? spec->issuer_name
							   : X509_get_subject_name(issuer)));
	must(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from));
	must(ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)to));
	check(X509_set_pubkey(cert, key));
	if (spec->exts)
		add_extensions(cert, issuer, spec->exts);
	check(X509_sign(cert, signed_by, digest_for(signed_by, spec->md)) > 0);
	/* Decoded, as the relay gets them: nothing cached, nothing marked as modified. */
	return must(keep(X509_dup(cert)));
}

struct slice pki_der(X509 *cert)
{
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);
	struct slice copy;

	check(len > 0);
	copy = CAT(slice_of(der, (size_t)len));
	OPENSSL_free(der);
	return copy;
}

struct slice pki_serial(const X509 *cert)
{
	uint8_t *der = NULL;
	int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &der);
	struct slice copy;

	check(len > 2 && len < 128);
	copy = CAT(slice_of(der + 2, (size_t)len - 2));
	OPENSSL_free(der);
	return copy;
}

/* --- responses --- */

static struct slice name_der(const X509_NAME *name)
{
	const uint8_t *der;
	size_t len;

	check(X509_NAME_get0_der(name, &der, &len));
	return slice_of(der, len);
}

static struct slice name_hash(const X509_NAME *name, const char *hash)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;

	check(X509_NAME_digest(name, EVP_get_digestbyname(hash), digest, &len));
	return CAT(slice_of(digest, len));
}

static struct slice key_hash(const X509 *cert, const char *hash)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;

	check(X509_pubkey_digest(cert, EVP_get_digestbyname(hash), digest, &len));
	return CAT(slice_of(digest, len));
}

static struct slice oid_of(const char *algorithm)
{
	const ASN1_OBJECT *oid = must(OBJ_nid2obj(OBJ_txt2nid(algorithm)));

	return TLV(DER_OID, slice_of(OBJ_get0_data(oid), OBJ_length(oid)));
}

struct certid pki_certid(X509 *issuer, const char *serial, enum hash_alg alg)
{
	const char *hash = hash_algs[alg].name;

	return (struct certid){.alg = alg,
			       .name_hash = name_hash(X509_get_subject_name(issuer), hash),
			       .key_hash = key_hash(issuer, hash),
			       .serial = HEX(serial)};
}

static struct slice time_of(int64_t t)
{
	char iso[ISO_DATE_SIZE];
	uint8_t digits[15];
	size_t n = 0;

	date_to_iso(iso, t);
	for (const char *c = iso; *c != '\0'; c++) {
		if (*c != '-' && *c != ':' && *c != 'T')
			digits[n++] = (uint8_t)*c;
	}
	return TLV(DER_GENERALIZED_TIME, slice_of(digits, n));
}

static struct slice status_of(const struct pki_single *single)
{
	const uint8_t reason = (uint8_t)(single->reason - 1);
	struct slice reason_tlv = EMPTY;

	switch (single->status) {
	case CERT_REVOKED:
		if (single->reason > 0)
			reason_tlv = TLV(DER_CONTEXT_0, TLV(DER_ENUMERATED, slice_of(&reason, 1)));
		return TLV(DER_CONTEXT_0 + 1, time_of(single->revoked_at), reason_tlv);
	case CERT_UNKNOWN:
		return TLV(DER_CONTEXT_PRIMITIVE_0 + 2, EMPTY);
	case CERT_GOOD:
	default:
		return TLV(DER_CONTEXT_PRIMITIVE_0, EMPTY);
	}
}

static struct slice next_update_of(const struct pki_single *single)
{
	if (single->next_update_text)
		return TLV(DER_CONTEXT_0,
			   TLV(DER_GENERALIZED_TIME, slice_text(single->next_update_text)));
	if (single->next_update == -1)
		return EMPTY;
	return TLV(DER_CONTEXT_0,
		   time_of(single->next_update ? single->next_update : PKI_NOW + PKI_DAY));
}

static struct slice extensions_of(struct slice exts)
{
	return exts.len > 0 ? TLV(DER_CONTEXT_0 + 1, TLV(DER_SEQUENCE, exts)) : EMPTY;
}

static struct slice single_of(const struct pki_single *single)
{
	const char *hash = single->hash ? single->hash : "sha1";
	const X509_NAME *name = single->name ? single->name : X509_get_subject_name(single->issuer);
	struct slice certid =
	    TLV(DER_SEQUENCE, TLV(DER_SEQUENCE, oid_of(hash), TLV(DER_NULL, EMPTY)),
		TLV(DER_OCTET_STRING, name_hash(name, hash)),
		TLV(DER_OCTET_STRING, key_hash(single->issuer, hash)),
		TLV(DER_INTEGER, HEX(single->serial ? single->serial : "01")));
	int64_t this_update = single->this_update ? single->this_update : PKI_NOW - PKI_DAY;

	return TLV(DER_SEQUENCE, certid, status_of(single), time_of(this_update),
		   next_update_of(single), extensions_of(single->exts));
}

static struct slice tbs_of(const struct pki_response *spec)
{
	struct slice version = EMPTY, responder, singles = EMPTY;

	if (spec->version > 0)
		version = TLV(DER_CONTEXT_0, TLV(DER_INTEGER, slice_of(&spec->version, 1)));
	if (spec->is_by_name)
		responder =
		    TLV(DER_CONTEXT_0 + 1, name_der(X509_get_subject_name(spec->responder)));
	else
		responder = TLV(DER_CONTEXT_0 + 2,
				TLV(DER_OCTET_STRING, key_hash(spec->responder, "sha1")));
	for (size_t i = 0; i < spec->n_singles; i++)
		singles = CAT(singles, single_of(&spec->singles[i]));
	return TLV(DER_SEQUENCE, version, responder,
		   time_of(spec->produced_at ? spec->produced_at : PKI_NOW - PKI_DAY),
		   TLV(DER_SEQUENCE, singles), extensions_of(spec->exts));
}

/* AlgorithmIdentifier and BIT STRING behind each other. */
static struct slice sign(const struct pki_response *spec, struct slice tbs)
{
	static const uint8_t no_unused_bits = 0;
	EVP_MD_CTX *ctx = must(EVP_MD_CTX_new());
	ASN1_BIT_STRING *bits = must(ASN1_BIT_STRING_new());
	ASN1_STRING *octets = must(ASN1_STRING_new());
	ASN1_TYPE *value = must(ASN1_TYPE_new());
	X509_ALGOR *alg = must(X509_ALGOR_new());
	uint8_t *alg_der = NULL;
	EVP_PKEY_CTX *key;
	struct slice out;
	int len;

	check(ASN1_STRING_set(octets, tbs.p, (int)tbs.len));
	ASN1_TYPE_set(value, V_ASN1_SEQUENCE, octets);
	check(EVP_DigestSignInit(ctx, &key, digest_for(spec->key, spec->md), NULL, spec->key));
	if (spec->is_pss)
		check(EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING));
	check(ASN1_item_sign_ctx(ASN1_ITEM_rptr(ASN1_ANY), alg, NULL, bits, value, ctx) > 0);
	len = i2d_X509_ALGOR(alg, &alg_der);
	check(len > 0);
	out = CAT(slice_of(alg_der, (size_t)len),
		  TLV(DER_BIT_STRING, slice_of(&no_unused_bits, 1),
		      slice_of(ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits))));
	OPENSSL_free(alg_der);
	X509_ALGOR_free(alg);
	ASN1_TYPE_free(value);
	ASN1_BIT_STRING_free(bits);
	EVP_MD_CTX_free(ctx);
	return out;
}

struct slice pki_response(const struct pki_response *spec)
{
	struct slice tbs = tbs_of(spec), certs = EMPTY, basic;

	if (spec->certs.len > 0)
		certs = TLV(DER_CONTEXT_0, TLV(DER_SEQUENCE, spec->certs));
	basic = TLV(DER_SEQUENCE, tbs, sign(spec, tbs), certs);
	return TLV(DER_SEQUENCE, HEX("0a0100"),
		   TLV(DER_CONTEXT_0, TLV(DER_SEQUENCE, HEX("06092b0601050507300101"),
					  TLV(DER_OCTET_STRING, basic))));
}

struct slice pki_response_alone(const struct pki_response *spec)
{
	size_t used = build_used;
	struct slice response = build_exact(pki_response(spec));

	build_used = used;
	return response;
}
