/* SPDX-License-Identifier: ISC */
/* The request head parser: what it refuses and why, what it understands, limits, cut input. */
#include "core/http_request.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "guard.h"

#define GET  "GET /MA HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n"
#define HOST "Host: h\r\n"

static const struct http_limits limits = {
    .max_request_line = 8192,
    .max_header_bytes = 16384,
    .max_headers = 64,
    .max_request_body = 16384,
    .own_via = {(const uint8_t *)"ocsprelay-5eed", 14},
};

/* Parses, and checks on the way that every shorter input gives the same or ERR_AGAIN, touches
 * nothing on failure, and is not read beyond its end. */
static err_t parse_under(struct slice in, const struct http_limits *under, struct http_request *out)
{
	struct http_request untouched = {.head_len = 4711}, request = untouched;
	err_t e = http_request_parse(guard_slice(in), under, out), early;
	size_t len, head_len = e == OK ? out->head_len : in.len;

	for (len = 0; len < head_len; len++) {
		early = http_request_parse(guard_slice(slice_take(in, len)), under, &request);
		cr_assert(early == ERR_AGAIN || (e != OK && early == e),
			  "%zu of \"%s\": %s, later %s", len, in.p, err_row(early)->label,
			  err_row(e)->label);
	}
	cr_assert(memcmp(&request, &untouched, sizeof(request)) == 0);
	/* The slices must borrow from memory that stays. */
	if (e == OK || e == ERR_HTTP_METHOD || e == ERR_HTTP_EXPECT)
		cr_assert(http_request_parse(in, under, out) == e);
	return e;
}

static err_t parse(const char *text, struct http_request *out)
{
	return parse_under(slice_text(text), &limits, out);
}

static bool is_text(struct slice s, const char *text)
{
	return s.p != NULL && slice_eq(s, slice_text(text));
}

struct row {
	const char *rule;
	const char *text;
	err_t err;
};

static void check_rows(const struct row *rows, size_t n)
{
	struct http_request request;

	for (size_t i = 0; i < n; i++) {
		err_t e = parse(rows[i].text, &request);

		cr_expect(e == rows[i].err, "%s: %s instead of %s for\n%s", rows[i].rule,
			  err_row(e)->label, err_row(rows[i].err)->label, rows[i].text);
	}
}

Test(http_request, RP_12_HS_08_HS_09_HS_10_framing_that_parsers_disagree_on_is_refused)
{
	static const struct row rows[] = {
	    {"RP-12", GET HOST "Content-Length: 5\r\n\r\n", ERR_HTTP_BODY},
	    {"RP-12", "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", ERR_HTTP_BODY},
	    {"RP-12", GET HOST "Transfer-Encoding: chunked\r\n\r\n", ERR_HTTP_BODY},
	    {"RP-12", GET HOST "Transfer-Encoding: gzip\r\n\r\n", ERR_HTTP_BODY},
	    {"RP-12", GET HOST "Content-Length: 0\r\n\r\n", OK},
	    {"HS-08", POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	     ERR_HTTP_SMUGGLING},
	    {"HS-08", POST HOST "Transfer-Encoding: x\r\nContent-Length: 0\r\n\r\n",
	     ERR_HTTP_SMUGGLING},
	    {"HS-09", POST HOST "Transfer-Encoding: chunked\r\n\r\n", OK},
	    {"HS-09", POST HOST "transfer-ENCODING:\t cHUnked \t\r\n\r\n", OK},
	    {"HS-09", POST HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	     ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding: xchunked\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding: chunked;q=1\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding: ,chunked\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", POST HOST "Transfer-Encoding:\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-09", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_HTTP_CODING},
	    {"HS-10", POST HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length: +5\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length: 5, 5\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length: 0x5\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length:\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length: 18446744073709551617\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", GET HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", ERR_HTTP_LENGTH},
	    {"HS-10", POST HOST "Content-Length: \t83  \r\n\r\n", OK},
	};

	check_rows(rows, N_ELEMENTS(rows));
}

Test(http_request, HS_11_HS_12_HS_13_field_lines_are_strict)
{
	static const struct row rows[] = {
	    {"HS-11", GET HOST "Content-Length : 5\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-11", GET HOST "X\t: 5\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-11", GET HOST ": 5\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-11", GET HOST "no colon\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-11", GET HOST "nocolon\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-11", GET HOST "X(y): 5\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-11", GET HOST "\xc3\xa4: 5\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-12", GET HOST "X: a\r\n b\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-12", GET HOST "X: a\r\n\tb: c\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-12", GET " Host: h\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET "Host: a\rb\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET HOST "X: a\r\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET "Host: h\nX: y\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET "Host: h\n\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET HOST "\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET HOST "X: a\x01\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", GET HOST "X: abcdefgh\x7f\r\n\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13",
	     GET HOST "X: abc\x7f"
		      "efghijkl\r\n\r\n",
	     ERR_HTTP_SYNTAX},
	    {"HS-13", GET HOST "X: a\tb\xe4\xff\x80 !~ abcdefgh\r\n\r\n", OK},
	    {"HS-13", GET HOST "X:\t\t\t\t\t\t\t\t\t\t\t\t\t\r\n\r\n", OK},
	    {"", GET HOST "X:\r\nY: \r\n\r\n", OK},
	    {"", GET HOST "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n", OK},
	};

	check_rows(rows, N_ELEMENTS(rows));
}

Test(http_request, HS_14_host_is_exactly_one_and_valid)
{
	static const struct row rows[] = {
	    {"HS-14", GET "\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: a\r\nHost: a\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", "GET / HTTP/1.0\r\n\r\n", OK},
	    {"HS-14", GET "Host:\r\n\r\n", OK},
	    {"HS-14", GET "hOST:ocsp.example:8080\r\n\r\n", OK},
	    {"HS-14", GET "Host: [::1]:80\r\n\r\n", OK},
	    {"HS-14", GET "Host: [::ffff:10.0.0.1]\r\n\r\n", OK},
	    {"HS-14", GET "Host: a%2Db:\r\n\r\n", OK},
	    {"HS-14", GET "Host: a b\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: a/b\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: u@h\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: h:80a\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: h:8:0\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: a%2\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: [::1\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: [::1]x\r\n\r\n", ERR_HTTP_HOST},
	    {"HS-14", GET "Host: \xc3\xa4\r\n\r\n", ERR_HTTP_HOST},
	};

	check_rows(rows, N_ELEMENTS(rows));
}

Test(http_request, HS_07_HS_15_HS_16_HS_31_request_line)
{
	static const struct row rows[] = {
	    {"HS-07", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "OPTIONS / HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "DELETE / HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "TRACE / HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "PATCH / HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "CONNECT ocsp.example:443 HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "CONNECT [::1]:443 HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_METHOD},
	    {"HS-07", "FOO / HTTP/1.1\r\n", ERR_HTTP_UNKNOWN},
	    {"HS-07", "get / HTTP/1.1\r\n", ERR_HTTP_UNKNOWN},
	    {"HS-07", "G\"T / HTTP/1.1\r\n", ERR_HTTP_SYNTAX},
	    {"HS-15", "GET http://any.example/MA HTTP/1.1\r\n" HOST "\r\n", OK},
	    {"HS-15", "GET HTTPS://10.0.0.1:22 HTTP/1.1\r\n" HOST "\r\n", OK},
	    {"HS-15", "GET 1http://h/ HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-15", "GET ://h/ HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-15", "GET http:/h/ HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-15", "GET MFEw HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-15", "GET * HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET /MF Ew HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET  /MFEw HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET /MFEw  HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET /MFEw HTTP/1.1 \r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET\t/MFEw HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET /MFEw\tHTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", " GET /MFEw HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16", "GET /a\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-16",
	     "GET /0123456\x7f"
	     "9abcdef HTTP/1.1\r\n" HOST "\r\n",
	     ERR_HTTP_SYNTAX},
	    {"HS-16",
	     "GET /01234567\xe4"
	     "9abcdef HTTP/1.1\r\n" HOST "\r\n",
	     ERR_HTTP_SYNTAX},
	    {"HS-31", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ERR_HTTP_VERSION},
	    {"HS-31", "GET / HTTP/1.2\r\n" HOST "\r\n", ERR_HTTP_VERSION},
	    {"HS-31", "GET / HTTP/1.10\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "GET / HTTP/11\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "GET / http/1.1\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "GET / HTTP/1.x\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "GET /\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "GET\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "GET HTTP/1.1\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", " HTTP/1.1\r\n", ERR_HTTP_SYNTAX},
	    {"HS-31", "\x16\x03\x01\x02\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", "GET / HTTP/1.1\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"HS-13", "GET / HTTP/1.1\r\r\n" HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"RP-26", "\r\n\r\n" GET HOST "\r\n", OK},
	    {"RP-26", "\r\n\r\n\r\n" GET HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"RP-26", "\n" GET HOST "\r\n", ERR_HTTP_SYNTAX},
	    {"RP-26", "\r" GET HOST "\r\n", ERR_HTTP_SYNTAX},
	};

	check_rows(rows, N_ELEMENTS(rows));
}

Test(http_request, RP_01_the_parts_of_a_request_are_found)
{
	static const char head[] = "\r\n"
				   "GET //MFEw%2B/+= HTTP/1.1\r\n"
				   "Host: ocsp.example\r\n"
				   "If-None-Match: \"a\", W/\"b\"\r\n"
				   "User-Agent: x\r\n"
				   "if-modified-since: \tSun, 06 Nov 1994 08:49:37 GMT \r\n"
				   "\r\n";
	char text[sizeof(head) + 20] = "";
	struct http_request request;

	strcpy(text, head);
	strcat(text, "GET /next");
	cr_assert(parse(text, &request) == OK);
	cr_expect(request.method == HTTP_GET);
	cr_expect(request.minor == 1);
	cr_expect(request.flags == HTTP_KEEP_ALIVE);
	cr_expect(request.content_length == 0);
	cr_expect(is_text(request.target, "//MFEw%2B/+="));
	cr_expect(is_text(request.if_none_match, "\"a\", W/\"b\""));
	cr_expect(is_text(request.if_modified_since, "Sun, 06 Nov 1994 08:49:37 GMT"));
	cr_expect(request.head_len == sizeof(head) - 1);
}

Test(http_request, RP_20_RP_24_a_post_has_a_length_or_chunks_or_nothing)
{
	struct http_request request;

	cr_assert(parse(POST HOST "Content-Length: 83\r\n\r\n", &request) == OK);
	cr_expect(request.method == HTTP_POST && request.content_length == 83);
	cr_expect(!(request.flags & HTTP_CHUNKED));
	cr_assert(parse(POST HOST "Transfer-Encoding: chunked\r\n\r\n", &request) == OK);
	cr_expect(request.flags & HTTP_CHUNKED);
	cr_assert(parse(POST HOST "\r\n", &request) == OK);
	cr_expect(request.content_length == 0 && !(request.flags & HTTP_CHUNKED));
	cr_assert(parse("POST / HTTP/1.0\r\n\r\n", &request) == OK);
	cr_expect(request.content_length == 0 && request.minor == 0);
}

Test(http_request, HS_04_a_conditional_that_comes_twice_is_present_and_empty)
{
	struct http_request request;

	cr_assert(parse(GET HOST "\r\n", &request) == OK);
	cr_expect(request.if_none_match.p == NULL && request.if_modified_since.p == NULL);
	cr_assert(parse(GET HOST "If-None-Match:\r\nIf-Modified-Since:  \r\n\r\n", &request) == OK);
	cr_expect(is_text(request.if_none_match, "") && is_text(request.if_modified_since, ""));
	cr_assert(
	    parse(GET HOST "If-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n\r\n", &request) == OK);
	cr_expect(is_text(request.if_none_match, ""));
	cr_assert(parse(GET HOST "If-Modified-Since: a\r\nIf-Modified-Since: b\r\n"
				 "If-Modified-Since: c\r\n\r\n",
			&request) == OK);
	cr_expect(is_text(request.if_modified_since, ""));
}

static const struct flag_row {
	const char *rule;
	const char *text;
	unsigned flags;
} flag_rows[] = {
    {"HS-18", GET HOST "\r\n", HTTP_KEEP_ALIVE},
    {"HS-18", GET HOST "Connection: close\r\n\r\n", 0},
    {"HS-18", GET HOST "Connection: Keep-Alive, CLOSE\r\n\r\n", 0},
    {"HS-18", GET HOST "Connection: , x,,\tclose ,\r\n\r\n", 0},
    {"HS-18", GET HOST "Connection: close\r\nConnection: keep-alive\r\n\r\n", 0},
    {"HS-18", GET HOST "Connection: closed, xclose, close x\r\n\r\n", HTTP_KEEP_ALIVE},
    {"HS-18", "GET / HTTP/1.0\r\n\r\n", 0},
    {"HS-18", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HTTP_KEEP_ALIVE},
    {"HS-18", "GET / HTTP/1.0\r\nConnection: x\r\nConnection: keep-alive\r\n\r\n", HTTP_KEEP_ALIVE},
    {"HS-18", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", 0},
    {"HS-17", POST HOST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_EXPECT_CONTINUE},
    {"HS-17", POST HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_CHUNKED | HTTP_EXPECT_CONTINUE},
    {"HS-17", POST HOST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n", HTTP_KEEP_ALIVE},
    {"HS-17", GET HOST "Expect: 100-continue\r\n\r\n", HTTP_KEEP_ALIVE},
    {"HS-17", "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n", 0},
    {"HS-17", "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: x\r\n\r\n", 0},
    {"HS-25", GET HOST "Cache-Control: no-cache\r\n\r\n", HTTP_KEEP_ALIVE | HTTP_NO_CACHE},
    {"HS-25", GET HOST "Cache-Control: x=\"a,b\", Max-Age=0\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_NO_CACHE},
    {"HS-25", GET HOST "Pragma: No-Cache\r\n\r\n", HTTP_KEEP_ALIVE | HTTP_NO_CACHE},
    {"HS-25", GET HOST "Cache-Control: max-age=01, x=\"no-cache, no-cache\"\r\n\r\n",
     HTTP_KEEP_ALIVE},
    {"HS-26", GET HOST "Cache-Control: max-stale, only-if-cached\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_ONLY_IF_CACHED},
    {"HS-27", GET HOST "Cache-Control: no-store, max-stale=99999, min-fresh=5\r\n\r\n",
     HTTP_KEEP_ALIVE},
    {"HS-28", GET HOST "Range: bytes=0-1\r\n\r\n", HTTP_KEEP_ALIVE},
    {"HS-23", GET HOST "Via: 1.1 ocsprelay-5eed\r\n\r\n", HTTP_KEEP_ALIVE | HTTP_LOOP},
    {"HS-23", GET HOST "Via: 1.0 a, 1.1 ocsprelay-5eed (x), 1.1 b\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_LOOP},
    {"HS-23", GET HOST "Via: 1.1 ocsprelay-5eed\r\nVia: 1.1 b\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_LOOP},
    {"HS-23", GET HOST "Via: 1.1 a\r\nvia:1.1 ocsprelay-5eed\r\n\r\n", HTTP_KEEP_ALIVE | HTTP_LOOP},
    {"HS-23", GET HOST "Via: 1.1 ocsprelay-5eed1, 1.1 xocsprelay-5eed, 1.1 ocsprelay-5ee\r\n\r\n",
     HTTP_KEEP_ALIVE},
    {"HS-23", GET HOST "Via: 1.1 ocsprelay-5eed1, 1.1 ocsprelay-5eed\r\n\r\n",
     HTTP_KEEP_ALIVE | HTTP_LOOP},
    {"HS-23", GET HOST "Via:\r\n\r\n", HTTP_KEEP_ALIVE},
};

Test(http_request, HS_17_HS_18_HS_23_HS_25_HS_26_HS_27_HS_28_what_fields_mean)
{
	struct http_limits no_via = limits;
	struct http_request request;

	for (size_t i = 0; i < N_ELEMENTS(flag_rows); i++) {
		cr_assert(parse(flag_rows[i].text, &request) == OK, "%s", flag_rows[i].text);
		cr_expect(request.flags == flag_rows[i].flags, "%s: %x instead of %x for\n%s",
			  flag_rows[i].rule, request.flags, flag_rows[i].flags, flag_rows[i].text);
	}
	/* HS-23: without a pseudonym of our own there is no loop */
	no_via.own_via = slice_of(NULL, 0);
	cr_assert(parse_under(slice_text(GET HOST "Via: 1.1 a\r\n\r\n"), &no_via, &request) == OK);
	cr_expect(!(request.flags & HTTP_LOOP));
}

Test(http_request, EM_05_HS_17_unknown_expectation_leaves_a_message_to_skip)
{
	static const char *const expectations[] = {"200-ok", "100-continue, x", "100-continue=1",
						   "\"100-continue\""};
	struct http_request request;
	char text[200];

	for (size_t i = 0; i < N_ELEMENTS(expectations); i++) {
		snprintf(text, sizeof(text), POST HOST "Expect: %s\r\nContent-Length: 7\r\n\r\n",
			 expectations[i]);
		cr_assert(parse(text, &request) == ERR_HTTP_EXPECT, "%s", expectations[i]);
		cr_expect(request.method == HTTP_POST && request.content_length == 7);
		cr_expect(request.flags == HTTP_KEEP_ALIVE);
		cr_expect(request.head_len == strlen(text));
	}
}

Test(http_request, EM_04_HS_07_refused_method_leaves_a_message_to_skip)
{
	struct http_request request;

	cr_assert(parse("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 7\r\n\r\n", &request) ==
		  ERR_HTTP_METHOD);
	cr_expect(request.method == HTTP_GET && request.content_length == 7);
	cr_expect(request.flags & HTTP_KEEP_ALIVE && request.head_len == 47);
	cr_assert(parse("PUT /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
			&request) == ERR_HTTP_METHOD);
	cr_expect(request.flags == (HTTP_KEEP_ALIVE | HTTP_CHUNKED));
	/* nothing to skip by: what follows is a tunnel's, or more than we read */
	cr_assert(parse("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n", &request) == ERR_HTTP_METHOD);
	cr_expect(!(request.flags & HTTP_KEEP_ALIVE));
	cr_assert(parse("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 16385\r\n\r\n", &request) ==
		  ERR_HTTP_METHOD);
	cr_expect(!(request.flags & HTTP_KEEP_ALIVE));
	/* but never past framing that is in doubt */
	cr_assert(parse("PUT /x HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
			"Transfer-Encoding: chunked\r\n\r\n",
			&request) == ERR_HTTP_SMUGGLING);
}

/* A head with one line of these sizes; the caller frees. */
static struct slice sized_head(size_t request_line, size_t field_line, unsigned n_headers)
{
	size_t len = 0;
	char *text = malloc(request_line + field_line + 16 * n_headers + 100);

	len += (size_t)sprintf(text, "GET /");
	while (len < request_line - 9)
		text[len++] = 'x';
	len += (size_t)sprintf(text + len, " HTTP/1.1\r\n");
	if (field_line > 0) {
		size_t start = len;

		len += (size_t)sprintf(text + len, "Host:");
		while (len - start < field_line - 2)
			text[len++] = 'h';
		len += (size_t)sprintf(text + len, "\r\n");
	}
	for (unsigned i = 0; i < n_headers; i++)
		len +=
		    (size_t)sprintf(text + len, i == 0 && field_line == 0 ? "Host:\r\n" : "X:\r\n");
	len += (size_t)sprintf(text + len, "\r\n");
	return slice_of(text, len);
}

Test(http_request, SL_01_SL_02_EM_02_RP_13_limits_hold_also_while_the_head_is_incomplete)
{
	static const struct http_limits small = {
	    .max_request_line = 40, .max_header_bytes = 60, .max_headers = 5};
	static const struct {
		size_t request_line, field_line;
		unsigned n_headers;
		err_t err;
	} rows[] = {
	    {40, 60, 0, OK},
	    {41, 60, 0, ERR_HTTP_LINE_SIZE},
	    {42, 60, 0, ERR_HTTP_LINE_SIZE},
	    {100, 60, 0, ERR_HTTP_LINE_SIZE},
	    {40, 61, 0, ERR_HTTP_HEADER_SIZE},
	    {40, 62, 0, ERR_HTTP_HEADER_SIZE},
	    {40, 100, 0, ERR_HTTP_HEADER_SIZE},
	    {40, 48, 3, OK},
	    {40, 49, 3, ERR_HTTP_HEADER_SIZE},
	    {40, 0, 5, OK},
	    {40, 0, 6, ERR_HTTP_HEADER_SIZE},
	};
	struct http_request request;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice head =
		    sized_head(rows[i].request_line, rows[i].field_line, rows[i].n_headers);
		err_t e = parse_under(head, &small, &request);

		cr_expect(e == rows[i].err, "row %zu: %s", i, err_row(e)->label);
		free((void *)head.p);
	}
}

Test(http_request, SL_01_SL_02_a_line_without_end_is_refused_one_octet_over_the_limit)
{
	static const struct http_limits small = {
	    .max_request_line = 40, .max_header_bytes = 30, .max_headers = 5};
	char text[200];
	struct http_request request;

	memset(text, 'x', sizeof(text));
	cr_expect(http_request_parse(slice_of(text, 40), &small, &request) == ERR_AGAIN);
	cr_expect(http_request_parse(slice_of(text, 41), &small, &request) == ERR_HTTP_LINE_SIZE);
	text[40] = '\r';
	cr_expect(http_request_parse(slice_of(text, 41), &small, &request) == ERR_AGAIN);
	memcpy(text, GET, strlen(GET));
	cr_expect(http_request_parse(slice_of(text, strlen(GET) + 28), &small, &request) ==
		  ERR_AGAIN);
	cr_expect(http_request_parse(slice_of(text, strlen(GET) + 29), &small, &request) ==
		  ERR_HTTP_HEADER_SIZE);
}

Test(http_request, SL_01_SL_02_the_largest_head_fits_the_documented_buffer)
{
	struct slice head = sized_head(limits.max_request_line, limits.max_header_bytes, 0);
	struct http_request request;
	char *text = malloc(head.len + 4);

	memcpy(text, "\r\n\r\n", 4);
	memcpy(text + 4, head.p, head.len);
	cr_assert(http_request_parse(slice_of(text, head.len + 4), &limits, &request) == OK);
	cr_expect(request.head_len ==
		  limits.max_request_line + limits.max_header_bytes + HTTP_HEAD_EXTRA);
	free((void *)head.p);
	free(text);
}

Test(http_request, SL_03_EM_03_HS_17_a_body_too_large_is_refused_before_it_comes)
{
	static const struct row rows[] = {
	    {"SL-03", POST HOST "Content-Length: 16384\r\n\r\n", OK},
	    {"SL-03", POST HOST "Content-Length: 16385\r\n\r\n", ERR_HTTP_BODY_SIZE},
	    {"HS-17", POST HOST "Content-Length: 16385\r\nExpect: 100-continue\r\n\r\n",
	     ERR_HTTP_BODY_SIZE},
	    {"SL-03", POST HOST "Content-Length: 18446744073709551615\r\n\r\n", ERR_HTTP_BODY_SIZE},
	    {"RP-12", GET HOST "Content-Length: 16385\r\n\r\n", ERR_HTTP_BODY},
	};

	check_rows(rows, N_ELEMENTS(rows));
}

Test(http_request, HS_13_NUL_does_not_end_a_value)
{
	static const char text[] = GET "Host: a\0b\r\n\r\n";
	struct http_request request;

	cr_expect(parse_under(slice_of(text, sizeof(text) - 1), &limits, &request) ==
		  ERR_HTTP_SYNTAX);
}
