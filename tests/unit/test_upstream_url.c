/* SPDX-License-Identifier: ISC */
/* The URLs of responders, and of GET. */
#include "core/upstream_url.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/bytes.h"
#include "core/base64.h"
#include "vectors.h"

Test(upstream_url, urls_of_responders_are_accepted)
{
	static const char *const good[] = {
	    "http://ocsp.example",
	    "http://ocsp.example/",
	    "HTTPS://OCSP.Example/a/b//c",
	    "http://ocsp.example:50000/ocsp", /* a port beyond a short's range */
	    "http://ocsp.example:1",
	    "http://192.0.2.1:80/x",
	    "http://[2001:db8::1]:8080/",
	    "http://[::ffff:192.0.2.1]",
	    "http://under_score.example/%7Euser",
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(good); i++)
		cr_expect_eq(upstream_url_check(good[i]), OK, "%s", good[i]);
}

Test(upstream_url, SL_12_anything_else_is_refused)
{
	static const char *const bad[] = {
	    "",
	    "ocsp.example/",
	    "//ocsp.example/",
	    "ftp://ocsp.example/",
	    "file:///etc/passwd",
	    "ldap://ocsp.example/",
	    "http:/ocsp.example/",
	    "http://",
	    "http:///path",
	    "http://:80/",
	    "http://host:/",
	    "http://host:0/",
	    "http://host:65536/",
	    "http://host:8a/",
	    "http://host:80:80/",
	    "http://user@host/",
	    "http://user:secret@host/",
	    "http://host@evil/",
	    "http://host\\@evil/",
	    "http://host/a\\b",
	    "http://host/?query",
	    "http://host?query",
	    "http://host/#fragment",
	    "http://host#fragment",
	    "http://ho%73t/",
	    "http://host /",
	    "http://host/a b",
	    "http://host/\r\nX: y",
	    "http://host/\x7f",
	    "http://h\xc3\xb6st/",
	    "http://[::1/",
	    "http://[]/",
	    "http://[::1]x/",
	    "http://[::1%25eth0]/",
	    "http://[::1]:/",
	    "http://::1/",
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(bad); i++)
		cr_expect_eq(upstream_url_check(bad[i]), ERR_SYNTAX, "%s", bad[i]);
}

Test(upstream_url, SL_12_a_url_has_at_most_1024_octets)
{
	char url[1026];

	memset(url, 'a', sizeof(url));
	memcpy(url, "http://h/", 9);
	url[1024] = '\0';
	cr_assert_eq(upstream_url_check(url), OK);
	url[1024] = 'a';
	url[1025] = '\0';
	cr_assert_eq(upstream_url_check(url), ERR_SYNTAX);
}

Test(upstream_url, a_host_has_at_most_255_octets)
{
	char url[8 + 256 + 1] = "http://";

	memset(url + 7, 'a', 255);
	cr_assert_eq(upstream_url_check(url), OK);
	url[7 + 255] = 'a';
	cr_assert_eq(upstream_url_check(url), ERR_SYNTAX);
}

static void expect_get(const char *url, struct slice request, const char *expected)
{
	char text[300];
	size_t len = strlen(expected);

	memset(text, '#', sizeof(text));
	cr_expect_eq(upstream_url_get_len(url, request), len, "%s", expected);
	cr_expect_eq(upstream_url_get(url, request, text, len), ERR_TOO_LONG);
	cr_expect_eq(text[0], '#', "nothing is written when it does not fit");
	cr_expect_eq(upstream_url_get(url, request, text, len + 1), OK);
	cr_expect_str_eq(text, expected);
	cr_expect_eq(text[len + 1], '#');
}

/* RFC 6960 A.1: base64, then + / = escaped. */
Test(upstream_url, HC_02_plus_slash_and_equals_are_escaped)
{
	static const uint8_t octets[] = {0xfb, 0xff, 0xfe, 0x00}; /* +//+AA== */

	expect_get("http://h/", slice_of(octets, 4), "http://h/%2B%2F%2F%2BAA%3D%3D");
	expect_get("http://h/", slice_of(octets, 3), "http://h/%2B%2F%2F%2B");
	expect_get("http://h/", slice_of(octets, 2), "http://h/%2B%2F8%3D");
	expect_get("http://h/", slice_of(octets, 0), "http://h/");
}

Test(upstream_url, HC_02_one_slash_between_url_and_request)
{
	static const uint8_t octets[] = {0x30, 0x00, 0x00};

	expect_get("http://h", slice_of(octets, 3), "http://h/MAAA");
	expect_get("http://h/", slice_of(octets, 3), "http://h/MAAA");
	expect_get("http://h/ocsp", slice_of(octets, 3), "http://h/ocsp/MAAA");
	expect_get("http://h/ocsp/", slice_of(octets, 3), "http://h/ocsp/MAAA");
	expect_get("http://h//", slice_of(octets, 3), "http://h//MAAA");
}

/* RP-01's escaped vector is what clients, and so responders, see of TV1. */
Test(upstream_url, HC_02_a_whole_request)
{
	uint8_t der[3 * sizeof(TV1) / 4];
	struct slice text = slice_of(TV1, strlen(TV1) - 1); /* without its padding */
	size_t len = 0;

	cr_assert_eq(base64_decode(der, text, &len), OK);
	expect_get("http://ocsp.example", slice_of(der, len),
		   "http://ocsp.example/"
		   "MFEwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBA"
		   "eBnN1R2fYCEBINemzpQ%2FzUaQwN%2B%2F%2Fdxfw%3D");
}

/* The caller compares with MAX_GET_URL_LEN: escapes count as what they take. */
Test(upstream_url, HC_01_the_length_is_that_of_the_escaped_url)
{
	static const uint8_t zeroes[183], ones[183] = {0xff, 0xff, 0xff};

	cr_assert_eq(upstream_url_get_len("http://ab/", slice_of(zeroes, 183)), 10 + 244);
	cr_assert_eq(upstream_url_get_len("http://abc/", slice_of(zeroes, 183)), MAX_GET_URL_LEN);
	cr_assert_eq(upstream_url_get_len("http://ab/", slice_of(ones, 183)), 10 + 244 + 8);
}
