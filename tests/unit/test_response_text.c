/* SPDX-License-Identifier: ISC */
/* Responses and verdicts as lines for people, as OpenSSL words them, and as JSON for programs. */
#include <criterion/criterion.h>

#include "build.h"
#include "cmd/response_text.h"
#include "pki.h"

#define CA_KEY pki_key(PKI_P256, 0)

static X509 *ca;
static struct buf out;

static void set_up(void)
{
	ca = pki_cert(
	    &(struct pki_cert){.name = "CA \x1b[31m\"x\"", .key = CA_KEY, .exts = PKI_CA_EXTS});
	buf_init(&out, 1 << 16);
}

static void tear_down(void)
{
	buf_fini(&out);
}

TestSuite(response_text, .init = set_up, .fini = tear_down);

/* The printed text; a full buffer must be remembered too. */
static const char *printed(const struct pki_single *single, bool is_by_name,
			   void (*print)(const struct response *response, struct buf *out))
{
	struct pki_single copy = *single;
	struct pki_response spec = {.singles = &copy,
				    .n_singles = 1,
				    .responder = ca,
				    .is_by_name = is_by_name,
				    .key = CA_KEY};
	struct response response;
	struct buf small;

	copy.issuer = ca;
	cr_assert_eq(response_parse(pki_response(&spec), &response), OK);
	print(&response, &out);
	cr_assert_eq(out.err, OK);
	buf_init(&small, 40);
	print(&response, &small);
	cr_expect_neq(small.err, OK);
	buf_fini(&small);
	buf_append(&out, "", 1);
	return (const char *)out.p;
}

static void expect(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "\"%s\" is not in\n%s", part, text);
}

Test(response_text, says_what_users_of_openssl_know)
{
	const char *text =
	    printed(&(struct pki_single){.serial = "00ab", .hash = "sha256"}, false, response_text);

	expect(text, "OCSP Response Status: successful (0x0)\n");
	expect(text, "Response Type: Basic OCSP Response\n    Version: 1 (0x0)\n");
	expect(text, "Produced At: Dec 31 00:00:00 2025 GMT\n");
	expect(text, "Hash Algorithm: sha256\n");
	expect(text, "Serial Number: AB\n");
	expect(text, "Cert Status: good\n    This Update: Dec 31 00:00:00 2025 GMT\n"
		     "    Next Update: Jan  2 00:00:00 2026 GMT\n");
	cr_expect_null(strstr(text, "Revocation"));
}

Test(response_text, says_when_and_why_it_was_revoked)
{
	const char *text = printed(&(struct pki_single){.status = CERT_REVOKED,
							.revoked_at = PKI_NOW - PKI_DAY,
							.reason = 2,
							.next_update = -1},
				   true, response_text);

	expect(text, "Cert Status: revoked\n    Revocation Time: Dec 31 00:00:00 2025 GMT\n"
		     "    Revocation Reason: keyCompromise (0x1)\n");
	cr_expect_null(strstr(text, "Next Update"));
}

/* A name is somebody else's octets: nothing in it may reach the terminal as a control, nor end a
 * string of JSON. */
Test(response_text, names_cannot_control_the_terminal)
{
	const char *text = printed(&(struct pki_single){.serial = "01"}, true, response_text);

	expect(text, "Responder Id: CN = ");
	cr_expect_null(strchr(text, '\x1b'));
}

Test(response_text, JSON_is_escaped)
{
	const char *text =
	    printed(&(struct pki_single){.status = CERT_UNKNOWN}, true, response_members);

	expect(text, "\"response_status\":\"successful\",");
	expect(text, "\"cert_status\":\"unknown\",");
	/* escaped as a name, then as JSON */
	expect(text, "CA \\\\1B[31m\\\\\\\"x\\\\\\\"\"");
	cr_expect_null(strchr(text, '\x1b'));
	cr_expect_eq(text[strlen(text) - 1], ',');
}

Test(response_text, errors_have_no_more_than_a_status)
{
	static const struct {
		uint8_t status;
		const char *text;
	} errors[] = {{1, "malformedrequest (0x1)"},
		      {2, "internalerror (0x2)"},
		      {3, "trylater (0x3)"},
		      {5, "sigrequired (0x5)"},
		      {6, "unauthorized (0x6)"}};

	for (size_t i = 0; i < N_ELEMENTS(errors); i++) {
		uint8_t der[] = {0x30, 0x03, 0x0a, 0x01, errors[i].status};
		struct response response;

		cr_assert_eq(response_parse(slice_of(der, sizeof(der)), &response), OK);
		buf_reset(&out);
		response_text(&response, &out);
		buf_append(&out, "", 1);
		expect((const char *)out.p, errors[i].text);
		cr_expect_null(strstr((const char *)out.p, "Version"));
	}
}

static const char *judged(err_t err, const struct verdict *verdict,
			  void (*print)(err_t err, const struct verdict *verdict, int64_t now,
					struct buf *out))
{
	buf_reset(&out);
	print(err, verdict, PKI_NOW, &out);
	cr_assert_eq(out.err, OK);
	buf_append(&out, "", 1);
	return (const char *)out.p;
}

Test(response_text, a_verdict_says_age_and_time_left)
{
	struct verdict verdict = {.status = CERT_GOOD,
				  .signer = SIGNER_DELEGATE,
				  .this_update = PKI_NOW - 7200 - 300,
				  .hard_expiry = PKI_NOW + 2 * PKI_DAY + 3 * PKI_HOUR + 59};

	cr_expect_str_eq(judged(OK, &verdict, verdict_text),
			 "Verdict: accepted, signed by the delegated responder\nAge: 2h 5m\n"
			 "Valid until: Jan  3 03:00:59 2026 GMT (2d 3h left)\n");
	expect(judged(OK, &verdict, verdict_members),
	       "\"accepted\":true,\"status\":\"good\",\"signer\":\"delegated responder\","
	       "\"age\":7500,\"valid_until\":\"2026-01-03T03:00:59Z\",\"time_left\":183659,");
}

Test(response_text, a_verdict_says_what_keeps_it_from_being_stored)
{
	struct verdict verdict = {.status = CERT_GOOD,
				  .signer = SIGNER_ISSUER,
				  .this_update = PKI_NOW + 60, /* within the skew */
				  .hard_expiry = PKI_NOW + 1,
				  .flags = VERDICT_NO_NEXT_UPDATE | VERDICT_WEAK | VERDICT_NONCE};
	const char *text = judged(OK, &verdict, verdict_text);

	expect(text, "Age: 0s\nValid until: not said; answered, but not stored\n");
	expect(text, "Weak signature: answered, but not stored\n");
	expect(text, "Nonce: present; answered, but not stored\n");
	text = judged(OK, &verdict, verdict_members);
	expect(text, "\"weak_signature\":true,\"nonce\":true");
	cr_expect_null(strstr(text, "valid_until"));
}

Test(response_text, a_refusal_names_its_reason)
{
	cr_expect_str_eq(judged(ERR_RSP_TRAILING, NULL, verdict_text),
			 "Verdict: refused: trailing: octets after the OCSPResponse "
			 "(RFC 6960 4.2.1)\n");
	cr_expect_str_eq(judged(ERR_RSP_TRAILING, NULL, verdict_members),
			 "\"accepted\":false,\"reason\":\"trailing\",\"text\":\"octets after the "
			 "OCSPResponse (RFC 6960 4.2.1)\"");
}
