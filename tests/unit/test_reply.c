/* SPDX-License-Identifier: ISC */
/* The answers, octet by octet. */
#include "core/reply.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/bytes.h"

#define NOW  INT64_C(1767225600) /* Thu, 01 Jan 2026 00:00:00 GMT */
#define DATE "Thu, 01 Jan 2026 00:00:00 GMT"
#define ETAG "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"

static const uint8_t sha256[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
				   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 255};

static const struct reply_entity entity = {
    .sha256 = sha256,
    .body_len = 1289,
    .produced_at = NOW - 3600,
    .refresh_at = NOW + 3600,
    .hard_expiry = NOW + 10800,
    .is_reusable = true,
};

static const struct reply_context hit = {
    .now = NOW, .date = DATE, .verdict = REPLY_HIT, .detail = "l1", .minor = 1};

static char out[MAX_REPLY_ERROR + 1];

/* The rendered octets as a string; they must stay within max. */
static const char *text_of(size_t len, size_t max)
{
	cr_assert(len <= max && strlen(out) == len);
	return out;
}

static const char *ok(const struct reply_entity *of, const struct reply_context *context)
{
	memset(out, 0, sizeof(out));
	return text_of(reply_ok(out, of, context), MAX_REPLY_HEAD);
}

static const char *not_modified(const struct reply_entity *of, const struct reply_context *context)
{
	memset(out, 0, sizeof(out));
	return text_of(reply_not_modified(out, of, context), MAX_REPLY_HEAD);
}

static const char *error(err_t err, bool head_only, const struct reply_context *context)
{
	memset(out, 0, sizeof(out));
	cr_assert(reply_error(out, err, head_only, context) <= MAX_REPLY_ERROR);
	return out;
}

static void expect_text(const char *found, const char *expected)
{
	cr_expect(strcmp(found, expected) == 0, "found\n%s\ninstead of\n%s", found, expected);
}

static void expect_has(const char *found, const char *line)
{
	cr_expect(strstr(found, line) != NULL, "no \"%s\" in\n%s", line, found);
}

static void expect_no(const char *found, const char *line)
{
	cr_expect(strcasestr(found, line) == NULL, "\"%s\" in\n%s", line, found);
}

Test(reply, HS_01_HS_02_HS_03_HS_20_HS_21_HS_24_CL_09_EM_18_success_header_set)
{
	expect_text(ok(&entity, &hit),
		    "HTTP/1.1 200 OK\r\n"
		    "Date: " DATE "\r\n"
		    "Content-Type: application/ocsp-response\r\n"
		    "Content-Length: 1289\r\n"
		    "Last-Modified: Wed, 31 Dec 2025 23:00:00 GMT\r\n"
		    "ETag: \"" ETAG "\"\r\n"
		    "Expires: Thu, 01 Jan 2026 03:00:00 GMT\r\n"
		    "Cache-Control: max-age=3600, public, no-transform, must-revalidate\r\n"
		    "Cache-Status: ocsprelay; hit; ttl=10800; detail=l1\r\n"
		    "\r\n");
}

Test(reply, HS_04_a_304_has_the_validators_and_no_body_fields)
{
	expect_text(not_modified(&entity, &hit),
		    "HTTP/1.1 304 Not Modified\r\n"
		    "Date: " DATE "\r\n"
		    "Last-Modified: Wed, 31 Dec 2025 23:00:00 GMT\r\n"
		    "ETag: \"" ETAG "\"\r\n"
		    "Expires: Thu, 01 Jan 2026 03:00:00 GMT\r\n"
		    "Cache-Control: max-age=3600, public, no-transform, must-revalidate\r\n"
		    "Cache-Status: ocsprelay; hit; ttl=10800; detail=l1\r\n"
		    "\r\n");
}

Test(reply, CL_04_NO_09_EM_26_what_may_not_be_reused_has_max_age_0_and_no_Expires)
{
	struct reply_entity once = entity;
	struct reply_context context = hit;

	once.is_reusable = false;
	once.refresh_at = once.hard_expiry = TIME_NEVER;
	context.verdict = REPLY_BYPASS;
	context.detail = "nonce";
	context.fwd_status = 200;
	expect_text(ok(&once, &context),
		    "HTTP/1.1 200 OK\r\n"
		    "Date: " DATE "\r\n"
		    "Content-Type: application/ocsp-response\r\n"
		    "Content-Length: 1289\r\n"
		    "Last-Modified: Wed, 31 Dec 2025 23:00:00 GMT\r\n"
		    "ETag: \"" ETAG "\"\r\n"
		    "Cache-Control: max-age=0, no-transform, must-revalidate\r\n"
		    "Cache-Status: ocsprelay; fwd=bypass; fwd-status=200; detail=nonce\r\n"
		    "\r\n");
	expect_no(not_modified(&once, &context), "Expires");
}

Test(reply, CL_05_CL_12_NK_12_HS_21_HS_29_HS_34_fields_that_are_never_sent_with_a_signed_answer)
{
	static const char *const never[] = {
	    "no-store", "no-cache", "stale-",  "\nAge:",	"\nVary:",	   "\nServer:",
	    "chunked",	"\nVia:",   "private", "Accept-Ranges", "Content-Encoding"};

	for (size_t i = 0; i < N_ELEMENTS(never); i++) {
		expect_no(ok(&entity, &hit), never[i]);
		expect_no(not_modified(&entity, &hit), never[i]);
	}
}

Test(reply, HS_02_Last_Modified_is_never_later_than_Date)
{
	struct reply_entity young = entity;

	young.produced_at = NOW + 200;
	expect_has(ok(&young, &hit), "\r\nLast-Modified: " DATE "\r\n");
	young.produced_at = NOW;
	expect_has(ok(&young, &hit), "\r\nLast-Modified: " DATE "\r\n");
}

Test(reply, CL_09_max_age_falls_with_time_and_never_below_0)
{
	struct reply_context later = hit;

	later.now = NOW + 3000;
	expect_has(ok(&entity, &later), "Cache-Control: max-age=600,");
	expect_has(out, "; ttl=7800;");
	later.now = NOW + 10800;
	expect_has(ok(&entity, &later), "Cache-Control: max-age=0,");
	later.now = NOW + 20000;
	expect_has(ok(&entity, &later), "Cache-Control: max-age=0,");
	expect_has(out, "; ttl=0;");
}

Test(reply, HS_24_cache_status_tells_where_the_answer_came_from)
{
	static const struct {
		enum reply_verdict verdict;
		const char *detail;
		unsigned fwd_status;
		bool is_stored;
		const char *expected;
	} rows[] = {
	    {REPLY_HIT, "l1", 0, false, "; hit; ttl=10800; detail=l1"},
	    {REPLY_HIT, "disk", 0, true, "; hit; ttl=10800; detail=disk"},
	    {REPLY_HIT, NULL, 0, false, "; hit; ttl=10800"},
	    {REPLY_MISS, NULL, 200, true, "; fwd=miss; fwd-status=200; stored"},
	    {REPLY_MISS, NULL, 200, false, "; fwd=miss; fwd-status=200"},
	    {REPLY_MISS, NULL, 0, false, "; fwd=miss"},
	    {REPLY_COLLAPSED, NULL, 200, true, "; fwd=miss; fwd-status=200; stored; collapsed"},
	    {REPLY_REFRESHED, NULL, 200, true, "; fwd=stale; fwd-status=200; stored"},
	    {REPLY_BYPASS, "nonce-fallback", 200, false,
	     "; fwd=bypass; fwd-status=200; detail=nonce-fallback"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct reply_context context = hit;
		char line[200];

		context.verdict = rows[i].verdict;
		context.detail = rows[i].detail;
		context.fwd_status = rows[i].fwd_status;
		context.is_stored = rows[i].is_stored;
		snprintf(line, sizeof(line), "\r\nCache-Status: ocsprelay%s\r\n", rows[i].expected);
		expect_has(ok(&entity, &context), line);
	}
}

/* RFC 9211 2.8: one detail, a token. */
Test(reply, id_of_the_request_is_told_with_the_detail)
{
	static const struct {
		err_t err;
		enum reply_verdict verdict;
		const char *detail, *expected;
	} rows[] = {
	    {OK, REPLY_HIT, "l1", "; hit; ttl=10800; detail=l1/id:0123456789abcdef"},
	    {OK, REPLY_MISS, NULL, "; fwd=miss; detail=id:0123456789abcdef"},
	    {ERR_UP_TIMEOUT, REPLY_MISS, NULL,
	     "; fwd=miss; detail=upstream-unreachable/id:0123456789abcdef"},
	    {ERR_UP_TIMEOUT, REPLY_NEGATIVE, NULL, "; hit; detail=negative/id:0123456789abcdef"},
	    {ERR_REQ_TARGET, REPLY_MISS, NULL, "; detail=id:0123456789abcdef"},
	    {ERR_HTTP_METHOD, REPLY_MISS, NULL, "; detail=id:0123456789abcdef"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct reply_context context = hit;
		char line[200];

		context.verdict = rows[i].verdict;
		context.detail = rows[i].detail;
		context.id = "0123456789abcdef";
		snprintf(line, sizeof(line), "\r\nCache-Status: ocsprelay%s\r\n", rows[i].expected);
		if (rows[i].err == OK) {
			expect_has(ok(&entity, &context), line);
			expect_has(not_modified(&entity, &context), line);
		} else {
			expect_has(error(rows[i].err, false, &context), line);
		}
	}
}

Test(reply, status_of_a_head)
{
	cr_expect_eq(reply_status(ok(&entity, &hit)), 200);
	cr_expect_eq(reply_status(not_modified(&entity, &hit)), 304);
	cr_expect_eq(reply_status(error(ERR_HTTP_METHOD, false, &hit)), 405);
}

Test(reply, HS_18_EM_25_persistence_is_said_where_it_is_not_the_default)
{
	struct reply_context context = hit;

	expect_no(ok(&entity, &context), "Connection:");
	context.close = true;
	expect_has(ok(&entity, &context), "\r\nConnection: close\r\n\r\n");
	expect_has(not_modified(&entity, &context), "\r\nConnection: close\r\n\r\n");
	context.minor = 0;
	expect_has(ok(&entity, &context), "\r\nConnection: close\r\n\r\n");
	context.close = false;
	expect_has(ok(&entity, &context), "\r\nConnection: keep-alive\r\n\r\n");
	expect_has(ok(&entity, &context), "HTTP/1.1 200 OK\r\n");
}

Test(reply, EM_07_HS_06_an_OCSP_error_is_its_five_octets_but_not_for_HEAD)
{
	static const char expected[] = "HTTP/1.1 400 Bad Request\r\n"
				       "Date: " DATE "\r\n"
				       "Content-Type: application/ocsp-response\r\n"
				       "Content-Length: 5\r\n"
				       "Cache-Control: no-store\r\n"
				       "\r\n"
				       "\x30\x03\x0a\x01\x01";
	size_t len = reply_error(out, ERR_REQ_TARGET, false, &hit);

	cr_expect(slice_eq(slice_of(out, len), slice_of(expected, sizeof(expected) - 1)), "%s",
		  out);
	len = reply_error(out, ERR_REQ_TARGET, true, &hit);
	cr_expect(slice_eq(slice_of(out, len), slice_of(expected, sizeof(expected) - 6)), "%s",
		  out);
}

Test(reply, EM_01_EM_04_HS_07_an_HTTP_error_is_text)
{
	expect_text(error(ERR_HTTP_SMUGGLING, false, &hit),
		    "HTTP/1.1 400 Bad Request\r\n"
		    "Date: " DATE "\r\n"
		    "Content-Type: text/plain\r\n"
		    "Content-Length: 62\r\n"
		    "Cache-Control: no-store\r\n"
		    "Connection: close\r\n"
		    "\r\n"
		    "Content-Length together with Transfer-Encoding (RFC 9112 6.1)\n");
	expect_text(error(ERR_HTTP_METHOD, true, &hit), "HTTP/1.1 405 Method Not Allowed\r\n"
							"Date: " DATE "\r\n"
							"Content-Type: text/plain\r\n"
							"Content-Length: 61\r\n"
							"Cache-Control: no-store\r\n"
							"Allow: GET, HEAD, POST\r\n"
							"\r\n");
}

static const struct error_row {
	const char *rule;
	err_t err;
	unsigned status, ocsp;
	bool closes;
	const char *cache_status; /* of a miss that a 200 answered; NULL: none */
} error_rows[] = {
    {"EM-01", ERR_HTTP_SYNTAX, 400, OCSP_NONE, true, NULL},
    {"EM-01", ERR_HTTP_HOST, 400, OCSP_NONE, true, NULL},
    {"EM-01", ERR_HTTP_LENGTH, 400, OCSP_NONE, true, NULL},
    {"EM-02", ERR_HTTP_HEADER_SIZE, 431, OCSP_NONE, true, NULL},
    {"EM-02", ERR_HTTP_LINE_SIZE, 414, OCSP_NONE, true, NULL},
    {"EM-03", ERR_HTTP_BODY_SIZE, 413, OCSP_NONE, true, NULL},
    {"EM-04", ERR_HTTP_METHOD, 405, OCSP_NONE, false, NULL},
    {"EM-04", ERR_HTTP_UNKNOWN, 501, OCSP_NONE, true, NULL},
    {"EM-05", ERR_HTTP_EXPECT, 417, OCSP_NONE, false, NULL},
    {"HS-32", ERR_HTTP_TIMEOUT, 408, OCSP_NONE, true, NULL},
    {"HS-31", ERR_HTTP_VERSION, 505, OCSP_NONE, true, NULL},
    {"EM-07", ERR_REQ_DER, 400, 1, false, NULL},
    {"EM-08", ERR_REQ_HASH, 200, 6, false, NULL},
    {"EM-08", ERR_ISSUER_UNKNOWN, 200, 6, false, NULL},
    {"EM-09", ERR_UP_UNREACHABLE, 200, 3, false, "detail=upstream-unreachable"},
    {"EM-09", ERR_UP_TIMEOUT, 200, 3, false, "detail=upstream-unreachable"},
    {"EM-10", ERR_DEADLINE, 200, 3, false, "detail=timeout"},
    {"EM-11", ERR_UP_HTTP, 200, 3, false, ""},
    {"EM-11", ERR_UP_SIZE, 200, 3, false, ""},
    {"EM-12", ERR_RSP_DER, 200, 2, false, "detail=invalid-upstream"},
    {"EM-12", ERR_RSP_SIGNATURE, 200, 2, false, "detail=invalid-upstream"},
    {"EM-13", ERR_RSP_EXPIRED, 200, 3, false, "detail=expired-upstream"},
    {"EM-14", ERR_UP_MALFORMED, 400, 1, false, "detail=upstream-1"},
    {"EM-15", ERR_UP_INTERNAL, 200, 2, false, ""},
    {"EM-15", ERR_UP_TRY_LATER, 200, 3, false, ""},
    {"EM-16", ERR_UP_SIG_REQUIRED, 200, 5, false, ""},
    {"EM-17", ERR_UP_UNAUTHORIZED, 200, 6, false, ""},
    {"EM-19", ERR_OVERLOAD_WAITERS, 200, 3, false, NULL},
    {"EM-20", ERR_NO_MEMORY, 200, 2, false, NULL},
    {"EM-21", ERR_LOOP, 508, 3, true, NULL},
    {"EM-22", ERR_ONLY_IF_CACHED, 504, 3, false, NULL},
    {"EM-20", ERR_SYSTEM, 200, 2, true, NULL}, /* has no status of its own */
};

Test(reply, EM_01_to_EM_22_status_body_and_fields_of_every_row)
{
	struct reply_context context = hit;

	context.verdict = REPLY_MISS;
	context.detail = NULL;
	context.fwd_status = 503;
	for (size_t i = 0; i < N_ELEMENTS(error_rows); i++) {
		const struct error_row *row = &error_rows[i];
		const char *answer = error(row->err, false, &context), *body;
		char line[200];

		snprintf(line, sizeof(line), "HTTP/1.1 %u ", row->status);
		cr_expect(strncmp(answer, line, strlen(line)) == 0, "%s: %s", row->rule, answer);
		body = strstr(answer, "\r\n\r\n") + 4;
		if (row->ocsp != OCSP_NONE)
			cr_expect(memcmp(body, "\x30\x03\x0a\x01", 4) == 0 &&
				      body[4] == (char)row->ocsp,
				  "%s", row->rule);
		else
			cr_expect(strncmp(body, err_row(row->err)->text, strlen(body) - 1) == 0,
				  "%s: %s", row->rule, body);
		expect_has(answer, "\r\nCache-Control: no-store\r\n");
		expect_has(answer, "\r\nDate: " DATE "\r\n");
		cr_expect(row->closes == (strstr(answer, "Connection: close") != NULL), "%s",
			  row->rule);
		cr_expect(row->closes == reply_error_closes(row->err), "%s", row->rule);
		if (row->cache_status == NULL) {
			expect_no(answer, "Cache-Status");
			continue;
		}
		snprintf(line, sizeof(line),
			 "\r\nCache-Status: ocsprelay; fwd=miss; fwd-status=503%s%s\r\n",
			 *row->cache_status ? "; " : "", row->cache_status);
		expect_has(answer, line);
	}
}

Test(reply, CL_19_HS_24_a_repeated_failure_is_a_negative_hit)
{
	struct reply_context context = hit;

	context.verdict = REPLY_NEGATIVE;
	context.detail = NULL;
	expect_has(error(ERR_UP_UNAUTHORIZED, false, &context),
		   "\r\nCache-Status: ocsprelay; hit; detail=negative\r\n");
}

Test(reply, EM_01_to_EM_22_every_row_of_the_table_fits_and_has_a_reason_phrase)
{
	struct reply_context context = hit;
	char detail[MAX_REPLY_ERROR];

	memset(detail, 'd', sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	context.verdict = REPLY_MISS;
	context.detail = detail; /* is cut */
	context.close = true;
	context.fwd_status = 599;
	for (err_t err = OK; err < N_ERRORS; err++) {
		const char *answer = error(err, false, &context);

		cr_expect(answer[13] >= 'A' && answer[13] <= 'Z', "%s", answer);
	}
	expect_has(ok(&entity, &context), "detail=dddd");
}

Test(reply, HS_17_continue)
{
	cr_expect(slice_eq(reply_continue(), slice_text("HTTP/1.1 100 Continue\r\n\r\n")));
}

static bool matches(enum http_method method, const char *none_match, const char *since)
{
	struct http_request request = {.method = method,
				       .if_none_match = slice_text(none_match),
				       .if_modified_since = slice_text(since)};

	return reply_is_not_modified(&request, &entity, NOW);
}

#define IMS "Wed, 31 Dec 2025 23:00:00 GMT" /* the entity's Last-Modified */

Test(reply, HS_04_conditions_of_GET_and_HEAD)
{
	cr_expect(!matches(HTTP_GET, NULL, NULL));
	cr_expect(matches(HTTP_GET, "\"" ETAG "\"", NULL));
	cr_expect(matches(HTTP_HEAD, "\"" ETAG "\"", NULL));
	cr_expect(matches(HTTP_GET, "W/\"" ETAG "\"", NULL));
	cr_expect(matches(HTTP_GET, "\"x\", \"" ETAG "\"", NULL));
	cr_expect(matches(HTTP_GET, "\"x,\",, W/\"y\" , W/\"" ETAG "\",\"z\"", NULL));
	cr_expect(matches(HTTP_GET, "*", NULL));
	cr_expect(!matches(HTTP_GET, "", NULL));
	cr_expect(!matches(HTTP_GET, ETAG, NULL));
	cr_expect(!matches(HTTP_GET, "w/\"" ETAG "\"", NULL));
	cr_expect(!matches(HTTP_GET, "\"" ETAG "0\"", NULL));
	cr_expect(!matches(HTTP_GET, "\"x,\"" ETAG "\"\"", NULL));
	cr_expect(!matches(HTTP_GET, "\"*\"", NULL));
	cr_expect(!matches(HTTP_GET, "*, \"x\"", NULL));
	/* the tag decides when there is one */
	cr_expect(!matches(HTTP_GET, "\"x\"", IMS));
	cr_expect(!matches(HTTP_GET, "", IMS));
	cr_expect(matches(HTTP_GET, "\"" ETAG "\"", "Sun, 06 Nov 1994 08:49:37 GMT"));
	cr_expect(matches(HTTP_GET, NULL, IMS));
	cr_expect(matches(HTTP_HEAD, NULL, "Wednesday, 31-Dec-25 23:00:01 GMT"));
	cr_expect(!matches(HTTP_GET, NULL, "Wed, 31 Dec 2025 22:59:59 GMT"));
	cr_expect(!matches(HTTP_GET, NULL, "yesterday"));
	cr_expect(!matches(HTTP_GET, NULL, ""));
}

Test(reply, HS_05_conditions_of_POST_are_ignored)
{
	cr_expect(!matches(HTTP_POST, "\"" ETAG "\"", NULL));
	cr_expect(!matches(HTTP_POST, "*", IMS));
	cr_expect(!matches(HTTP_POST, NULL, IMS));
}
