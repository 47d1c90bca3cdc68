/* SPDX-License-Identifier: ISC */
/*
 * The issuer table from files: what is an issuer, what a leaf teaches, whose options count, what
 * each is called, and that no broken file keeps the rest from being taken.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/counters.h"
#include "ctl/certificates.h"
#include "ctl/config.h"
#include "ctl/issuer_load.h"
#include "pki.h"

#define LONG_AGO  INT64_C(631152000)  /* 1990 */
#define FAR_AHEAD INT64_C(4102444800) /* 2100 */

#define KEY(i)	      pki_key(PKI_P256, i)
#define OCSP_AIA(url) "authorityInfoAccess=OCSP;URI:" url "\n"

static char directory[] = "/tmp/test_issuer_load.XXXXXX";
static struct settings *settings;
static struct issuers *issuers;
static struct buf messages;
static char shown[1 << 14];

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	cr_assert_eq(mkdir("d", 0700), 0);
	buf_init(&messages, sizeof(shown) - 1);
}

static void tear_down(void)
{
	char command[PATH_MAX + 16];

	issuers_unref(issuers);
	settings_free(settings);
	buf_fini(&messages);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

TestSuite(issuer_load, .init = set_up, .fini = tear_down);

static X509 *ca(const char *name, unsigned key)
{
	return pki_cert(&(struct pki_cert){.name = name,
					   .key = KEY(key),
					   .not_before = LONG_AGO,
					   .not_after = FAR_AHEAD,
					   .exts = PKI_CA_EXTS});
}

static X509 *leaf_of(X509 *issuer, unsigned key, const char *exts)
{
	return pki_cert(&(struct pki_cert){.name = "leaf.example",
					   .key = KEY(7),
					   .issuer = issuer,
					   .signed_by = KEY(key),
					   .not_before = LONG_AGO,
					   .not_after = FAR_AHEAD,
					   .exts = exts});
}

static void put_text(const char *path, const char *mode, const char *text)
{
	FILE *file = fopen(path, mode);

	cr_assert_not_null(file);
	fputs(text, file);
	cr_assert_eq(fclose(file), 0);
}

/* Appends in PEM. */
static void put_pem(const char *path, X509 *cert)
{
	FILE *file = fopen(path, "a");

	cr_assert_not_null(file);
	cr_assert_eq(PEM_write_X509(file, cert), 1);
	cr_assert_eq(fclose(file), 0);
}

static void put_der(const char *path, X509 *cert)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(i2d_X509_fp(file, cert), 1);
	cr_assert_eq(fclose(file), 0);
}

/* Loads by a configuration whose issuer_dir is "d"; messages are in shown. */
static void load(const char *config)
{
	struct buf errors;

	put_text("c", "w", "issuer_dir = d\n");
	put_text("c", "a", config);
	buf_init(&errors, 4096);
	settings_free(settings);
	settings = NULL;
	cr_assert_eq(config_load("c", &settings, &errors), OK, "%.*s", (int)errors.len,
		     (const char *)errors.p);
	buf_fini(&errors);
	issuers_unref(issuers);
	buf_reset(&messages);
	issuers = issuer_load(settings, (struct hash_key){1, 2}, &messages);
	cr_assert_not_null(issuers);
	snprintf(shown, sizeof(shown), "%.*s", (int)messages.len,
		 messages.p ? (const char *)messages.p : "");
}

static const struct issuer *labelled(const char *label)
{
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		if (strcmp(issuers_at(issuers, i)->label, label) == 0)
			return issuers_at(issuers, i);
	}
	return NULL;
}

/* ---- what is taken ---- */

Test(issuer_load, nothing_is_fine)
{
	load("");
	cr_expect_eq(issuers_count(issuers), 0);
	cr_expect_str_eq(shown, "");
	rmdir("d");
	load("");
	cr_expect_str_eq(shown, "d: No such file or directory\n");
	load("issuer_dir = ''");
	cr_expect_str_eq(shown, "");
}

Test(issuer_load, CA_certificates_of_all_suffixes_are_issuers)
{
	static const char *const names[] = {"d/a.pem", "d/b.crt", "d/c.cer", "d/d.der"};

	for (unsigned i = 0; i < 4; i++) {
		const char label[] = {'C', 'A', (char)('0' + i), '\0'};

		if (i % 2 == 0)
			put_pem(names[i], ca(label, i));
		else
			put_der(names[i], ca(label, i));
	}
	put_pem("d/e.txt", ca("Other suffix", 4));
	put_pem("d/.hidden.pem", ca("Hidden", 4));
	load("");
	cr_expect_str_eq(shown, "");
	cr_expect_eq(issuers_count(issuers), 4);
	cr_expect_not_null(labelled("CA0"));
	cr_expect_not_null(labelled("CA3"));
}

Test(issuer_load, one_file_may_hold_a_whole_bundle)
{
	char name[32];

	put_text("d/bundle.pem", "w", "# a bundle\n\n");
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "CA %u", i);
		put_text("d/bundle.pem", "a", "Subject: some text between\n");
		put_pem("d/bundle.pem", ca(name, i % 8));
	}
	load("");
	cr_expect_str_eq(shown, "");
	cr_expect_eq(issuers_count(issuers), 300);
}

Test(issuer_load, NK_03_certificates_of_one_identity_are_one_issuer)
{
	X509 *root = ca("Root", 1);

	put_pem("d/self-signed.pem", ca("Both", 0));
	put_pem("d/cross-signed.pem", pki_cert(&(struct pki_cert){.name = "Both",
								  .key = KEY(0),
								  .issuer = root,
								  .signed_by = KEY(1),
								  .serial = "07",
								  .not_before = LONG_AGO,
								  .not_after = FAR_AHEAD,
								  .exts = PKI_CA_EXTS}));
	put_pem("d/again.pem", ca("Both", 0));
	load("");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(issuers_count(issuers), 1);
	cr_expect_geq(issuers_at(issuers, 0)->n_certs, 2);
}

Test(issuer_load, NK_01_table_is_sealed_and_finds)
{
	X509 *cert = ca("CA", 0);

	put_pem("d/a.pem", cert);
	load("");
	for (enum hash_alg alg = HASH_SHA1; alg < N_HASH_ALGS; alg++) {
		struct certid certid = pki_certid(cert, "2a", alg);
		const struct issuer *found = NULL;

		cr_expect_eq(issuers_find(issuers, &certid, &found), OK, "%s", hash_algs[alg].name);
	}
}

/* ---- options ---- */

Test(issuer_load, options_of_the_section_apply)
{
	put_pem("a.pem", ca("CN of it", 0));
	put_pem("d/b.pem", ca("In directory", 1));
	load("defaults { clock_skew = 9s max_inflight = 3 proxy = 'http://p:1/' }\n"
	     "issuer 'Section' { certificate = a.pem clock_skew = 1s proxy = none\n"
	     " responders = {'http://one/', 'http://two:50000/x'} }\n");
	cr_expect_str_eq(shown, "");
	cr_assert_not_null(labelled("Section"));
	cr_expect_eq(labelled("Section")->policy.clock_skew, 1);
	cr_expect_eq(labelled("Section")->policy.max_inflight, 3);
	cr_expect_str_eq(labelled("Section")->proxy, "");
	cr_assert_eq(labelled("Section")->n_responders, 2);
	cr_expect_str_eq(labelled("Section")->responders[0].url, "http://one/");
	cr_expect_str_eq(labelled("Section")->responders[1].url, "http://two:50000/x");
	cr_assert_not_null(labelled("In directory"));
	cr_expect_eq(labelled("In directory")->policy.clock_skew, 9);
	cr_expect_str_eq(labelled("In directory")->proxy, "http://p:1/");
	cr_expect_eq(labelled("In directory")->n_responders, 0);
}

Test(issuer_load, no_proxy_option_leaves_it_to_the_environment)
{
	put_pem("d/a.pem", ca("CA", 0));
	load("");
	cr_expect_null(labelled("CA")->proxy);
}

Test(issuer_load, section_wins_over_the_directory)
{
	put_pem("a.pem", ca("CA", 0));
	put_pem("d/a.pem", ca("CA", 0));
	put_pem("d/leaf.pem", leaf_of(ca("CA", 0), 0, OCSP_AIA("http://learnt/")));
	load("issuer 'Section' { certificate = a.pem clock_skew = 1s responders = "
	     "'http://given/' }\n");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(issuers_count(issuers), 1);
	cr_assert_not_null(labelled("Section"));
	cr_expect_eq(labelled("Section")->policy.clock_skew, 1);
	cr_expect_eq(labelled("Section")->n_responders, 1, "nothing learnt beside what is given");
}

Test(issuer_load, first_of_two_sections_wins_and_it_is_said)
{
	put_pem("a.pem", ca("CA", 0));
	load("issuer 'One' { certificate = a.pem clock_skew = 1s }\n"
	     "issuer 'Two' { certificate = a.pem clock_skew = 2s }\n");
	cr_expect_str_eq(shown, "a.pem: CN=CA: belongs to issuer \"One\", whose options count\n");
	cr_assert_eq(issuers_count(issuers), 1);
	cr_expect_eq(labelled("One")->policy.clock_skew, 1);
}

Test(issuer_load, VS_10_trusted_responders_are_added)
{
	put_pem("a.pem", ca("CA", 0));
	put_pem("b.pem", ca("Other", 1));
	put_pem("t.pem", ca("Responder", 2));
	put_pem("t.pem", ca("Responder", 3));
	load("issuer 'One' { certificate = a.pem trusted_responders = {t.pem, nosuch.pem} }\n"
	     "issuer 'Two' { certificate = b.pem }\n");
	cr_expect_str_eq(shown, "nosuch.pem: No such file or directory\n");
	cr_expect_eq(labelled("One")->n_trusted, 2);
	cr_expect_eq(labelled("Two")->n_trusted, 0);
	cr_expect_eq(issuers_count(issuers), 2, "trusted ones are no issuers");
}

/* ---- what certificates teach ---- */

Test(issuer_load, leaf_teaches_its_issuers_responder)
{
	X509 *cert = ca("CA", 0);

	put_pem("d/a-leaf.pem", leaf_of(cert, 0, OCSP_AIA("http://ocsp.example/")));
	put_pem("d/b-ca.pem", cert);
	put_pem("d/c-leaf.pem", leaf_of(cert, 0, OCSP_AIA("http://second.example/")));
	put_pem("d/d-leaf.pem", leaf_of(cert, 0, OCSP_AIA("http://ocsp.example/")));
	load("");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(issuers_count(issuers), 1);
	cr_assert_eq(labelled("CA")->n_responders, 2);
	cr_expect_str_eq(labelled("CA")->responders[0].url, "http://ocsp.example/");
	cr_expect_str_eq(labelled("CA")->responders[1].url, "http://second.example/");
}

Test(issuer_load, no_more_than_eight_responders_are_learnt)
{
	X509 *cert = ca("CA", 0);
	char exts[128];

	put_pem("d/ca.pem", cert);
	for (int i = 0; i < 12; i++) {
		snprintf(exts, sizeof(exts), "authorityInfoAccess=OCSP;URI:http://%d.example/\n",
			 i);
		put_pem("d/leaves.pem", leaf_of(cert, 0, exts));
	}
	load("");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(labelled("CA")->n_responders, 8);
	cr_expect_str_eq(labelled("CA")->responders[7].url, "http://7.example/");
}

Test(issuer_load, leaf_in_the_file_of_a_section_teaches_as_well)
{
	X509 *cert = ca("CA", 0);

	put_pem("chain.pem", leaf_of(cert, 0, OCSP_AIA("http://ocsp.example/")));
	put_pem("chain.pem", cert);
	load("issuer 'CA' { certificate = chain.pem }");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(labelled("CA")->n_responders, 1);
}

Test(issuer_load, intermediate_teaches_the_responder_of_the_CA_above)
{
	X509 *root = ca("Root", 0);

	put_pem("d/a.pem", root);
	put_pem("d/b.pem",
		pki_cert(&(struct pki_cert){.name = "Intermediate",
					    .key = KEY(1),
					    .issuer = root,
					    .signed_by = KEY(0),
					    .not_before = LONG_AGO,
					    .not_after = FAR_AHEAD,
					    .exts = PKI_CA_EXTS OCSP_AIA("http://root.example/")}));
	load("");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(labelled("Root")->n_responders, 1);
	cr_expect_str_eq(labelled("Root")->responders[0].url, "http://root.example/");
	cr_expect_eq(labelled("Intermediate")->n_responders, 0);
}

Test(issuer_load, NK_02_leaf_teaches_another_encoding_of_the_name)
{
	X509 *cert = ca("Some CA", 0);
	X509_NAME *printable = pki_name("Some CA", V_ASN1_PRINTABLESTRING);
	X509 *leaf = pki_cert(&(struct pki_cert){.name = "leaf.example",
						 .key = KEY(7),
						 .issuer_name = printable,
						 .signed_by = KEY(0),
						 .not_before = LONG_AGO,
						 .not_after = FAR_AHEAD,
						 .exts = OCSP_AIA("http://ocsp.example/")});

	put_pem("d/a.pem", cert);
	load("");
	cr_assert_eq(labelled("Some CA")->n_names, 1);
	put_pem("d/b.pem", leaf);
	load("issuer 'S' { certificate = d/a.pem responders = 'http://given/' }");
	cr_expect_str_eq(shown, "");
	cr_expect_eq(labelled("S")->n_names, 2, "also where responders are given");
	cr_expect_eq(labelled("S")->n_responders, 1);
}

/* Two CAs of one name: the signature decides, whichever comes first. */
Test(issuer_load, leaf_teaches_only_whom_its_signature_names)
{
	put_pem("d/a.pem", ca("Same", 0));
	put_pem("d/b.pem", ca("Same", 1));
	put_pem("d/c.pem", ca("Same", 2));
	put_pem("d/leaf.pem", leaf_of(ca("Same", 1), 1, OCSP_AIA("http://one/")));
	load("");
	cr_expect_str_eq(shown, "");
	for (size_t i = 0; i < 3; i++) {
		const struct issuer *issuer = issuers_at(issuers, i);
		bool is_it = EVP_PKEY_eq(X509_get0_pubkey(issuer->certs[0]), KEY(1)) == 1;

		cr_expect_eq(issuer->n_responders, is_it);
	}
}

/* One key under two encodings of its name: the leaf belongs to the one that it spells. */
Test(issuer_load, NK_02_leaf_prefers_the_encoding_that_it_spells)
{
	X509_NAME *printable = pki_name("Two", V_ASN1_PRINTABLESTRING);
	X509 *other = pki_cert(&(struct pki_cert){.subject = printable,
						  .key = KEY(0),
						  .not_before = LONG_AGO,
						  .not_after = FAR_AHEAD,
						  .exts = PKI_CA_EXTS});

	put_pem("d/a.pem", ca("Two", 0));
	put_pem("d/b.pem", other);
	put_pem("d/leaf.pem", leaf_of(other, 0, OCSP_AIA("http://one/")));
	put_pem("d/leaf2.pem", leaf_of(ca("Two", 0), 0, OCSP_AIA("http://two/")));
	load("");
	cr_assert_eq(issuers_count(issuers), 2);
	cr_expect_eq(issuers_at(issuers, 0)->n_names, 1);
	cr_expect_eq(issuers_at(issuers, 1)->n_names, 1);
	cr_expect_eq(issuers_at(issuers, 0)->n_responders, 1);
	cr_expect_eq(issuers_at(issuers, 1)->n_responders, 1);
}

/* ---- what is reported ---- */

Test(issuer_load, broken_files_are_reported_and_skipped)
{
	put_text("d/a.pem", "w", "no certificate at all\n");
	put_text("d/b.der", "w", "0\x82");
	put_text("d/c.pem", "w", "");
	put_pem("d/d.pem", ca("Good", 0));
	put_text("d/d.pem", "a", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	put_pem("d/d.pem", ca("Good too", 1));
	put_text("d/e.pem", "w", "-----BEGIN CERTIFICATE-----\nMIIC\n");
	cr_assert_eq(symlink("nowhere", "d/f.pem"), 0);
	load("issuer x { certificate = {nosuch.pem, d} }");
	cr_expect_str_eq(shown,
			 "nosuch.pem: No such file or directory\n"
			 "d: Is a directory\n"
			 "d/a.pem: no certificate could be read\n"
			 "d/b.der: no certificate could be read\n"
			 "d/c.pem: no certificate could be read\n"
			 "d/d.pem: 1 of 3 certificates cannot be read\n"
			 "d/e.pem: no certificate could be read\n"
			 "d/f.pem: No such file or directory\n",
			 "%s", shown);
	cr_expect_eq(issuers_count(issuers), 2);
}

Test(issuer_load, DER_with_octets_behind_it_is_no_certificate)
{
	put_der("d/a.der", ca("CA", 0));
	put_text("d/a.der", "a", "x");
	load("");
	cr_expect_str_eq(shown, "d/a.der: no certificate could be read\n");
}

Test(issuer_load, leaf_of_an_unknown_issuer_is_reported)
{
	put_pem("d/leaf.pem", leaf_of(ca("Nobody", 0), 0, OCSP_AIA("http://x/")));
	put_pem("d/self.pem", pki_cert(&(struct pki_cert){.name = "Self",
							  .key = KEY(1),
							  .not_before = LONG_AGO,
							  .not_after = FAR_AHEAD,
							  .exts = "basicConstraints=CA:FALSE\n"}));
	load("");
	cr_expect_str_eq(shown, "d/leaf.pem: CN=leaf.example: its issuer is not known: CN=Nobody\n"
				"d/self.pem: CN=Self: is no CA certificate (RFC 5280 4.2.1.9)\n");
	cr_expect_eq(issuers_count(issuers), 0);
}

Test(issuer_load, SL_12_responders_by_unusable_URLs_are_not_learnt)
{
	X509 *cert = ca("CA", 0);

	put_pem("d/ca.pem", cert);
	put_pem("d/leaf1.pem", leaf_of(cert, 0, OCSP_AIA("http://user@ocsp.example/")));
	put_pem("d/leaf2.pem", leaf_of(cert, 0, OCSP_AIA("ldap://ocsp.example/")));
	load("");
	cr_expect_str_eq(shown,
			 "d/leaf1.pem: CN=leaf.example: its responder's URL cannot be used\n");
	cr_expect_eq(labelled("CA")->n_responders, 0);
}

Test(issuer_load, VS_14_expired_issuer_is_reported_but_taken)
{
	put_pem("d/a.pem", pki_cert(&(struct pki_cert){.name = "Old",
						       .key = KEY(0),
						       .not_before = LONG_AGO,
						       .not_after = LONG_AGO + PKI_DAY,
						       .exts = PKI_CA_EXTS}));
	load("");
	cr_expect_str_eq(shown, "d/a.pem: Old: not valid now, notAfter is 1990-01-02T00:00:00Z\n");
	cr_expect_eq(issuers_count(issuers), 1);
	put_pem("d/b.pem", ca("Old", 0));
	load("");
	cr_expect_str_eq(shown, "", "one of its certificates is valid");
}

Test(issuer_load, CA_that_must_not_sign_certificates_is_reported)
{
	put_pem("d/a.pem",
		pki_cert(&(struct pki_cert){
		    .name = "CA",
		    .key = KEY(0),
		    .not_before = LONG_AGO,
		    .not_after = FAR_AHEAD,
		    .exts = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign\n"}));
	load("");
	cr_expect_str_eq(shown, "d/a.pem: CN=CA: cannot be used as an issuer\n");
	cr_expect_eq(issuers_count(issuers), 0);
}

/* ---- labels ---- */

Test(issuer_load, labels_are_unique)
{
	put_pem("d/a.pem", ca("Same", 0));
	put_pem("d/b.pem", ca("Same", 1));
	put_pem("d/c.pem", ca("Section", 2));
	put_pem("s.pem", ca("x", 3));
	put_pem("s.pem", ca("y", 4));
	load("issuer 'Section' { certificate = s.pem }");
	cr_assert_eq(issuers_count(issuers), 5);
	cr_expect_not_null(labelled("Section"));
	cr_expect_not_null(labelled("Section (2)"));
	cr_expect_null(labelled("Same"));
	for (size_t i = 0; i < 5; i++) {
		const char *label = issuers_at(issuers, i)->label;

		cr_expect_eq(labelled(label), issuers_at(issuers, i), "%s", label);
		if (strncmp(label, "Same", 4) == 0)
			cr_expect_eq(strlen(label), strlen("Same (01234567)"), "%s", label);
	}
	cr_expect_eq(strcmp(labelled("Section")->label, "Section"), 0);
}

Test(issuer_load, label_without_common_name_is_the_organization_or_the_id)
{
	X509_NAME *organization = X509_NAME_new(), *empty = X509_NAME_new();

	X509_NAME_add_entry_by_txt(organization, "O", MBSTRING_ASC, (const uint8_t *)"Corp\x01", -1,
				   -1, 0);
	put_pem("d/a.pem", pki_cert(&(struct pki_cert){.subject = organization,
						       .key = KEY(0),
						       .not_before = LONG_AGO,
						       .not_after = FAR_AHEAD,
						       .exts = PKI_CA_EXTS}));
	put_pem("d/b.pem", pki_cert(&(struct pki_cert){.subject = empty,
						       .key = KEY(1),
						       .not_before = LONG_AGO,
						       .not_after = FAR_AHEAD,
						       .exts = PKI_CA_EXTS}));
	load("");
	cr_expect_str_eq(shown, "");
	cr_assert_eq(issuers_count(issuers), 2);
	cr_expect_not_null(labelled("Corp?"));
	for (size_t i = 0; i < 2; i++) {
		const char *label = issuers_at(issuers, i)->label;

		cr_expect(strcmp(label, "Corp?") == 0 || strspn(label, "0123456789abcdef") == 8,
			  "%s", label);
	}
	X509_NAME_free(organization);
	X509_NAME_free(empty);
}

Test(issuer_load, counters_have_labels_of_issuer_and_responder)
{
	const struct issuer *issuer;

	put_pem("a.pem", ca("x", 0));
	load("issuer 'A \"q\"' { certificate = a.pem responders = {'http://one/', 'http://two/'} "
	     "}");
	issuer = issuers_at(issuers, 0);
	cr_expect_str_eq(counter_slot_labels(SCOPE_ISSUER, issuer->slot), "issuer=\"A \\\"q\\\"\"");
	cr_expect_str_eq(counter_slot_labels(SCOPE_RESPONDER, issuer->responders[1].slot),
			 "issuer=\"A \\\"q\\\"\",responder=\"http://two/\"");
	cr_expect_neq(issuer->responders[0].slot, issuer->responders[1].slot);
}
