/* SPDX-License-Identifier: ISC */
/* GET targets: every spelling of one request gives the same octets, and nothing else gives any. */
#include "core/get_target.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/base64.h"
#include "guard.h"
#include "vectors.h"

static const struct ocsp_request_limits limits = {.max_certids = 8, .max_extensions = 16};

static uint8_t scratch[1 << 16];

/* The decoder must not read beyond the target nor write beyond 2 * target.len. */
static err_t decode(struct slice target, struct ocsp_request *out)
{
	err_t e;

	memset(scratch, 0x5a, sizeof(scratch));
	e = get_target_decode(guard_slice(target), &limits, scratch, out);

	for (size_t i = 2 * target.len; i < sizeof(scratch); i++)
		cr_assert(scratch[i] == 0x5a, "scratch[%zu]", i);
	return e;
}

/* Text with every character of escaped as %XX. */
static const char *escape(const char *text, const char *escaped, const char *format)
{
	static char out[1000];
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (strchr(escaped, *text) != NULL)
			len += (size_t)sprintf(out + len, format, (unsigned)(uint8_t)*text);
		else
			out[len++] = *text;
	}
	out[len] = '\0';
	return out;
}

static const char *replace(const char *text, const char *from, const char *to)
{
	static char out[1000];
	size_t len = 0;

	while (*text != '\0') {
		if (strncmp(text, from, strlen(from)) == 0) {
			len += (size_t)sprintf(out + len, "%s", to);
			text += strlen(from);
		} else {
			out[len++] = *text++;
		}
	}
	out[len] = '\0';
	return out;
}

/* prefix, a spelling of vector, suffix: must give the octets of vector. */
static void check_is(const char *vector, const char *rule, const char *prefix, const char *spelling,
		     const char *suffix)
{
	uint8_t der[1000];
	char target[2000];
	size_t len;
	struct ocsp_request request;
	err_t e;

	cr_assert(base64_decode(der, slice_of(vector, strcspn(vector, "=")), &len) == OK);
	snprintf(target, sizeof(target), "%s%s%s", prefix, spelling, suffix);
	e = decode(slice_text(target), &request);
	cr_assert(e == OK, "%s: %s of %s", rule, err_row(e)->label, target);
	cr_assert(slice_eq(request.der, slice_of(der, len)), "%s: other octets from %s", rule,
		  target);
	cr_assert(request.der.p >= scratch && request.der.p < scratch + 2 * strlen(target));
}

static void check_tv1(const char *rule, const char *prefix, const char *spelling,
		      const char *suffix)
{
	check_is(TV1, rule, prefix, spelling, suffix);
}

static err_t error_of(const char *target)
{
	struct ocsp_request untouched, request;
	err_t e;

	memset(&request, 0x5a, sizeof(request));
	untouched = request;
	e = decode(slice_text(target), &request);
	if (e != OK)
		cr_assert(memcmp(&request, &untouched, sizeof(request)) == 0);
	return e;
}

Test(get_target, RP_01_RP_02_RP_03_escaped_and_unescaped)
{
	check_tv1("RP-01", "/", escape(TV1, "+/=", "%%%02X"), "");
	check_tv1("RP-02", "/", escape(TV1, "+/=", "%%%02x"), "");
	check_tv1("RP-02", "/", TV1, "");
	check_tv1("RP-02", "/", escape(TV1, "/", "%%%02X"), "");
	check_tv1("RP-02", "/", escape(TV1, TV1, "%%%02x"), "");
	check_tv1("RP-03", "/", escape(TV1, "/", "%%%02X"), "");
	check_tv1("RP-03", "/", replace(TV1, "+", "%20"), "");
	check_tv1("RP-03", "/", replace(TV1, "+", " "), "");
}

Test(get_target, RP_04_RP_05_leading_slashes_are_nothing_and_inner_ones_are_kept)
{
	check_tv1("RP-04", "//", TV1, "");
	check_tv1("RP-04", "///", TV1, "");
	check_tv1("RP-04", "////////////////", TV1, "");
	check_tv1("RP-04", "/%2F/", TV1, "");
	check_tv1("RP-05", "", TV1, "");
}

Test(get_target, RP_06_merged_slashes_are_not_guessed)
{
	cr_expect(error_of(replace("/" TV1, "//", "/")) == ERR_REQ_DER ||
		  error_of(replace("/" TV1, "//", "/")) == ERR_REQ_TARGET);
}

Test(get_target, RP_07_RP_08_RP_09_sloppy_spellings)
{
	check_tv1("RP-07", "/", replace(TV1, "=", ""), "");
	check_tv1("RP-07", "/", TV1, "===");
	check_tv1("RP-07", "/", replace(TV1, "+", "-"), "");
	check_tv1("RP-07", "/", replace(TV1, "/", "_"), "");
	check_tv1("RP-07", "/", replace(TV1, "//d", "/_d"), "");
	check_tv1("RP-08", "/", replace(TV1, "/", "%252F"), "");
	check_tv1("RP-08", "/", replace(TV1, "+", "%252b"), "");
	check_tv1("RP-09", "/", replace(TV1, "BBT", "BBT%0A"), "");
	check_tv1("RP-09", "/", replace(TV1, "BBT", "%0D%0ABBT%09"), "%0A");
	cr_expect(error_of(replace("/" TV1, "/", "%25252F")) == ERR_REQ_TARGET);
}

Test(get_target, RP_10_what_tools_append_is_dropped)
{
	check_tv1("RP-10", "/", TV1, "/");
	check_tv1("RP-10", "/", TV1, "///");
	check_tv1("RP-10", "/", replace(TV1, "=", ""), "/");
	check_tv1("RP-10", "/", TV1, "?x=1");
	check_tv1("RP-10", "/", TV1, "/?x=/http://h/");
	check_tv1("RP-10", "/", TV1, "#top");
	check_tv1("RP-10", "/", TV1, "%2F");
	check_is(TV2, "RP-10", "/", TV2, "/");
	check_is(TV4, "RP-10", "/", TV4, "/");
	check_is(TV5, "RP-10", "/", TV5, "//");
	cr_expect(error_of("/" TV13 "/") == ERR_REQ_EMPTY);
	/* only slashes are surplus, and only where the length says so */
	cr_expect(error_of("/" TV1 "/x") == ERR_REQ_TARGET);
	cr_expect(error_of("/" TV2 "AAAA") == ERR_REQ_TRAILING);
	cr_expect(error_of("/" TV2 "AAA/") == ERR_REQ_TRAILING);
}

/* TV1 with the last three serial octets 0xff or so: its base64 ends in a slash by right. */
Test(get_target, RP_10_base64_that_ends_in_a_slash_is_unchanged)
{
	uint8_t der[100];
	char text[200] = "/";
	size_t len, text_len;
	struct ocsp_request request;

	cr_assert(base64_decode(der, slice_of(TV2, strlen(TV2)), &len) == OK && len == 81);
	for (unsigned n_slashes = 1; n_slashes <= 4; n_slashes++) {
		memset(der + len - 3, 0xff, 3);
		text_len = 1 + base64_len(len);
		base64_encode(text + 1, slice_of(der, len));
		cr_assert(text[text_len - 1] == '/');
		for (unsigned i = 0; i < n_slashes; i++, text_len++) {
			cr_assert(decode(slice_of(text, text_len), &request) == OK);
			cr_assert(slice_eq(request.der, slice_of(der, len)));
			text[text_len] = '/';
		}
	}
}

Test(get_target, RP_11_path_prefixes)
{
	check_tv1("RP-11", "/ocsp/", TV1, "");
	check_tv1("RP-11", "/MAIN/ocsp/", TV1, "");
	check_tv1("RP-11", "/ocsp/ca1//", escape(TV1, "+/=", "%%%02X"), "");
	check_tv1("RP-11", "/100%25/my_ca-1/~x/", TV1, "");
	check_tv1("RP-11", "/100%25/", replace(TV1, "/", "%252F"), "");
	check_tv1("RP-11", "/a/b/c/d/e/f/g/", TV1, "");
	cr_expect(error_of("/a/b/c/d/e/f/g/h/" TV1) == ERR_REQ_TARGET);
	/* an escape that is none is refused, in a prefix too */
	cr_expect(error_of("/100%/" TV1) == ERR_REQ_TARGET);
}

Test(get_target, HS_15_absolute_form)
{
	check_tv1("HS-15", "http://any.example/", TV1, "");
	check_tv1("HS-15", "http://10.0.0.1:22/ocsp/", TV1, "");
	check_tv1("HS-15", "HTTPS://[::1]//", TV1, "?q");
	cr_expect(error_of("http://any.example") == ERR_REQ_TARGET);
	cr_expect(error_of("http://" TV13) == ERR_REQ_TARGET);
	cr_expect(error_of("http://h?/" TV1) == ERR_REQ_TARGET);
}

Test(get_target, RP_14_what_is_no_request_is_refused)
{
	static const char *const targets[] = {
	    "",		"/",	     "//",	"/favicon.ico",
	    "/M",	"/MA",	     "/MAA",	"/M=",
	    "/MA==",	"/metrics",  "*",	"?",
	    "/?" TV1,	"#",	     "http://", "://",
	    "host:443", "/%",	     "/%4",	"/%zz",
	    "/%4g",	"/" TV1 "%", "/%00",	"/\x80",
	    "/MEM/../", "/M\xc4",    "/%0A%0A", "/..%2f..%2fetc/passwd",
	};

	for (size_t i = 0; i < N_ELEMENTS(targets); i++) {
		err_t e = error_of(targets[i]);

		cr_expect(e == ERR_REQ_TARGET || e == ERR_REQ_DER, "%s: %s", targets[i],
			  err_row(e)->label);
		cr_expect(err_row(e)->ocsp == OCSP_MALFORMED_REQUEST && err_row(e)->http == 400);
	}
}

Test(get_target, RP_25_EM_07_EM_08_the_reason_is_that_of_the_candidate_that_came_furthest)
{
	static const struct {
		const char *target;
		err_t err;
	} rows[] = {
	    {"/" TV6b, ERR_REQ_VERSION},
	    {"/" TV7a, ERR_REQ_DER},
	    {"/" TV7b, ERR_REQ_DER},
	    {"/" TV8nonmin, ERR_REQ_SERIAL},
	    {"/" TV9, ERR_REQ_TRAILING},
	    {"/" TV12, ERR_REQ_DIGEST},
	    {"/" TV13, ERR_REQ_EMPTY},
	    {"/" TV4_0, ERR_REQ_NONCE},
	    {"/MAIN/ocsp/" TV12, ERR_REQ_DIGEST},
	    {"/MEM/" TV4_0, ERR_REQ_NONCE},
	};
	uint8_t md5[76];
	char text[120] = "/MAIN/";

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		err_t e = error_of(rows[i].target);

		cr_expect(e == rows[i].err, "%s: %s", rows[i].target, err_row(e)->label);
	}
	/* RP-37: a request in order with a hash that is not supported is an answer */
	cr_assert(hex_decode(md5, sizeof(md5), slice_text(TV_RFC_HEX)) == OK);
	base64_encode(text + 6, slice_of(md5, sizeof(md5)));
	cr_expect(error_of(text) == ERR_REQ_HASH);
}

Test(get_target, RP_13_a_target_of_4_KiB_is_decoded)
{
	/* an unknown, non-critical extension as large as a signature with certificates */
	static uint8_t der[3100];
	static char target[6000] = "/";
	struct slice tv1, ext;
	uint8_t small[100];
	size_t len = 0, tv1_len;
	struct ocsp_request request;

	cr_assert(base64_decode(small, slice_of(TV1, strcspn(TV1, "=")), &tv1_len) == OK);
	tv1 = slice_of(small + 4, tv1_len - 4);		       /* requestList of TV1 */
	ext = slice_of("\x06\x02\x2a\x03\x04\x82\x0b\x54", 8); /* 1.2.3, 2900 octets */
	memcpy(der + len, "\x30\x82\x0b\xbb\x30\x82\x0b\xb7", 8), len += 8;
	memcpy(der + len, tv1.p, tv1.len), len += tv1.len;
	memcpy(der + len, "\xa2\x82\x0b\x64\x30\x82\x0b\x60\x30\x82\x0b\x5c", 12), len += 12;
	memcpy(der + len, ext.p, ext.len), len += ext.len + 2900;
	cr_assert(len == 8 + 79 + 12 + 2908);
	base64_encode(target + 1, slice_of(der, len));
	cr_expect(decode(slice_text(target), &request) == OK);
	cr_expect(slice_eq(request.der, slice_of(der, len)));
	strcat(target, "///");
	cr_expect(decode(slice_text(target), &request) == OK);
	cr_expect(slice_eq(request.der, slice_of(der, len)));
}
