/* SPDX-License-Identifier: ISC */
/* The issuer table: which issuer a CertID names, in every algorithm, by key and name. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "state/issuers.h"

static const struct hash_key hash_key = {.k0 = 1, .k1 = 2};

/* --- issuers of real certificates, OpenSSL's CertIDs as the oracle --- */

static X509 *ca_cert(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_EXTENSION *ext =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "20260101000000Z");
	ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "20360101000000Z");
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	if (X509_sign(cert, key, EVP_sha256()) <= 0)
		abort();
	return cert;
}

static struct issuer *add_ca(struct issuers *issuers, X509 *cert)
{
	struct issuer *issuer = NULL;

	cr_assert_eq(issuer_new(cert, NULL, &issuer), OK);
	cr_assert_eq(issuers_add(issuers, issuer), OK);
	return issuer;
}

/* Looks up the CertID that OpenSSL makes for this name and the key of this certificate. */
static err_t find_as_openssl(const struct issuers *issuers, const X509_NAME *name, X509 *ca,
			     enum hash_alg alg, const struct issuer **out)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	OCSP_CERTID *id = OCSP_cert_id_new(EVP_get_digestbyname(hash_algs[alg].name), name,
					   X509_get0_pubkey_bitstr(ca), serial);
	ASN1_OCTET_STRING *name_hash, *key_hash;
	struct certid certid = {.alg = alg};
	err_t err;

	OCSP_id_get0_info(&name_hash, NULL, &key_hash, NULL, id);
	certid.name_hash =
	    slice_of(ASN1_STRING_get0_data(name_hash), (size_t)ASN1_STRING_length(name_hash));
	certid.key_hash =
	    slice_of(ASN1_STRING_get0_data(key_hash), (size_t)ASN1_STRING_length(key_hash));
	err = issuers_find(issuers, &certid, out);
	OCSP_CERTID_free(id);
	ASN1_INTEGER_free(serial);
	return err;
}

Test(issuers, NK_01_found_by_the_hashes_of_all_five_algorithms)
{
	struct issuers *issuers = issuers_new(hash_key);
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
	X509 *cert = ca_cert(key, "CA"), *other = ca_cert(other_key, "Other CA");
	X509 *same_key = ca_cert(key, "CA with the same key");
	X509 *unknown = ca_cert(other_key, "CA");
	struct issuer *ca = add_ca(issuers, cert);
	struct issuer *twin = add_ca(issuers, same_key);

	cr_assert_eq(issuers_seal(issuers), OK);
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		enum hash_alg alg = (enum hash_alg)i;
		const struct issuer *found = NULL;

		cr_expect_eq(
		    find_as_openssl(issuers, X509_get_subject_name(cert), cert, alg, &found), OK);
		cr_expect_eq(found, ca);
		cr_expect_eq(find_as_openssl(issuers, X509_get_subject_name(same_key), same_key,
					     alg, &found),
			     OK);
		cr_expect_eq(found, twin);
		found = NULL;
		cr_expect_eq(
		    find_as_openssl(issuers, X509_get_subject_name(other), other, alg, &found),
		    ERR_ISSUER_UNKNOWN);
		cr_expect_eq(
		    find_as_openssl(issuers, X509_get_subject_name(unknown), unknown, alg, &found),
		    ERR_ISSUER_UNKNOWN);
		cr_expect_eq(
		    find_as_openssl(issuers, X509_get_subject_name(other), cert, alg, &found),
		    ERR_ISSUER_NAME);
		cr_expect_null(found);
	}
	issuers_unref(issuers);
	X509_free(cert);
	X509_free(other);
	X509_free(same_key);
	X509_free(unknown);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
}

/* --- issuers made by hand, with digests by number --- */

static void fill_digests(uint8_t out[N_HASH_ALGS][MAX_DIGEST_LEN], uint64_t n)
{
	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		memset(out[alg], (int)alg, MAX_DIGEST_LEN);
		put_u64(out[alg], n);
	}
}

/* An issuer with key key_n and names first_name .. first_name + n_names - 1. */
static struct issuer *issuer_of(uint64_t id, uint64_t key_n, uint64_t first_name, size_t n_names)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));

	put_u64(issuer->id, id);
	fill_digests(issuer->key_hash, key_n);
	issuer->names = calloc(n_names, sizeof(*issuer->names));
	issuer->n_names = n_names;
	for (size_t i = 0; i < n_names; i++)
		fill_digests(issuer->names[i].hash, first_name + i);
	return issuer;
}

static err_t find_number(const struct issuers *issuers, enum hash_alg alg, uint64_t key_n,
			 uint64_t name_n, const struct issuer **out)
{
	uint8_t key[N_HASH_ALGS][MAX_DIGEST_LEN], name[N_HASH_ALGS][MAX_DIGEST_LEN];
	struct certid certid = {.alg = alg};

	fill_digests(key, key_n);
	fill_digests(name, name_n);
	certid.key_hash = slice_of(key[alg], hash_algs[alg].len);
	certid.name_hash = slice_of(name[alg], hash_algs[alg].len);
	return issuers_find(issuers, &certid, out);
}

Test(issuers, NK_02_each_encoding_of_the_name_and_no_other)
{
	struct issuers *issuers = issuers_new(hash_key);
	struct issuer *issuer = issuer_of(1, 100, 10, 3);

	cr_assert_eq(issuers_add(issuers, issuer), OK);
	cr_assert_eq(issuers_seal(issuers), OK);
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		for (uint64_t name = 9; name <= 13; name++) {
			const struct issuer *found = NULL;
			bool is_known = name >= 10 && name <= 12;

			cr_expect_eq(find_number(issuers, (enum hash_alg)i, 100, name, &found),
				     is_known ? OK : ERR_ISSUER_NAME);
			cr_expect_eq(found, is_known ? issuer : NULL);
		}
	}
	issuers_unref(issuers);
}

Test(issuers, an_unknown_algorithm_names_nobody)
{
	struct issuers *issuers = issuers_new(hash_key);
	struct issuer *issuer = issuer_of(1, 100, 10, 1);
	const struct issuer *found = NULL;
	struct certid certid = {.alg = N_HASH_ALGS};

	certid.key_hash = slice_of(issuer->key_hash[HASH_SHA1], hash_algs[HASH_SHA1].len);
	cr_assert_eq(issuers_add(issuers, issuer), OK);
	cr_assert_eq(issuers_seal(issuers), OK);
	cr_expect_eq(issuers_find(issuers, &certid, &found), ERR_ISSUER_UNKNOWN);
	cr_expect_null(found);
	issuers_unref(issuers);
}

Test(issuers, one_key_under_several_subjects)
{
	enum {
		N = 50
	};
	struct issuers *issuers = issuers_new(hash_key);
	struct issuer *all[N];
	const struct issuer *found = NULL;

	for (uint64_t i = 0; i < N; i++) {
		all[i] = issuer_of(i, 100, 10 * i, 2);
		cr_assert_eq(issuers_add(issuers, all[i]), OK);
	}
	cr_assert_eq(issuers_seal(issuers), OK);
	for (uint64_t i = 0; i < N; i++) {
		cr_expect_eq(find_number(issuers, HASH_SHA1, 100, 10 * i + 1, &found), OK);
		cr_expect_eq(found, all[i]);
		cr_expect_eq(find_number(issuers, HASH_SHA1, 100, 10 * i + 2, &found),
			     ERR_ISSUER_NAME);
	}
	issuers_unref(issuers);
}

Test(issuers, tens_of_thousands_are_found_by_id_and_by_certid)
{
	enum {
		N = 30000
	};
	struct issuers *issuers = issuers_new(hash_key);
	const struct issuer *found = NULL;
	uint8_t id[ISSUER_ID_LEN] = {0};

	for (uint64_t i = 0; i < N; i++) {
		put_u64(id, i);
		cr_assert_null(issuers_by_id(issuers, id));
		cr_assert_eq(issuers_add(issuers, issuer_of(i, i, i + 7, 1)), OK);
		cr_assert_eq(issuers_by_id(issuers, id), issuers_at(issuers, i));
	}
	cr_assert_eq(issuers_seal(issuers), OK);
	cr_expect_eq(issuers_count(issuers), N);
	for (uint64_t i = 0; i < N; i++) {
		enum hash_alg alg = (enum hash_alg)(i % N_HASH_ALGS);

		put_u64(id, i);
		cr_assert_eq(issuers_by_id(issuers, id), issuers_at(issuers, i));
		cr_assert_eq(find_number(issuers, alg, i, i + 7, &found), OK);
		cr_assert_eq(found, issuers_at(issuers, i));
		cr_assert_eq(find_number(issuers, alg, i + N, i + 7, &found), ERR_ISSUER_UNKNOWN);
	}
	issuers_unref(issuers);
}

Test(issuers, nothing_is_found_where_nothing_is)
{
	struct issuers *issuers = issuers_new(hash_key);
	const struct issuer *found = NULL;
	const uint8_t id[ISSUER_ID_LEN] = {0};

	cr_expect_eq(find_number(issuers, HASH_SHA1, 1, 1, &found), ERR_ISSUER_UNKNOWN);
	cr_assert_eq(issuers_seal(issuers), OK);
	cr_expect_eq(find_number(issuers, HASH_SHA1, 1, 1, &found), ERR_ISSUER_UNKNOWN);
	cr_expect_null(issuers_by_id(issuers, id));
	cr_expect_eq(issuers_count(issuers), 0);
	cr_expect_null(found);
	issuers_unref(issuers);
	issuers_unref(NULL);
}

Test(issuers, lives_until_the_last_reference)
{
	struct issuers *issuers = issuers_new(hash_key);
	const struct issuer *found = NULL;

	cr_assert_eq(issuers_add(issuers, issuer_of(1, 1, 1, 1)), OK);
	cr_assert_eq(issuers_seal(issuers), OK);
	cr_expect_eq(issuers_ref(issuers), issuers);
	issuers_unref(issuers);
	cr_expect_eq(find_number(issuers, HASH_SHA1, 1, 1, &found), OK);
	issuers_unref(issuers);
}
