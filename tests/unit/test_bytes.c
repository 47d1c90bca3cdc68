/* SPDX-License-Identifier: ISC */
/* Slices, digits, UTF-8, big-endian numbers, checked sums: the edges of each. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/bytes.h"

Test(bytes, slice_of_null_text_is_empty)
{
	cr_expect_eq(slice_text(NULL).len, 0);
	cr_expect_null(slice_text(NULL).p);
	cr_expect_eq(slice_text("").len, 0);
	cr_expect_eq(slice_text("abc").len, 3);
}

Test(bytes, slice_eq_compares_length_and_octets)
{
	cr_expect(slice_eq(slice_text("ab"), slice_text("ab")));
	cr_expect(slice_eq(slice_of(NULL, 0), slice_text("")));
	cr_expect_not(slice_eq(slice_text("ab"), slice_text("abc")));
	cr_expect_not(slice_eq(slice_text("ab"), slice_text("aB")));
	cr_expect(slice_eq(slice_of("a\0b", 3), slice_of("a\0b", 3)));
	cr_expect_not(slice_eq(slice_of("a\0b", 3), slice_of("a\0c", 3)));
}

Test(bytes, slice_skip_and_take_stop_at_the_end)
{
	struct slice s = slice_text("abcdef");

	cr_expect(slice_eq(slice_skip(s, 0), s));
	cr_expect(slice_eq(slice_skip(s, 2), slice_text("cdef")));
	cr_expect_eq(slice_skip(s, 6).len, 0);
	cr_expect_eq(slice_skip(s, SIZE_MAX).len, 0);
	cr_expect_eq(slice_skip(s, SIZE_MAX).p, s.p + 6);
	cr_expect_null(slice_skip(slice_of(NULL, 0), 3).p);
	cr_expect(slice_eq(slice_take(s, 2), slice_text("ab")));
	cr_expect(slice_eq(slice_take(s, SIZE_MAX), s));
}

Test(bytes, slice_eq_nocase_folds_ascii_letters_only)
{
	static const struct {
		const char *text, *lower;
		bool is_equal;
	} cases[] = {
	    {"Content-Length", "content-length", true},
	    {"CONTENT-LENGTH", "content-length", true},
	    {"content-length", "content-length", true},
	    {"AZ", "az", true},
	    {"", "", true},
	    {"content-lengt", "content-length", false},
	    {"content-length1", "content-length", false},
	    {"@", "`", false}, /* one below A and a */
	    {"[", "{", false}, /* one above Z and z */
	    {"\xc4", "\xe4", false},
	    {"\xe4", "\xe4", true},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++)
		cr_expect_eq(slice_eq_nocase(slice_text(cases[i].text), cases[i].lower),
			     cases[i].is_equal, "%s", cases[i].text);
	cr_expect_not(slice_eq_nocase(slice_of("a\0", 2), "a"));
}

Test(bytes, sizes_that_do_not_fit_are_refused)
{
	size_t out = 7;

	cr_expect_not(size_add(SIZE_MAX, 1, &out));
	cr_expect_not(size_mul(SIZE_MAX / 2 + 1, 2, &out));
	cr_expect_eq(out, 7);
	cr_expect(size_add(SIZE_MAX - 1, 1, &out));
	cr_expect_eq(out, SIZE_MAX);
	cr_expect(size_mul(SIZE_MAX, 1, &out));
	cr_expect_eq(out, SIZE_MAX);
}

Test(bytes, time_add_saturates_at_both_ends)
{
	cr_expect_eq(time_add(3, 4), 7);
	cr_expect_eq(time_add(3, -4), -1);
	cr_expect_eq(time_add(INT64_MAX, 1), INT64_MAX);
	cr_expect_eq(time_add(1, INT64_MAX), INT64_MAX);
	cr_expect_eq(time_add(INT64_MIN, -1), INT64_MIN);
	cr_expect_eq(time_add(-1, INT64_MIN), INT64_MIN);
	cr_expect_eq(time_add(INT64_MAX, INT64_MIN), -1);
}

Test(bytes, hex_of_every_octet_and_back)
{
	uint8_t octets[256], back[256];
	char text[512];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	hex_encode(text, slice_of(octets, sizeof(octets)));
	cr_expect_arr_eq(text, "000102", 6);
	cr_expect_arr_eq(text + 2 * 0xa0, "a0a1a2", 6);
	cr_expect_arr_eq(text + 510, "ff", 2);
	cr_assert_eq(hex_decode(back, sizeof(back), slice_of(text, sizeof(text))), OK);
	cr_expect_arr_eq(back, octets, sizeof(octets));
}

Test(bytes, hex_decode_takes_either_case)
{
	uint8_t out[3];

	cr_assert_eq(hex_decode(out, 3, slice_text("aBCdE9")), OK);
	cr_expect_arr_eq(out, ((uint8_t[]){0xab, 0xcd, 0xe9}), 3);
	cr_expect_eq(hex_decode(out, 0, slice_text("")), OK);
}

Test(bytes, hex_decode_refuses_and_writes_nothing)
{
	static const char *const texts[] = {"",	    "abc",  "abcde", "0x01", "00g0", "00:0",
					    "00/0", "00@0", "00`0",  "00G0", "000 ", "-000"};
	uint8_t out[2] = {0x55, 0xaa};

	for (size_t i = 0; i < N_ELEMENTS(texts); i++)
		cr_expect_eq(hex_decode(out, 2, slice_text(texts[i])), ERR_SYNTAX, "%s", texts[i]);
	cr_expect_eq(hex_decode(out, SIZE_MAX / 2 + 2, slice_text("00")), ERR_SYNTAX);
	cr_expect_arr_eq(out, ((uint8_t[]){0x55, 0xaa}), 2);
}

Test(bytes, HS_10_decimal_decode_takes_digits_only)
{
	static const struct {
		const char *text;
		uint64_t max, n;
		err_t err;
	} cases[] = {
	    {"0", 0, 0, OK},
	    {"5", 10, 5, OK},
	    {"007", 10, 7, OK},
	    {"10", 10, 10, OK},
	    {"18446744073709551615", UINT64_MAX, UINT64_MAX, OK},
	    {"11", 10, 0, ERR_SYNTAX},
	    {"18446744073709551616", UINT64_MAX, 0, ERR_SYNTAX},
	    {"99999999999999999999", UINT64_MAX, 0, ERR_SYNTAX},
	    {"184467440737095516150", UINT64_MAX, 0, ERR_SYNTAX},
	    {"", UINT64_MAX, 0, ERR_SYNTAX},
	    {"+5", UINT64_MAX, 0, ERR_SYNTAX},
	    {"-5", UINT64_MAX, 0, ERR_SYNTAX},
	    {" 5", UINT64_MAX, 0, ERR_SYNTAX},
	    {"5 ", UINT64_MAX, 0, ERR_SYNTAX},
	    {"0x5", UINT64_MAX, 0, ERR_SYNTAX},
	    {"5, 5", UINT64_MAX, 0, ERR_SYNTAX},
	    {"5/", UINT64_MAX, 0, ERR_SYNTAX},
	    {"5:", UINT64_MAX, 0, ERR_SYNTAX},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		uint64_t n = 77;
		err_t err = decimal_decode(slice_text(cases[i].text), cases[i].max, &n);

		cr_expect_eq(err, cases[i].err, "\"%s\"", cases[i].text);
		cr_expect_eq(n, err ? 77 : cases[i].n, "\"%s\"", cases[i].text);
	}
}

Test(bytes, decimal_encode_gives_the_shortest_form)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
	    {0, "0"}, {9, "9"}, {10, "10"}, {1000, "1000"}, {UINT64_MAX, "18446744073709551615"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char text[21] = "____________________";
		size_t len = decimal_encode(text, cases[i].n);

		cr_expect(slice_eq(slice_of(text, len), slice_text(cases[i].text)), "%s", text);
		cr_expect(len == 20 || text[len] == '_', "%s", text);
	}
}

Test(bytes, utf8_decode_follows_rfc_3629)
{
	static const struct {
		const char *text;
		size_t len;
		uint32_t code;
	} cases[] = {
	    {"A", 1, 'A'},
	    {"\x7f", 1, 0x7f},
	    {"\xc2\x80", 2, 0x80},
	    {"\xdf\xbfx", 2, 0x7ff},
	    {"\xe0\xa0\x80", 3, 0x800},
	    {"\xed\x9f\xbf", 3, 0xd7ff},
	    {"\xee\x80\x80", 3, 0xe000},
	    {"\xef\xbf\xbf", 3, 0xffff},
	    {"\xf0\x90\x80\x80", 4, 0x10000},
	    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	    {"", 0, 0},
	    {"\x80", 0, 0},		/* no lead octet */
	    {"\xc3", 0, 0},		/* cut */
	    {"\xe2\x82", 0, 0},		/* cut */
	    {"\xf0\x9f\x98", 0, 0},	/* cut */
	    {"\xc3(", 0, 0},		/* does not follow */
	    {"\xe2(\xac", 0, 0},	/* does not follow */
	    {"\xe2\x82(", 0, 0},	/* does not follow */
	    {"\xc0\x80", 0, 0},		/* overlong */
	    {"\xc1\xbf", 0, 0},		/* overlong */
	    {"\xe0\x9f\xbf", 0, 0},	/* overlong */
	    {"\xf0\x8f\xbf\xbf", 0, 0}, /* overlong */
	    {"\xed\xa0\x80", 0, 0},	/* surrogate */
	    {"\xed\xbf\xbf", 0, 0},	/* surrogate */
	    {"\xf4\x90\x80\x80", 0, 0}, /* above U+10FFFF */
	    {"\xf8\x88\x80\x80\x80", 0, 0},
	    {"\xff", 0, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		uint32_t code = 77;
		size_t len = utf8_decode(slice_text(cases[i].text), &code);

		cr_expect_eq(len, cases[i].len, "case %zu: %zu octets", i, len);
		cr_expect_eq(code, len ? cases[i].code : 77, "case %zu: U+%04x", i, code);
	}
}

Test(bytes, text_is_made_plain_for_terminals)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
	    {"", ""},
	    {"CN=M\xc3\xbcller, \xe2\x82\xac", "CN=M\xc3\xbcller, \xe2\x82\xac"},
	    {"a\033[31mb\r\n\tc\x7f", "a?[31mb???c?"},
	    {"a\xc2\x9b"
	     "31mb\xc2\x85",
	     "a?31mb?"}, /* CSI and NEL of eight bits */
	    {"a\x9b"
	     "31m\xff\xc3",
	     "a?31m??"}, /* no UTF-8 */
	    {"x\xe2\x80\xae"
	     "y\xe2\x80\x8f\xe2\x80\xa8\xe2\x81\xa6z",
	     "x?y???z"},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s", cases[i].text);
		text_make_plain(text);
		cr_expect_str_eq(text, cases[i].plain);
	}
}

Test(bytes, numbers_are_big_endian)
{
	uint8_t octets[8];

	put_u32(octets, 0x01020384);
	cr_expect_arr_eq(octets, "\x01\x02\x03\x84", 4);
	cr_expect_eq(get_u32(octets), 0x01020384);
	put_u64(octets, UINT64_C(0xf102030405060788));
	cr_expect_arr_eq(octets, "\xf1\x02\x03\x04\x05\x06\x07\x88", 8);
	cr_expect_eq(get_u64(octets), UINT64_C(0xf102030405060788));
}
