/* SPDX-License-Identifier: ISC */
/* Which issuer certificates make known, and the file that is made of it. */
#include "cmd/issuer_find.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/issuer_file.h"
#include "pki.h"

#define KEY(i) pki_key(PKI_P256, i)
#define URL    "http://ocsp.example/"

static X509 *ca_of(const char *name, unsigned key)
{
	return pki_cert(&(struct pki_cert){.name = name, .key = KEY(key), .exts = PKI_CA_EXTS});
}

/* exts: NULL: none. */
static X509 *leaf_of(X509 *ca, unsigned ca_key, const char *exts)
{
	return pki_cert(&(struct pki_cert){
	    .name = "leaf", .key = KEY(7), .issuer = ca, .signed_by = KEY(ca_key), .exts = exts});
}

static struct issuer_found find(X509 **certs, size_t n)
{
	const struct certificates from = {.items = certs, .n = n};
	struct issuer_found found;

	issuer_find(&from, &found);
	return found;
}

Test(issuer_find, the_key_that_has_signed_the_leaf_decides)
{
	X509 *ca = ca_of("CA", 0), *namesake = ca_of("CA", 1), *again = ca_of("CA", 0);
	X509 *leaf = leaf_of(ca, 0, "authorityInfoAccess=OCSP;URI:" URL "\n");
	X509 *all[] = {namesake, again, leaf, ca}, *wrong[] = {leaf, namesake};
	struct issuer_found found = find(all, N_ELEMENTS(all));

	cr_assert_not_null(found.issuer);
	cr_expect_eq(found.leaf, leaf);
	cr_expect_eq(X509_cmp(found.issuer->certs[0], again), 0);
	cr_expect_str_eq(found.responder, URL);
	issuer_found_fini(&found);
	found = find(wrong, N_ELEMENTS(wrong));
	cr_expect_null(found.issuer);
	cr_expect_eq(found.leaf, leaf);
	issuer_found_fini(&found);
	found = find(&ca, 1);
	cr_assert_not_null(found.issuer);
	cr_expect_null(found.leaf);
	cr_expect_eq(found.responder_is, RESPONDER_HAS_NO_LEAF);
	issuer_found_fini(&found);
}

Test(issuer_find, a_responder_is_taken_as_the_configuration_would_take_it)
{
	static const struct {
		const char *exts;
		enum issuer_responder_is is;
	} rows[] = {
	    {"authorityInfoAccess=OCSP;URI:" URL "\n", RESPONDER_IS_NAMED},
	    {"authorityInfoAccess=OCSP;URI:ldap://x/,OCSP;URI:" URL "\n", RESPONDER_IS_NAMED},
	    {"authorityInfoAccess=OCSP;URI:http://user@x/\n", RESPONDER_IS_UNUSABLE},
	    {"authorityInfoAccess=OCSP;URI:http://x/?a\n", RESPONDER_IS_UNUSABLE},
	    {"authorityInfoAccess=OCSP;URI:ldap://x/\n", RESPONDER_IS_NOT_NAMED},
	    {"authorityInfoAccess=caIssuers;URI:http://x/ca\n", RESPONDER_IS_NOT_NAMED},
	    {"basicConstraints=CA:FALSE\n", RESPONDER_IS_NOT_NAMED},
	};
	X509 *ca = ca_of("CA", 0);

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		X509 *both[] = {leaf_of(ca, 0, rows[i].exts), ca};
		struct issuer_found found = find(both, 2);

		cr_expect_eq(found.responder_is, rows[i].is, "%s", rows[i].exts);
		cr_expect_eq(found.responder != NULL, rows[i].is == RESPONDER_IS_NAMED);
		issuer_found_fini(&found);
	}
}

Test(issuer_find, where_the_issuer_lies_is_text_for_people)
{
	X509 *ca = ca_of("CA", 0);
	X509 *leaf =
	    leaf_of(ca, 0, "authorityInfoAccess=OCSP;URI:" URL ",caIssuers;URI:" URL "ca\n");
	X509 *evil = leaf_of(ca, 0, "authorityInfoAccess=caIssuers;URI:http://x/\033[2J\n");
	char *url = issuer_find_elsewhere(leaf);

	cr_expect_str_eq(url, URL "ca");
	free(url);
	cr_expect_null(issuer_find_elsewhere(evil));
	cr_expect_null(issuer_find_elsewhere(ca));
}

Test(issuer_find, what_is_known_has_certificate_responder_and_encoding_of_the_name)
{
	X509 *ca = ca_of("CA", 0),
	     *renewed =
		 pki_cert(&(struct pki_cert){.name = "CA", .serial = "02", .exts = PKI_CA_EXTS});
	X509 *leaf = leaf_of(ca, 0, "authorityInfoAccess=OCSP;URI:" URL "\n");
	X509 *other =
	    pki_cert(&(struct pki_cert){.name = "leaf",
					.key = KEY(7),
					.issuer_name = pki_name("CA", V_ASN1_PRINTABLESTRING),
					.signed_by = KEY(0),
					.exts = "authorityInfoAccess=OCSP;URI:" URL "\n"});
	X509 *first[] = {leaf, ca}, *second[] = {leaf, ca, renewed}, *third[] = {other, ca};
	struct issuer_found found = find(first, 2), more = find(second, 3), named = find(third, 2);
	struct issuer *known;

	cr_assert_eq(issuer_new(ca, "CA", &known), OK);
	cr_expect(!issuer_find_is_old(&found, known)); /* it lacks the responder */
	cr_assert_eq(issuer_add_responder(known, URL), OK);
	cr_expect(issuer_find_is_old(&found, known));
	cr_assert_not_null(named.issuer);
	cr_expect(!issuer_find_is_old(&named, known));
	cr_assert_eq(issuer_add_name_of(known, other), OK);
	cr_expect(issuer_find_is_old(&named, known));
	cr_assert_eq(more.issuer->n_certs, 2);
	cr_expect(!issuer_find_is_old(&more, known));
	cr_assert_eq(issuer_add_cert(known, renewed), OK);
	cr_expect(issuer_find_is_old(&more, known));
	issuer_free(known);
	issuer_found_fini(&found);
	issuer_found_fini(&more);
	issuer_found_fini(&named);
}

/* --- the file --------------------------------------------------------------------------------- */

Test(issuer_find, the_file_has_certificates_and_says_whose_they_are)
{
	X509 *ca = ca_of("../-----BEGIN CERTIFICATE-----", 0);
	X509 *both[] = {leaf_of(ca, 0, "authorityInfoAccess=OCSP;URI:" URL "\n"), ca};
	struct issuer_found found = find(both, 2);
	struct certificates read = {.n = 0};
	char fingerprint[FINGERPRINT_SIZE], *name = issuer_file_name(found.issuer);
	struct buf file, alone;

	buf_init(&file, 65536);
	buf_init(&alone, 65536);
	issuer_file_write(&found, &file);
	cr_assert_eq(certificates_parse(buf_slice(&file), &read), OK);
	cr_assert_eq(read.n, 2);
	cr_expect_eq(read.n_bad, 0);
	cr_expect_eq(X509_cmp(read.items[0], ca), 0);
	cr_expect_eq(X509_cmp(read.items[1], both[0]), 0);
	cr_assert(issuer_file_fingerprint(ca, fingerprint));
	cr_expect_eq(strlen(fingerprint), 95);
	cr_expect_not_null(memmem(file.p, file.len, fingerprint, strlen(fingerprint)));
	cr_expect(strncmp(name, "issuer-", 7) == 0 && issuer_file_may_be(name), "%s", name);
	found.leaf = NULL;
	issuer_file_write(&found, &alone);
	cr_expect(issuer_file_is_same(buf_slice(&file), buf_slice(&file)));
	cr_expect(!issuer_file_is_same(buf_slice(&file), buf_slice(&alone)));
	cr_expect(!issuer_file_is_same(slice_text("x"), slice_text("x")));
	free(name);
	buf_fini(&file);
	buf_fini(&alone);
	certificates_free(&read);
	issuer_found_fini(&found);
}

Test(issuer_find, names_of_files)
{
	X509 *ca = ca_of("Big CA (G2) / \303\274", 0);
	struct issuer *issuer;
	char *name;

	cr_assert_eq(issuer_new(ca, "x", &issuer), OK);
	name = issuer_file_name(issuer);
	cr_expect(strncmp(name, "Big-CA--G2-------", 17) == 0 && strlen(name) == 17 + 8 + 4, "%s",
		  name);
	cr_expect(issuer_file_may_be(name));
	cr_expect(!issuer_file_may_be("") && !issuer_file_may_be(".x") &&
		  !issuer_file_may_be("a/b"));
	free(name);
	issuer_free(issuer);
}
