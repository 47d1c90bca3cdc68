/* SPDX-License-Identifier: ISC */
/* Issuers: identity, hashes, names, and what certificates tell about them. */
#include "core/issuer.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "build.h"
#include "pki.h"

static X509 *ca_cert(unsigned key, int64_t not_before, int64_t not_after)
{
	return pki_cert(&(struct pki_cert){.name = "Test CA",
					   .key = pki_key(PKI_P256, key),
					   .not_before = not_before,
					   .not_after = not_after,
					   .exts = PKI_CA_EXTS});
}

static X509 *leaf_of(X509 *ca, unsigned ca_key, const char *exts)
{
	return pki_cert(&(struct pki_cert){.name = "leaf.example",
					   .key = pki_key(PKI_P256, 7),
					   .issuer = ca,
					   .signed_by = pki_key(PKI_P256, ca_key),
					   .serial = "120d7a6ce943fcd4690c0dfbffddc5fc",
					   .exts = exts});
}

static struct issuer *issuer_of(X509 *cert)
{
	struct issuer *issuer = NULL;
	err_t e = issuer_new(cert, "test", &issuer);

	cr_assert_eq(e, OK, "%s", err_row(e)->text);
	return issuer;
}

/* --- hashes and identity --- */

static struct slice octets(const ASN1_STRING *string)
{
	return slice_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

Test(issuer, NK_01_certid_equals_openssl_in_all_five_algorithms)
{
	X509 *ca = ca_cert(0, 0, 0), *leaf = leaf_of(ca, 0, NULL);
	struct issuer *issuer = issuer_of(ca);

	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		OCSP_CERTID *theirs =
		    OCSP_cert_to_id(EVP_get_digestbyname(hash_algs[alg].name), leaf, ca);
		ASN1_OCTET_STRING *name, *key;
		ASN1_INTEGER *serial;
		struct certid_of_cert ours;

		cr_assert_eq(issuer_certid(issuer, leaf, (enum hash_alg)alg, &ours), OK);
		cr_assert_eq(OCSP_id_get0_info(&name, NULL, &key, &serial, theirs), 1);
		cr_expect(slice_eq(ours.certid.name_hash, octets(name)), "%u name", alg);
		cr_expect(slice_eq(ours.certid.key_hash, octets(key)), "%u key", alg);
		cr_expect(slice_eq(ours.certid.serial, octets(serial)), "%u serial", alg);
		cr_expect(issuer_is_named_by(issuer, &ours.certid), "%u", alg);
		OCSP_CERTID_free(theirs);
	}
	issuer_free(issuer);
}

Test(issuer, NK_01_every_octet_of_the_hashes_counts)
{
	struct issuer *issuer = issuer_of(ca_cert(0, 0, 0));
	struct certid_of_cert of;
	X509 *leaf = leaf_of(issuer->certs[0], 0, NULL);

	cr_assert_eq(issuer_certid(issuer, leaf, HASH_SHA1, &of), OK);
	for (size_t i = 0; i < 20; i++) {
		uint8_t key[20];
		struct certid other = of.certid;

		memcpy(key, of.certid.key_hash.p, sizeof(key));
		key[i] ^= 1;
		other.key_hash = slice_of(key, sizeof(key));
		cr_expect_not(issuer_is_named_by(issuer, &other), "key hash, octet %zu", i);
		of.name_hash[i] ^= 1;
		cr_expect_not(issuer_is_named_by(issuer, &of.certid), "name hash, octet %zu", i);
		of.name_hash[i] ^= 1;
	}
	of.certid.alg = N_HASH_ALGS;
	cr_expect_not(issuer_is_named_by(issuer, &of.certid), "unknown algorithm");
	of.certid.alg = HASH_SHA256;
	cr_expect_not(issuer_is_named_by(issuer, &of.certid), "hashes of another algorithm");
	issuer_free(issuer);
}

Test(issuer, NK_02_other_encoding_of_the_name_is_learnt_from_a_leaf)
{
	X509 *ca = pki_cert(&(struct pki_cert){
	    .subject = pki_name("Test CA", V_ASN1_PRINTABLESTRING), .exts = PKI_CA_EXTS});
	X509 *leaf =
	    pki_cert(&(struct pki_cert){.name = "leaf",
					.key = pki_key(PKI_P256, 1),
					.issuer_name = pki_name("Test CA", V_ASN1_UTF8STRING),
					.signed_by = pki_key(PKI_P256, 0)});
	struct issuer *issuer = issuer_of(ca);

	cr_expect(issuer_has_issued(issuer, leaf));
	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		struct certid_of_cert of;

		cr_assert_eq(issuer_certid(issuer, leaf, (enum hash_alg)alg, &of), OK);
		cr_expect_not(issuer_is_named_by(issuer, &of.certid), "before, %u", alg);
	}
	cr_assert_eq(issuer_add_name_of(issuer, leaf), OK);
	cr_assert_eq(issuer_add_name_of(issuer, leaf), OK);
	cr_expect_eq(issuer->n_names, 2);
	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		struct certid_of_cert of;

		cr_assert_eq(issuer_certid(issuer, leaf, (enum hash_alg)alg, &of), OK);
		cr_expect(issuer_is_named_by(issuer, &of.certid), "after, %u", alg);
		cr_assert_eq(issuer_certid(issuer, ca, (enum hash_alg)alg, &of), OK);
		cr_expect(issuer_is_named_by(issuer, &of.certid), "own encoding, %u", alg);
	}
	issuer_free(issuer);
}

Test(issuer, NK_02_another_name_is_not_a_variant)
{
	X509 *other = pki_cert(&(struct pki_cert){.name = "Other CA", .exts = PKI_CA_EXTS});
	struct issuer *issuer = issuer_of(ca_cert(0, 0, 0));

	cr_expect_eq(issuer_add_name_of(issuer, leaf_of(other, 0, NULL)), ERR_CERTIFICATE);
	cr_expect_eq(issuer->n_names, 1);
	issuer_free(issuer);
}

Test(issuer, NK_03_id_is_the_digest_of_subject_and_key)
{
	X509 *ca = ca_cert(0, 0, 0);
	struct issuer *issuer = issuer_of(ca);
	const uint8_t *name;
	size_t name_len;
	uint8_t expected[EVP_MAX_MD_SIZE];
	struct slice both;

	X509_NAME_get0_der(X509_get_subject_name(ca), &name, &name_len);
	both = CAT(slice_of(name, name_len), octets(X509_get0_pubkey_bitstr(ca)));
	EVP_Digest(both.p, both.len, expected, NULL, EVP_sha256(), NULL);
	cr_expect_arr_eq(issuer->id, expected, ISSUER_ID_LEN);
	issuer_free(issuer);
}

Test(issuer, NK_03_renewed_and_cross_certificates_are_one_identity)
{
	X509 *first = ca_cert(0, PKI_NOW - 3 * PKI_YEAR, PKI_NOW - PKI_DAY);
	X509 *renewed = ca_cert(0, PKI_NOW - PKI_DAY, PKI_NOW + PKI_YEAR);
	X509 *root = pki_cert(
	    &(struct pki_cert){.name = "Root", .key = pki_key(PKI_P256, 1), .exts = PKI_CA_EXTS});
	X509 *cross = pki_cert(&(struct pki_cert){.name = "Test CA",
						  .issuer = root,
						  .signed_by = pki_key(PKI_P256, 1),
						  .not_after = PKI_NOW + 2 * PKI_YEAR,
						  .exts = PKI_CA_EXTS});
	struct issuer *issuer = issuer_of(first);

	cr_expect_eq(issuer_add_cert(issuer, renewed), OK);
	cr_expect_eq(issuer_add_cert(issuer, cross), OK);
	cr_expect_eq(issuer_add_cert(issuer, renewed), OK, "repeated");
	cr_expect_eq(issuer->n_certs, 3);
	cr_expect_eq(issuer_add_cert(issuer, ca_cert(1, 0, 0)), ERR_CERTIFICATE, "other key");
	cr_expect_eq(issuer_add_cert(issuer, root), ERR_CERTIFICATE, "other name");
	cr_expect_eq(issuer->n_certs, 3);
	issuer_free(issuer);
}

/* --- what is an issuer --- */

Test(issuer, only_a_ca_is_one)
{
	static const struct {
		const char *exts;
		err_t expected;
	} rows[] = {
	    {PKI_CA_EXTS, OK},
	    {"basicConstraints=CA:TRUE\n", OK},
	    {"basicConstraints=critical,CA:FALSE\n", ERR_CERTIFICATE},
	    {"keyUsage=keyCertSign\n", ERR_CERTIFICATE},
	    {NULL, ERR_CERTIFICATE}, /* version 1: cannot say it */
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		X509 *cert = pki_cert(&(struct pki_cert){.name = "CA", .exts = rows[i].exts});
		struct issuer *issuer = NULL;

		cr_expect_eq(issuer_new(cert, "x", &issuer), rows[i].expected, "row %zu", i);
		cr_expect_eq(issuer != NULL, rows[i].expected == OK, "row %zu", i);
		issuer_free(issuer);
	}
	cr_expect_eq(ERR_peek_error(), 0);
}

Test(issuer, label_is_the_common_name_without_controls)
{
	static const struct {
		const char *name, *label, *expected;
	} rows[] = {
	    {"Corp CA", NULL, "Corp CA"},
	    {"Corp CA", "section", "section"},
	    {"Two\nlines\x7f", NULL, "Two?lines?"},
	    {"K\xc3\xb6ln", NULL, "K\xc3\xb6ln"},
	};
	X509_NAME *without = X509_NAME_new();
	struct issuer *issuer;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		X509 *cert =
		    pki_cert(&(struct pki_cert){.name = rows[i].name, .exts = PKI_CA_EXTS});

		cr_assert_eq(issuer_new(cert, rows[i].label, &issuer), OK);
		cr_expect_str_eq(issuer->label, rows[i].expected);
		issuer_free(issuer);
	}
	X509_NAME_add_entry_by_txt(without, "O", V_ASN1_UTF8STRING, (const uint8_t *)"Corp", -1, -1,
				   0);
	cr_assert_eq(
	    issuer_new(pki_cert(&(struct pki_cert){.subject = without, .exts = PKI_CA_EXTS}), NULL,
		       &issuer),
	    OK);
	cr_expect_str_eq(issuer->label, "/O=Corp");
	issuer_free(issuer);
	X509_NAME_free(without);
}

Test(issuer, policy_starts_from_the_documented_defaults)
{
	struct issuer *issuer = issuer_of(ca_cert(0, 0, 0));

	cr_expect_eq(memcmp(&issuer->policy, &policy_default, sizeof(policy_default)), 0);
	cr_expect_eq(policy_default.nonce, NONCE_AUTO);
	cr_expect_eq(policy_default.method, METHOD_AUTO);
	cr_expect_eq(policy_default.weak_signature, WEAK_PASS_UNCACHED);
	cr_expect_float_eq(policy_default.refresh_ratio, 0.5, 1e-9);
	cr_expect_eq(policy_default.max_refresh_interval, 12 * PKI_HOUR);
	cr_expect_eq(policy_default.clock_skew, 300);
	issuer_free(issuer);
}

/* --- times --- */

Test(issuer, validity_is_that_of_all_its_certificates)
{
	struct issuer *issuer = issuer_of(ca_cert(0, PKI_NOW - 9 * PKI_DAY, PKI_NOW - 3 * PKI_DAY));
	X509 *later = ca_cert(0, PKI_NOW, PKI_NOW + 9 * PKI_DAY);

	cr_assert_eq(issuer_add_cert(issuer, later), OK);
	cr_assert_eq(issuer_add_cert(issuer, ca_cert(0, PKI_NOW, PKI_NOW + PKI_DAY)), OK);
	issuer->policy.clock_skew = 60;
	cr_expect_eq(issuer_not_before(issuer), PKI_NOW - 9 * PKI_DAY);
	cr_expect_eq(issuer_not_after(issuer), PKI_NOW + 9 * PKI_DAY);
	cr_expect_eq(issuer_valid_until(issuer, PKI_NOW - 4 * PKI_DAY), PKI_NOW - 3 * PKI_DAY);
	cr_expect_eq(issuer_valid_until(issuer, PKI_NOW - 3 * PKI_DAY), INT64_MIN, "between");
	cr_expect_eq(issuer_valid_until(issuer, PKI_NOW - 61), INT64_MIN);
	cr_expect_eq(issuer_valid_until(issuer, PKI_NOW - 60), PKI_NOW + 9 * PKI_DAY, "skew");
	cr_expect_eq(issuer_valid_until(issuer, PKI_NOW + 9 * PKI_DAY), INT64_MIN, "no skew");
	issuer_free(issuer);
}

Test(issuer, dates_of_both_forms_are_read)
{
	static const int64_t years[] = {-631152000 /* 1950, UTCTime */, 2524607999 /* 2049 */,
					2524608000 /* 2050, GeneralizedTime */,
					253402300799 /* 9999 */};

	for (size_t i = 0; i + 1 < N_ELEMENTS(years); i++) {
		struct issuer_validity validity;
		X509 *cert = ca_cert(0, years[i], years[i + 1]);

		cr_assert(issuer_validity_of(cert, &validity));
		cr_expect_eq(validity.not_before, years[i]);
		cr_expect_eq(validity.not_after, years[i + 1]);
	}
}

/* --- leaf certificates --- */

Test(issuer, has_issued_needs_name_and_key)
{
	X509 *ca = ca_cert(0, 0, 0), *same_name = ca_cert(1, 0, 0);
	X509 *same_key = pki_cert(&(struct pki_cert){.name = "Other", .exts = PKI_CA_EXTS});
	struct issuer *issuer = issuer_of(ca);

	cr_expect(issuer_has_issued(issuer, leaf_of(ca, 0, NULL)));
	cr_expect_not(issuer_has_issued(issuer, leaf_of(same_name, 1, NULL)));
	cr_expect_not(issuer_has_issued(issuer, leaf_of(same_key, 0, NULL)));
	cr_expect_eq(ERR_peek_error(), 0);
	issuer_free(issuer);
}

Test(issuer, responder_of_is_the_first_clean_http_url)
{
	/* AuthorityInfoAccess in hexadecimal where the configuration language cannot say it. */
	static const struct {
		const char *aia, *expected;
	} rows[] = {
	    {"OCSP;URI:http://ocsp.example/", "http://ocsp.example/"},
	    {"OCSP;URI:https://ocsp.example:50000/a?b", "https://ocsp.example:50000/a?b"},
	    {"OCSP;URI:HTTP://ocsp.example", "HTTP://ocsp.example"},
	    {"caIssuers;URI:http://ca.example/,OCSP;URI:http://ocsp.example/",
	     "http://ocsp.example/"},
	    {"OCSP;URI:ldap://x/,OCSP;URI:http://second/,OCSP;URI:http://third/", "http://second/"},
	    {"OCSP;URI:file:///etc/passwd", NULL},
	    {"OCSP;URI:http://", NULL},
	    {"OCSP;URI:https:/x", NULL},
	    {"OCSP;DNS:ocsp.example", NULL},
	    {"caIssuers;URI:http://ca.example/", NULL},
	    {"OCSP;URI:http://a b/", NULL},
	    {"OCSP;URI:http://a\\\\b/", NULL},
	    {"DER:3018301606082b06010505073001860a687474703a2f2f780a2f", NULL}, /* line feed */
	    {"DER:3018301606082b06010505073001860a687474703a2f2f78002f", NULL}, /* NUL */
	    {"DER:3018301606082b06010505073001860a687474703a2f2f78ff2f", NULL}, /* not ASCII */
	    {"DER:3018301606082b06010505073001860a687474703a2f2f78792f", "http://xy/"},
	    {"DER:0500", NULL},
	};
	X509 *ca = ca_cert(0, 0, 0);

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char exts[256], *url;

		snprintf(exts, sizeof(exts), "authorityInfoAccess=%s\n", rows[i].aia);
		url = issuer_responder_of(leaf_of(ca, 0, exts));
		if (rows[i].expected)
			cr_expect(url && strcmp(url, rows[i].expected) == 0, "%s: %s", rows[i].aia,
				  url ? url : "none");
		else
			cr_expect_null(url, "%s: %s", rows[i].aia, url);
		free(url);
	}
	cr_expect_null(issuer_responder_of(leaf_of(ca, 0, NULL)));
	cr_expect_eq(ERR_peek_error(), 0);
}

Test(issuer, RP_38_serials_are_the_octets_of_the_der)
{
	static const struct {
		const char *serial, *expected; /* NULL: too long */
	} rows[] = {
	    {"0", "00"},
	    {"7f", "7f"},
	    {"80", "0080"},
	    {"-ff", "ff01"},
	    {"-80", "80"},
	    {"7f00112233445566778899aabbccddeeff001122334455667788aabbccddeeff0011223344556677",
	     "7f00112233445566778899aabbccddeeff001122334455667788aabbccddeeff0011223344556677"},
	    {"8000112233445566778899aabbccddeeff001122334455667788aabbccddeeff0011223344556677",
	     NULL},
	};
	X509 *ca = ca_cert(0, 0, 0);
	struct issuer *issuer = issuer_of(ca);

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		X509 *leaf = pki_cert(
		    &(struct pki_cert){.name = "leaf", .issuer = ca, .serial = rows[i].serial});
		struct certid_of_cert of = {.certid.alg = N_HASH_ALGS};
		err_t e = issuer_certid(issuer, leaf, HASH_SHA1, &of);

		cr_expect_eq(e, rows[i].expected ? OK : ERR_REQ_SERIAL, "%s", rows[i].serial);
		if (e != OK)
			cr_expect_eq(of.certid.alg, N_HASH_ALGS, "out is touched on failure");
		else
			cr_expect(slice_eq(of.certid.serial, HEX(rows[i].expected)), "%s",
				  rows[i].serial);
	}
	issuer_free(issuer);
}

/* --- lists --- */

Test(issuer, responders_and_trusted_are_kept_once_and_in_order)
{
	X509 *ca = ca_cert(0, 0, 0), *trusted = leaf_of(ca, 0, NULL);
	struct issuer *issuer = issuer_of(ca);

	cr_assert_eq(issuer_add_responder(issuer, "http://a/"), OK);
	cr_assert_eq(issuer_add_responder(issuer, "http://b/"), OK);
	cr_assert_eq(issuer_add_responder(issuer, "http://a/"), OK);
	cr_assert_eq(issuer->n_responders, 2);
	cr_expect_str_eq(issuer->responders[0].url, "http://a/");
	cr_expect_str_eq(issuer->responders[1].url, "http://b/");
	cr_assert_eq(issuer_add_trusted(issuer, trusted), OK);
	cr_assert_eq(issuer_add_trusted(issuer, trusted), OK);
	cr_expect_eq(issuer->n_trusted, 1);
	issuer_free(issuer);
}

Test(issuer, trust_is_the_same_whatever_the_order)
{
	X509 *ca = ca_cert(0, 0, 0), *renewed = ca_cert(0, 0, PKI_NOW + PKI_DAY);
	X509 *leaf = leaf_of(ca, 0, "");
	struct issuer *one = issuer_of(ca), *other = issuer_of(renewed);

	cr_expect(issuer_has_same_trust(one, one));
	cr_expect_not(issuer_has_same_trust(one, other), "another certificate");
	cr_assert_eq(issuer_add_cert(one, renewed), OK);
	cr_expect_not(issuer_has_same_trust(one, other), "one certificate less");
	cr_expect_not(issuer_has_same_trust(other, one), "one certificate more");
	cr_assert_eq(issuer_add_cert(other, ca), OK);
	cr_expect(issuer_has_same_trust(one, other));
	cr_assert_eq(issuer_add_trusted(one, leaf), OK);
	cr_expect_not(issuer_has_same_trust(one, other), "one responder less");
	cr_assert_eq(issuer_add_trusted(other, leaf), OK);
	other->policy.method = METHOD_POST;
	cr_expect(issuer_has_same_trust(one, other));
	other->policy.weak_signature = WEAK_REJECT;
	cr_expect_not(issuer_has_same_trust(one, other), "policy");
	issuer_free(one);
	issuer_free(other);
}

Test(issuer, free_gives_everything_back)
{
	X509 *ca = ca_cert(0, 0, 0), *renewed = ca_cert(0, 0, PKI_NOW + PKI_DAY);
	X509 *leaf = leaf_of(ca, 0, "authorityInfoAccess=OCSP;URI:http://ocsp.example/\n");
	long held = 0;

	for (int i = 0; i < 2; i++) { /* the first fills caches */
		X509 *first = X509_dup(ca), *second = X509_dup(renewed), *trusted = X509_dup(leaf);
		struct issuer *issuer = issuer_of(first);
		struct certid_of_cert of;

		cr_expect_eq(issuer_add_cert(issuer, second), OK);
		cr_expect_eq(issuer_add_cert(issuer, leaf), ERR_CERTIFICATE);
		cr_expect_eq(issuer_add_trusted(issuer, trusted), OK);
		cr_expect_eq(issuer_add_name_of(issuer, leaf), OK);
		cr_expect(issuer_has_issued(issuer, leaf));
		cr_expect_eq(issuer_certid(issuer, leaf, HASH_SHA384, &of), OK);
		free(issuer_responder_of(leaf));
		issuer_free(issuer);
		X509_free(first);
		X509_free(second);
		X509_free(trusted);
		if (i == 0)
			held = pki_openssl_holds();
	}
	cr_expect_eq(pki_openssl_holds(), held);
	issuer_free(NULL);
}
