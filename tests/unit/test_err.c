/* SPDX-License-Identifier: ISC */
/*
 * The error table against the mapping of conformance section 8: each row that a client can see is
 * listed here under the condition EM-nn whose HTTP and OCSP status it has to realise. EM-06 has no
 * row: there is no switch for a strict content type.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "err.h"

struct mapping {
	const char *rule;
	err_t err;
	unsigned http, ocsp;
	enum negative_class negative;
};

/* clang-format off */
#define PLAIN(rule, id, http) {rule, ERR_##id, http, OCSP_NONE, NEGATIVE_NONE}
#define MALFORMED(id)         {"EM-07", ERR_##id, 400, OCSP_MALFORMED_REQUEST, NEGATIVE_NONE}
#define DENIED(id)            {"EM-08", ERR_##id, 200, OCSP_UNAUTHORIZED, NEGATIVE_NONE}
#define LATER(rule, id, neg)  {rule, ERR_##id, 200, OCSP_TRY_LATER, NEGATIVE_##neg}
#define INVALID(id)           {"EM-12", ERR_##id, 200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR}
/* clang-format on */

static const struct mapping mappings[] = {
    PLAIN("EM-01", HTTP_SYNTAX, 400),
    PLAIN("EM-01", HTTP_HOST, 400),
    PLAIN("EM-01", HTTP_LENGTH, 400),
    PLAIN("EM-01", HTTP_SMUGGLING, 400),
    PLAIN("EM-01", HTTP_BODY, 400),
    PLAIN("EM-01", HTTP_CHUNK, 400),
    PLAIN("HS-09", HTTP_CODING, 501),
    PLAIN("RFC 9110 15.6.6", HTTP_VERSION, 505),
    PLAIN("EM-02", HTTP_LINE_SIZE, 414),
    PLAIN("EM-02", HTTP_HEADER_SIZE, 431),
    PLAIN("EM-03", HTTP_BODY_SIZE, 413),
    PLAIN("EM-04", HTTP_METHOD, 405),
    PLAIN("EM-04", HTTP_UNKNOWN, 501),
    PLAIN("EM-05", HTTP_EXPECT, 417),
    PLAIN("SL-07", HTTP_TIMEOUT, 408),
    MALFORMED(REQ_TARGET),
    MALFORMED(REQ_DER),
    MALFORMED(REQ_TRAILING),
    MALFORMED(REQ_EMPTY),
    MALFORMED(REQ_VERSION),
    MALFORMED(REQ_DIGEST),
    MALFORMED(REQ_PARAMETERS),
    MALFORMED(REQ_SERIAL),
    MALFORMED(REQ_NONCE),
    MALFORMED(REQ_NONCE_POLICY),
    MALFORMED(REQ_CERTIDS),
    MALFORMED(REQ_EXTENSIONS),
    DENIED(REQ_HASH),
    DENIED(ISSUER_UNKNOWN),
    DENIED(ISSUER_NAME),
    DENIED(ISSUER_SEVERAL),
    DENIED(ISSUER_NO_RESPONDER),
    LATER("EM-09", UP_UNREACHABLE, ERROR),
    LATER("EM-09", UP_TIMEOUT, ERROR),
    LATER("EM-09", UP_REHEARSAL, ERROR),
    LATER("EM-10", DEADLINE, NONE),
    LATER("EM-11", UP_HTTP, ERROR),
    LATER("EM-11", UP_REDIRECT, ERROR),
    LATER("EM-11", UP_FRAMING, ERROR),
    LATER("EM-11", UP_SIZE, ERROR),
    LATER("EM-11", UP_CODED, ERROR),
    INVALID(RSP_DER),
    INVALID(RSP_TRAILING),
    INVALID(RSP_STATUS),
    INVALID(RSP_TYPE),
    INVALID(RSP_VERSION),
    INVALID(RSP_SINGLES),
    INVALID(RSP_CERTS),
    INVALID(RSP_CERTID),
    INVALID(RSP_TIME),
    INVALID(RSP_FUTURE),
    INVALID(RSP_PRODUCED),
    INVALID(RSP_ORDER),
    INVALID(RSP_CRITICAL),
    INVALID(RSP_NONCE),
    INVALID(RSP_RESPONDER_ID),
    INVALID(RSP_SIGNER_CERT),
    INVALID(RSP_SIGNER_ISSUER),
    INVALID(RSP_SIGNER_EKU),
    INVALID(RSP_SIGNER_USAGE),
    INVALID(RSP_SIGNER_TIME),
    INVALID(RSP_SIGNER_CHAIN),
    INVALID(RSP_ISSUER_TIME),
    INVALID(RSP_ALGORITHM),
    INVALID(RSP_WEAK),
    INVALID(RSP_SIGNATURE),
    LATER("EM-13", RSP_EXPIRED, ERROR),
    {"EM-14", ERR_UP_MALFORMED, 400, OCSP_MALFORMED_REQUEST, NEGATIVE_MALFORMED},
    {"EM-15", ERR_UP_INTERNAL, 200, OCSP_INTERNAL_ERROR, NEGATIVE_ERROR},
    {"EM-15", ERR_UP_TRY_LATER, 200, OCSP_TRY_LATER, NEGATIVE_ERROR},
    {"EM-16", ERR_UP_SIG_REQUIRED, 200, OCSP_SIG_REQUIRED, NEGATIVE_SIG_REQUIRED},
    {"EM-17", ERR_UP_UNAUTHORIZED, 200, OCSP_UNAUTHORIZED, NEGATIVE_UNAUTHORIZED},
    {"EM-18", OK, 200, OCSP_SUCCESSFUL, NEGATIVE_NONE},
    LATER("EM-19", OVERLOAD_WAITERS, NONE),
    LATER("EM-19", OVERLOAD_UPSTREAM, NONE),
    LATER("EM-19", OVERLOAD_CLIENT, NONE),
    LATER("EM-19", OVERLOAD_MAILBOX, NONE),
    {"EM-20", ERR_NO_MEMORY, 200, OCSP_INTERNAL_ERROR, NEGATIVE_NONE},
    {"EM-20", ERR_INTERNAL, 200, OCSP_INTERNAL_ERROR, NEGATIVE_NONE},
    {"EM-21", ERR_LOOP, 508, OCSP_TRY_LATER, NEGATIVE_NONE},
    {"EM-22", ERR_ONLY_IF_CACHED, 504, OCSP_TRY_LATER, NEGATIVE_NONE},
};

Test(err, EM_01_to_EM_22_each_condition_has_its_status)
{
	for (size_t i = 0; i < N_ELEMENTS(mappings); i++) {
		const struct mapping *m = &mappings[i];
		const struct err_row *row = err_row(m->err);

		cr_expect_eq(row->http, m->http, "%s %s: HTTP %u", m->rule, row->label, row->http);
		cr_expect_eq(row->ocsp, m->ocsp, "%s %s: OCSP %u", m->rule, row->label, row->ocsp);
	}
}

Test(err, CL_19_each_condition_has_its_negative_class)
{
	for (size_t i = 0; i < N_ELEMENTS(mappings); i++) {
		const struct mapping *m = &mappings[i];
		const struct err_row *row = err_row(m->err);

		cr_expect_eq(row->negative, m->negative, "%s %s", m->rule, row->label);
	}
}

Test(err, every_row_a_client_can_see_is_mapped_once)
{
	for (int err = OK; err < N_ERRORS; err++) {
		const struct err_row *row = err_row((err_t)err);
		unsigned n = 0;

		for (size_t i = 0; i < N_ELEMENTS(mappings); i++)
			n += mappings[i].err == (err_t)err;
		cr_expect_eq(n, row->http != 0, "%s is listed %u times", row->label, n);
	}
}

/* What holds for rows that are still to come, too. */
Test(err, http_status_follows_from_ocsp_status)
{
	for (int err = OK; err < N_ERRORS; err++) {
		const struct err_row *row = err_row((err_t)err);
		unsigned http = 200;

		if (row->ocsp == OCSP_NONE) {
			cr_expect(row->http == 0 || (row->http >= 400 && row->http < 600), "%s",
				  row->label);
			cr_expect_eq(row->negative, NEGATIVE_NONE, "%s", row->label);
			continue;
		}
		if (row->ocsp == OCSP_MALFORMED_REQUEST)
			http = 400;
		else if (err == ERR_LOOP)
			http = 508;
		else if (err == ERR_ONLY_IF_CACHED)
			http = 504;
		cr_expect_eq(row->http, http, "%s: HTTP %u", row->label, row->http);
	}
}

Test(err, labels_are_unique_words_with_dashes)
{
	for (int err = OK; err <= N_ERRORS; err++) {
		const char *label = err_row((err_t)err)->label;

		cr_expect(islower((unsigned char)label[0]), "%s", label);
		cr_expect_eq(label[strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-")], '\0',
			     "%s", label);
		for (int other = OK; other < err; other++)
			cr_expect_str_neq(label, err_row((err_t)other)->label);
	}
}

Test(err, every_row_has_a_text_and_a_level)
{
	for (int err = OK; err <= N_ERRORS; err++) {
		const struct err_row *row = err_row((err_t)err);

		cr_expect_gt(strlen(row->text), 0, "%s", row->label);
		cr_expect_leq(row->level, LEVEL_DEBUG, "%s", row->label);
	}
}

Test(err, out_of_range_values_have_a_row_of_their_own)
{
	const struct err_row *row = err_row(N_ERRORS);

	cr_expect_str_eq(row->label, "undefined");
	cr_expect_eq(err_row((err_t)(N_ERRORS + 1)), row);
	cr_expect_eq(err_row((err_t)-1), row);
}
