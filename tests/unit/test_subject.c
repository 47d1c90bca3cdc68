/* SPDX-License-Identifier: ISC */
/* What the command line asks about: which certificate, which of the CAs in a file has issued it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "cmd/subject.h"
#include "pki.h"

#define KEY(i) pki_key(PKI_P256, i)

static char directory[] = "/tmp/test_subject.XXXXXX";
static X509 *ca, *namesake, *leaf;

static void put(const char *name, const char *mode, X509 *cert)
{
	FILE *file = fopen(name, mode);

	cr_assert_not_null(file);
	cr_assert_eq(PEM_write_X509(file, cert), 1);
	cr_assert_eq(fclose(file), 0);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	ca = pki_cert(&(struct pki_cert){.name = "CA", .key = KEY(0), .exts = PKI_CA_EXTS});
	namesake = pki_cert(&(struct pki_cert){.name = "CA", .key = KEY(1), .exts = PKI_CA_EXTS});
	leaf = pki_cert(
	    &(struct pki_cert){.name = "leaf", .key = KEY(2), .issuer = ca, .signed_by = KEY(0)});
	put("ca.pem", "w", ca);
	put("namesake.pem", "w", namesake);
	put("leaf.pem", "w", leaf);
	put("both.pem", "w", namesake);
	put("both.pem", "a", ca);
	put("chain.pem", "w", leaf);
	put("chain.pem", "a", namesake);
	put("chain.pem", "a", ca);
	cr_assert_not_null(freopen("stderr", "w", stderr));
}

static void tear_down(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_expect_eq(system(command), 0);
}

TestSuite(subject, .init = set_up, .fini = tear_down);

Test(subject, the_issuer_is_the_one_that_has_signed)
{
	static const struct {
		const char *cert, *issuer;
	} rows[] = {{"leaf.pem", "ca.pem"}, {"leaf.pem", "both.pem"}, {"chain.pem", NULL}};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct subject subject = {.cert = NULL};

		cr_assert(subject_read("query", rows[i].cert, rows[i].issuer, NULL, &subject),
			  "row %zu", i);
		cr_expect_eq(X509_cmp(subject.cert, leaf), 0);
		cr_expect_eq(X509_cmp(subject.issuer->certs[0], ca), 0, "row %zu", i);
		subject_fini(&subject);
	}
}

Test(subject, without_a_certificate_the_first_CA_counts)
{
	struct subject subject = {.cert = NULL};

	cr_assert(subject_read("verify", NULL, "both.pem", "leaf.pem", &subject));
	cr_expect_null(subject.cert);
	cr_expect_eq(X509_cmp(subject.issuer->certs[0], namesake), 0);
	cr_expect_eq(subject.issuer->n_trusted, 1);
	subject_fini(&subject);
}

Test(subject, each_failure_is_one_line_that_names_command_and_file)
{
	static const struct {
		const char *cert, *issuer, *trusted, *line;
	} rows[] = {
	    {"none.pem", "ca.pem", NULL, "none.pem: No such file or directory\n"},
	    {"leaf.pem", ".", NULL, ".: Is a directory\n"},
	    {"leaf.pem", "/dev/null", NULL, "/dev/null: no certificate could be read\n"},
	    {"leaf.pem", "namesake.pem", NULL,
	     "namesake.pem: holds no CA certificate that has issued the certificate\n"},
	    {"leaf.pem", NULL, NULL,
	     "leaf.pem: does not hold its CA's certificate, too: give --issuer\n"},
	    {NULL, "leaf.pem", NULL, "leaf.pem: holds no CA certificate\n"},
	    {NULL, "ca.pem", "none.pem", "none.pem: No such file or directory\n"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct subject subject = {.cert = leaf}, untouched = subject;
		char expected[256], line[256] = "";
		FILE *said;

		cr_assert_not_null(freopen("stderr", "w", stderr));
		cr_expect_not(
		    subject_read("query", rows[i].cert, rows[i].issuer, rows[i].trusted, &subject));
		cr_expect_eq(memcmp(&subject, &untouched, sizeof(subject)), 0, "touched");
		fflush(stderr);
		said = fopen("stderr", "r");
		cr_assert_not_null(said);
		line[fread(line, 1, sizeof(line) - 1, said)] = '\0';
		fclose(said);
		snprintf(expected, sizeof(expected), "ocsprelay query: %s", rows[i].line);
		cr_expect_str_eq(line, expected, "row %zu: %s", i, line);
	}
}
