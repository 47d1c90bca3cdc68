/* SPDX-License-Identifier: ISC */
/*
 * The signer of a response. Two invariants carry the weight:
 *
 * - A key is never used before its holder was found entitled: the issuer itself, a certificate the
 *   operator named, or one that hangs directly below the issuer and says id-kp-OCSPSigning, which
 *   is core/delegate.c. Whether it is valid now is asked here, of each at each response.
 * - The signature is checked over the octets that arrived (rule VS-19): an ASN1_TYPE of SEQUENCE
 *   holds the whole of an element and is encoded as what it holds. What stands around it, signed by
 *   nobody, has only one form that passes, for the library would take others: the algorithm's
 *   parameters here, the frame of a certificate in core/delegate.c.
 */
#include "core/signer.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/bytes.h"
#include "core/dates.h"

#define SHA1_LEN     20
#define MIN_RSA_BITS 2048 /* rule VS-20 */
#define MIN_EC_BITS  256
#define MIN_SECURITY 112 /* of other keys: what RSA 2048 has (SP 800-57 part 1, 5.6.1) */

/* What is needed to try one key after the other on one response. */
struct trial {
	const struct response *response;
	const struct issuer *issuer;
	const struct delegate_set *known;
	int64_t now;
	X509_NAME *name; /* of the ResponderID, once it was decoded */
	X509_ALGOR *alg;
	ASN1_BIT_STRING *signature;
	ASN1_TYPE *tbs;
	bool has_weak_hash;
};

/* Who may have signed. */
struct candidate {
	enum signer_kind kind;
	EVP_PKEY *key; /* borrowed from the certificate */
	struct issuer_validity validity;
};

/* --- algorithms --- */

/* Absent and NULL are the same (RFC 4055 2.1 and 5; of other signatures RFC 5758 3.2 and RFC 8410 3
 * know only absent ones). */
static bool has_no_parameters(const struct algorithm *algorithm)
{
	static const uint8_t null[] = {DER_NULL, 0};

	return !algorithm->parameters.p ||
	       slice_eq(algorithm->parameters, slice_of(null, sizeof(null)));
}

static bool is_hash(struct slice content)
{
	struct der der = der_of(content);
	struct algorithm hash;

	return der_read_algorithm(&der, &hash) == OK && der_is_done(&der) &&
	       has_no_parameters(&hash);
}

static bool is_mask_function(struct slice content)
{
	struct der der = der_of(content);
	struct algorithm mask;

	return der_read_algorithm(&der, &mask) == OK && der_is_done(&der) &&
	       is_hash(mask.parameters);
}

static bool is_integer(struct slice content)
{
	struct der der = der_of(content);
	struct slice value;

	return der_read_integer(&der, DER_INTEGER, &value) == OK && der_is_done(&der);
}

/* RSASSA-PSS-params, RFC 4055 3.1: hashAlgorithm [0], maskGenAlgorithm [1], saltLength [2],
 * trailerField [3], each EXPLICIT and OPTIONAL. Their values are the library's to judge. */
static bool are_pss_parameters(struct slice parameters)
{
	static bool (*const is_field[])(struct slice) = {is_hash, is_mask_function, is_integer,
							 is_integer};
	struct der der = der_of(parameters);
	struct slice content;

	if (der_read(&der, DER_SEQUENCE, &content) != OK)
		return false;
	der = der_of(content);
	for (unsigned i = 0; i < N_ELEMENTS(is_field); i++) {
		const uint8_t tag = (uint8_t)(DER_CONTEXT_0 + i);

		if (der_is_next(&der, tag) &&
		    (der_read(&der, tag, &content) != OK || !is_field[i](content)))
			return false;
	}
	return der_is_done(&der);
}

/* No other parameters than the algorithm (its key type as a NID) has. */
static bool has_proper_parameters(struct slice alg, int key)
{
	struct der der = der_of(alg);
	struct algorithm algorithm;

	if (der_read_algorithm(&der, &algorithm) != OK)
		return false;
	return key == NID_rsassaPss ? are_pss_parameters(algorithm.parameters)
				    : has_no_parameters(&algorithm);
}

/* The digest inside of RSASSA-PSS parameters; SHA-1 where none is named (RFC 4055 3.1). */
static int pss_digest_of(const X509_ALGOR *alg)
{
	RSA_PSS_PARAMS *pss;
	const void *value;
	int type, nid;

	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type != V_ASN1_SEQUENCE)
		return NID_undef;
	pss = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (!pss)
		return NID_undef;
	nid = pss->hashAlgorithm ? OBJ_obj2nid(pss->hashAlgorithm->algorithm) : NID_sha1;
	RSA_PSS_PARAMS_free(pss);
	return nid;
}

/* Whether the library knows the algorithm and its digest is fit (rule VS-20): the 16 octets of MD5
 * and its elder brothers are not, the 20 of SHA-1 are weak. Ed25519, Ed448 and whatever has its
 * digest built in have nothing to judge here. */
static err_t judge_algorithm(const X509_ALGOR *alg, struct slice der, bool *out_is_weak)
{
	const ASN1_OBJECT *oid;
	const EVP_MD *md;
	int digest, key, size;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if (OBJ_find_sigid_algs(OBJ_obj2nid(oid), &digest, &key) != 1 ||
	    !has_proper_parameters(der, key))
		return ERR_RSP_ALGORITHM;
	if (key == NID_rsassaPss) {
		digest = pss_digest_of(alg);
	} else if (digest == NID_undef) {
		*out_is_weak = false;
		return OK;
	}
	md = EVP_get_digestbynid(digest);
	size = md ? EVP_MD_get_size(md) : 0;
	if (size < SHA1_LEN)
		return ERR_RSP_ALGORITHM;
	*out_is_weak = size == SHA1_LEN;
	return OK;
}

static bool is_weak_key(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"))
		return EVP_PKEY_get_bits(key) < MIN_RSA_BITS;
	if (EVP_PKEY_is_a(key, "EC"))
		return EVP_PKEY_get_bits(key) < MIN_EC_BITS;
	return EVP_PKEY_get_security_bits(key) < MIN_SECURITY;
}

/* --- trying a key --- */

static void trial_fini(struct trial *trial)
{
	X509_NAME_free(trial->name);
	X509_ALGOR_free(trial->alg);
	ASN1_BIT_STRING_free(trial->signature);
	ASN1_TYPE_free(trial->tbs);
}

/* The octets under the signature, as a value that the library encodes by copying. */
static err_t set_tbs(struct trial *trial)
{
	const struct slice tbs = trial->response->tbs;
	ASN1_STRING *octets = ASN1_STRING_new();

	trial->tbs = ASN1_TYPE_new();
	if (!octets || !trial->tbs || ASN1_STRING_set(octets, tbs.p, (int)tbs.len) != 1) {
		ASN1_STRING_free(octets);
		return ERR_NO_MEMORY;
	}
	ASN1_TYPE_set(trial->tbs, V_ASN1_SEQUENCE, octets);
	return OK;
}

/* Fills in what trial_fini frees; that is called after a failure, too. */
static err_t trial_init(struct trial *trial)
{
	const struct response *response = trial->response;
	const struct slice bits = response->signature;
	const uint8_t *alg = response->sig_alg.p;

	trial->alg = d2i_X509_ALGOR(NULL, &alg, (long)response->sig_alg.len);
	if (!trial->alg)
		return ERR_RSP_ALGORITHM;
	trial->signature = ASN1_BIT_STRING_new();
	if (!trial->signature || ASN1_STRING_set(trial->signature, bits.p, (int)bits.len) != 1 ||
	    set_tbs(trial) != OK)
		return ERR_NO_MEMORY;
	return judge_algorithm(trial->alg, response->sig_alg, &trial->has_weak_hash);
}

/* Time and signature: what is asked of every candidate. */
static err_t try_candidate(const struct trial *trial, const struct candidate *candidate,
			   struct signer *out)
{
	if (!issuer_is_valid_at(&candidate->validity, trial->now, trial->issuer->policy.clock_skew))
		return ERR_RSP_SIGNER_TIME;
	if (ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), trial->alg, trial->signature, trial->tbs,
			     candidate->key) != 1)
		return ERR_RSP_SIGNATURE;
	*out = (struct signer){.kind = candidate->kind,
			       .not_after = candidate->validity.not_after,
			       .is_weak = trial->has_weak_hash || is_weak_key(candidate->key)};
	return OK;
}

/* The name of the ResponderID, octet by octet; once it was decoded as RFC 5280 7.1 says. That is
 * safe, for what counts is the key. */
static bool is_name(const struct trial *trial, const X509_NAME *subject)
{
	const uint8_t *der;
	size_t len;

	if (trial->name)
		return X509_NAME_cmp(trial->name, subject) == 0;
	return X509_NAME_get0_der(subject, &der, &len) == 1 &&
	       slice_eq(trial->response->name, slice_of(der, len));
}

/* Whether the ResponderID names the holder of this certificate. */
static bool is_responder(const struct trial *trial, const X509 *cert)
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (trial->response->name.p)
		return is_name(trial, X509_get_subject_name(cert));
	return X509_pubkey_digest(cert, EVP_sha1(), digest, NULL) == 1 &&
	       slice_eq(trial->response->key_hash, slice_of(digest, SHA1_LEN));
}

/* The same of the issuer, whose key was hashed before. */
static bool is_issuer_responder(const struct trial *trial)
{
	const struct issuer *issuer = trial->issuer;

	if (trial->response->name.p)
		return is_responder(trial, issuer->certs[0]);
	return slice_eq(trial->response->key_hash, slice_of(issuer->key_hash[HASH_SHA1], SHA1_LEN));
}

/* --- the candidates --- */

/* Any of its certificates will do, for all have one name and one key. */
static err_t try_issuer(const struct trial *trial, struct signer *out)
{
	const struct candidate candidate = {.kind = SIGNER_ISSUER,
					    .key = X509_get0_pubkey(trial->issuer->certs[0]),
					    .validity = {INT64_MIN, TIME_NEVER}};

	if (!is_issuer_responder(trial))
		return ERR_RSP_RESPONDER_ID;
	return try_candidate(trial, &candidate, out);
}

static err_t try_trusted(const struct trial *trial, X509 *cert, struct signer *out)
{
	struct candidate candidate = {.kind = SIGNER_TRUSTED, .key = X509_get0_pubkey(cert)};

	if (!is_responder(trial, cert))
		return ERR_RSP_RESPONDER_ID;
	if (!issuer_validity_of(cert, &candidate.validity))
		return ERR_RSP_SIGNER_CERT;
	return try_candidate(trial, &candidate, out);
}

/* The delegate that was decoded and checked when it signed before, if this is its certificate and
 * the issuer still the one that it was checked against; one reference. NULL: not known. */
static struct delegate *recall(const struct trial *trial, struct slice der)
{
	for (unsigned i = 0; i < trial->known->n; i++) {
		struct delegate *delegate = trial->known->items[i];

		if (slice_eq(delegate_der(delegate), der) &&
		    delegate_is_below(delegate, trial->issuer))
			return delegate_ref(delegate);
	}
	return NULL;
}

static err_t try_delegate(const struct trial *trial, struct delegate *delegate, struct signer *out)
{
	const struct candidate candidate = {.kind = SIGNER_DELEGATE,
					    .key = X509_get0_pubkey(delegate_cert(delegate)),
					    .validity = *delegate_validity(delegate)};
	err_t e;

	if (!is_responder(trial, delegate_cert(delegate)))
		return ERR_RSP_RESPONDER_ID;
	if (!delegate_is_below(delegate, trial->issuer)) {
		e = delegate_check(delegate, trial->issuer);
		if (e != OK)
			return e;
	}
	e = try_candidate(trial, &candidate, out);
	if (e == OK)
		out->delegate = delegate_ref(delegate);
	return e;
}

/* A delegate's certificate, from the response or from memory. */
static err_t try_certificate(const struct trial *trial, struct slice der, struct signer *out)
{
	struct delegate *delegate = recall(trial, der);
	err_t e = delegate ? OK : delegate_new(der, &delegate);

	if (e == OK)
		e = try_delegate(trial, delegate, out);
	delegate_unref(delegate);
	return e;
}

/* The reason of whoever came further: errors.h lists them in the order of the checks. */
static err_t further(err_t a, err_t b)
{
	_Static_assert(ERR_RSP_RESPONDER_ID < ERR_RSP_SIGNER_CERT &&
			   ERR_RSP_SIGNER_CERT < ERR_RSP_SIGNER_ISSUER &&
			   ERR_RSP_SIGNER_ISSUER < ERR_RSP_SIGNER_EKU &&
			   ERR_RSP_SIGNER_EKU < ERR_RSP_SIGNER_USAGE &&
			   ERR_RSP_SIGNER_USAGE < ERR_RSP_SIGNER_TIME &&
			   ERR_RSP_SIGNER_TIME < ERR_RSP_SIGNER_CHAIN &&
			   ERR_RSP_SIGNER_CHAIN < ERR_RSP_SIGNATURE &&
			   ERR_RSP_SIGNATURE < ERR_NO_MEMORY,
		       "the rows of errors.h have another order");
	return a > b ? a : b;
}

/* Nobody whom the ResponderID names was there: his certificate is one that we know (rule VS-18). */
static err_t try_known(const struct trial *trial, struct signer *out)
{
	err_t e = ERR_RSP_RESPONDER_ID, reason = e;

	for (unsigned i = 0; e != OK && i < trial->known->n; i++) {
		e = try_certificate(trial, delegate_der(trial->known->items[i]), out);
		reason = further(reason, e);
	}
	if (e != OK)
		return reason;
	out->is_recalled = true;
	return OK;
}

/* Until one has signed: several may bear the responder's name (rule VS-17). */
static err_t try_all(const struct trial *trial, struct signer *out)
{
	struct der cursor = der_of(trial->response->certs);
	err_t e = try_issuer(trial, out), reason = e;
	struct slice cert;

	for (size_t i = 0; e != OK && i < trial->issuer->n_trusted; i++) {
		e = try_trusted(trial, trial->issuer->trusted[i], out);
		reason = further(reason, e);
	}
	while (e != OK && response_next_cert(&cursor, &cert) == OK) {
		e = try_certificate(trial, cert, out);
		reason = further(reason, e);
	}
	if (e != OK && reason == ERR_RSP_RESPONDER_ID)
		e = reason = try_known(trial, out);
	return e == OK ? OK : reason;
}

/* Nearly all responders are named by the very octets of their certificate: a name is
 * decoded, which takes 30,000 instructions, when nobody was found so. */
static err_t try_all_names(struct trial *trial, struct signer *out)
{
	const struct slice name = trial->response->name;
	const uint8_t *der = name.p;
	err_t e = try_all(trial, out);

	if (e == OK || !der)
		return e;
	trial->name = d2i_X509_NAME(NULL, &der, (long)name.len);
	return trial->name ? try_all(trial, out) : ERR_RSP_DER;
}

/* Whether an embedded certificate is none. Nobody has signed their list, so that anybody on the way
 * may have put it there; there are clients who cannot read the response then. */
static bool has_unreadable(const struct trial *trial, const struct delegate *signer)
{
	struct der cursor = der_of(trial->response->certs);
	struct slice cert;
	bool is_readable = true;

	while (is_readable && response_next_cert(&cursor, &cert) == OK) {
		struct delegate *other = NULL;

		if (!signer || !slice_eq(cert, delegate_der(signer)))
			is_readable = delegate_new(cert, &other) == OK;
		delegate_unref(other);
	}
	return !is_readable;
}

err_t signer_find(const struct response *response, const struct signer_question *question,
		  struct signer *out)
{
	static const struct delegate_set nobody;
	struct trial trial = {.response = response,
			      .issuer = question->issuer,
			      .known = question->known ? question->known : &nobody,
			      .now = question->now};
	err_t e;

	if (response->der.len > INT_MAX) /* OpenSSL's idea of a length */
		return ERR_RSP_DER;
	e = trial_init(&trial);
	if (e == OK)
		e = try_all_names(&trial, out);
	if (e == OK)
		out->has_unreadable = has_unreadable(&trial, out->delegate);
	trial_fini(&trial);
	ERR_clear_error();
	return e;
}
