/* SPDX-License-Identifier: ISC */
/*
 * The response vectors: what tests/vectors/make_responses.py wrote into ./response-vectors (or the
 * directory that RESPONSE_VECTORS names) is judged as of the time that the manifest gives, and must
 * come to the verdict that it gives.
 *
 * Rules that the vectors are for: CL-02 CL-03 CL-04 CL-13 CL-14 CL-15, EM-14 to EM-17 (EM-15,
 * EM-16), HC-07, NK-04 NK-07 NK-08, NO-03 NO-04 NO-05, RP-34 RP-37 RP-38, SL-05, VS-01 VS-02 VS-03
 * VS-04 VS-05 VS-06 VS-07 VS-08 VS-09 VS-10 VS-11 VS-12 VS-13 VS-14 VS-15 VS-16 VS-17 VS-18 VS-19
 * VS-20 VS-21 VS-22 VS-23.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "build.h"
#include "core/freshness.h"
#include "core/ocsp_request.h"
#include "core/verify.h"
#include "pki.h"

enum column {
	NAME,
	RULES,
	NOW,
	ISSUER,
	TRUSTED,
	REQUEST,
	RESULT,
	STATUS,
	REASON,
	SIGNER,
	UNTIL,
	KEPT,
	FLAGS,
	N_COLUMNS
};

struct row {
	char *text[N_COLUMNS];
};

static const char *const statuses[] = {
    [CERT_GOOD] = "good", [CERT_REVOKED] = "revoked", [CERT_UNKNOWN] = "unknown"};
static const char *const signers[] = {
    [SIGNER_ISSUER] = "issuer", [SIGNER_DELEGATE] = "delegate", [SIGNER_TRUSTED] = "trusted"};
static const char *const flag_words[] = {
    "weak",	     "no-next-update", "nonce",		 "never-issued", "other-hash",
    "mixed-issuers", "no-nocheck",     "early-produced", "recalled",	 "unreadable"};

/* --- the directory ---------------------------------------------------------------------------- */

static void path_of(char path[4096], const char *name, const char *ending)
{
	const char *directory = getenv("RESPONSE_VECTORS");

	snprintf(path, 4096, "%s/%s%s", directory ? directory : "response-vectors", name, ending);
}

/* With a NUL behind it; p == NULL: not there. */
static struct slice file_of(const char *name, const char *ending)
{
	char path[4096];
	uint8_t *p;
	size_t len;
	FILE *file;

	path_of(path, name, ending);
	file = fopen(path, "rb");
	if (!file)
		return EMPTY;
	cr_assert_eq(fseek(file, 0, SEEK_END), 0);
	len = (size_t)ftell(file);
	rewind(file);
	p = build_take(len + 1);
	cr_assert_eq(fread(p, 1, len, file), len);
	p[len] = '\0';
	fclose(file);
	return slice_of(p, len);
}

/* The manifest's next line; false at its end. */
static bool next_row(char **text, struct row *out)
{
	char *line = strsep(text, "\n");

	if (!line || line[0] == '\0')
		return false;
	for (unsigned i = 0; i < N_COLUMNS; i++) {
		out->text[i] = strsep(&line, "\t");
		cr_assert_not_null(out->text[i], "the manifest lacks column %u", i);
	}
	cr_assert_null(line, "the manifest has further columns");
	return true;
}

static char *manifest(void)
{
	struct slice text = file_of("manifest.tsv", "");

	if (text.len == 0)
		cr_skip_test("no response vectors here: \"make check\" makes them where "
			     "/usr/bin/python3 has the module cryptography");
	return (char *)(uintptr_t)text.p;
}

/* --- one vector ------------------------------------------------------------------------------- */

/* What each certificate of a file is given to. */
static err_t add_all(const char *name, struct issuer **issuer,
		     err_t (*add)(struct issuer *issuer, X509 *cert))
{
	char path[4096];
	err_t e = OK;
	X509 *cert;
	BIO *bio;

	if (strcmp(name, "-") == 0)
		return OK;
	path_of(path, name, "");
	bio = BIO_new_file(path, "r");
	cr_assert_not_null(bio, "%s", path);
	while (e == OK && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		e = *issuer ? add(*issuer, cert) : issuer_new(cert, "test", issuer);
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	return e;
}

static err_t judge(const struct row *row, struct verdict *verdict, struct lifetime *lifetime)
{
	static const struct ocsp_request_limits limits = {.max_certids = MAX_CERTIDS,
							  .max_extensions = 16};
	const struct upstream_hints no_hints = {.flags = 0};
	struct slice der = build_exact(file_of(row->text[NAME], ".der"));
	struct issuer *issuer = NULL;
	struct verify_question question = {.now = atoll(row->text[NOW])};
	struct ocsp_request request;
	err_t e = add_all(row->text[ISSUER], &issuer, issuer_add_cert);

	if (e == OK)
		e = add_all(row->text[TRUSTED], &issuer, issuer_add_trusted);
	if (e == OK)
		e = ocsp_request_parse(file_of(row->text[REQUEST], ""), &limits, &request);
	if (e == OK) {
		question.certids = request.certids;
		question.n_certids = request.n_certids;
		question.nonce = request.nonce;
		question.issuer = issuer;
		e = verify_response(der, &question, verdict);
		cr_expect_eq(ERR_peek_error(), 0, "%s: OpenSSL's error queue", row->text[NAME]);
	}
	if (e == OK)
		*lifetime =
		    freshness_lifetime(verdict, &issuer->policy, &no_hints, question.now, 0);
	issuer_free(issuer);
	free((void *)(uintptr_t)der.p);
	return e;
}

/* As the manifest writes the flags of a verdict. */
static const char *words_of(unsigned flags)
{
	static char words[200];

	words[0] = '\0';
	for (unsigned i = 0; i < N_ELEMENTS(flag_words); i++) {
		if (flags & 1U << i)
			sprintf(words + strlen(words), "%s%s", words[0] ? "," : "", flag_words[i]);
	}
	return words[0] ? words : "-";
}

static void expect_facts(const struct row *row, const struct verdict *verdict,
			 const struct lifetime *lifetime)
{
	const char *name = row->text[NAME], *rules = row->text[RULES];
	const char *flags = words_of(verdict->flags);
	int64_t kept = strcmp(row->text[KEPT], "-") == 0 ? 0 : atoll(row->text[KEPT]);

	cr_expect_str_eq(statuses[verdict->status], row->text[STATUS], "%s %s", rules, name);
	cr_expect_eq(verdict->reason, atoi(row->text[REASON]), "%s %s: %d", rules, name,
		     verdict->reason);
	cr_expect_str_eq(signers[verdict->signer], row->text[SIGNER], "%s %s: %s", rules, name,
			 signers[verdict->signer]);
	cr_expect_eq(verdict->hard_expiry, atoll(row->text[UNTIL]), "%s %s: until %lld", rules,
		     name, (long long)verdict->hard_expiry);
	cr_expect_eq(lifetime->may_store ? lifetime->hard_expiry : 0, kept,
		     "%s %s: may store %d, until %lld", rules, name, lifetime->may_store,
		     (long long)lifetime->hard_expiry);
	cr_expect_str_eq(flags, row->text[FLAGS], "%s %s: flags %s", rules, name, flags);
}

/* --- all vectors ------------------------------------------------------------------------------ */

static const char *label_of(err_t e)
{
	return e == OK ? "ok" : err_row(e)->label;
}

Test(vectors, VS_01_to_VS_23_each_response_vector_comes_to_its_verdict)
{
	char *text = manifest();
	unsigned n = 0;
	struct row row;

	for (; next_row(&text, &row); n++) {
		struct verdict verdict;
		struct lifetime lifetime;
		err_t e = judge(&row, &verdict, &lifetime);

		cr_expect_str_eq(label_of(e), row.text[RESULT], "%s %s: %s, not %s",
				 row.text[RULES], row.text[NAME], label_of(e), row.text[RESULT]);
		if (e == OK && strcmp(row.text[RESULT], "ok") == 0)
			expect_facts(&row, &verdict, &lifetime);
	}
	cr_expect_geq(n, 200);
}

Test(vectors, judging_leaves_nothing_behind)
{
	char *text = manifest();
	struct row row;

	while (next_row(&text, &row)) {
		struct verdict verdict;
		struct lifetime lifetime;
		err_t e = judge(&row, &verdict, &lifetime);
		long held = pki_openssl_holds();

		cr_expect_eq(judge(&row, &verdict, &lifetime), e);
		cr_expect_eq(pki_openssl_holds(), held, "%s leaks", row.text[NAME]);
	}
}

/* But for weak-signature, which is a matter of policy: see VS_20 in test_signer.c. */
Test(vectors, each_reason_to_refuse_a_response_has_a_vector)
{
	bool is_seen[N_ERRORS] = {[ERR_RSP_WEAK] = true};
	char *text = manifest();
	struct row row;

	while (next_row(&text, &row)) {
		for (unsigned e = ERR_UP_MALFORMED; e <= ERR_RSP_SIGNATURE; e++)
			is_seen[e] |= strcmp(row.text[RESULT], err_row((err_t)e)->label) == 0;
	}
	for (unsigned e = ERR_UP_MALFORMED; e <= ERR_RSP_SIGNATURE; e++)
		cr_expect(is_seen[e], "%s", err_row((err_t)e)->label);
}
