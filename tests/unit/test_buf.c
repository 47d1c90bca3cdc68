/* SPDX-License-Identifier: ISC */
/* The growing buffer: its ceiling, the failure that sticks, and text for JSON. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/bytes.h"

static struct buf buf;

static void init_buf(void)
{
	buf_init(&buf, 1000);
}

static void fini_buf(void)
{
	buf_fini(&buf);
}

static bool holds(const char *text)
{
	return slice_eq(buf_slice(&buf), slice_text(text));
}

TestSuite(buf, .init = init_buf, .fini = fini_buf);

Test(buf, starts_empty_without_memory)
{
	cr_expect(holds(""));
	cr_expect_null(buf.p);
	cr_expect_eq(buf_append(&buf, NULL, 0), OK);
	cr_expect(holds(""));
}

Test(buf, appends_octets_text_and_formats_in_order)
{
	cr_expect_eq(buf_append(&buf, "a\0b", 3), OK);
	cr_expect_eq(buf_text(&buf, "-text-"), OK);
	cr_expect_eq(buf_text(&buf, ""), OK);
	cr_expect_eq(buf_printf(&buf, "%03d|%s", 7, "x"), OK);
	cr_expect(slice_eq(buf_slice(&buf), slice_of("a\0b-text-007|x", 14)));
}

Test(buf, takes_exactly_its_maximum)
{
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(buf_append(&buf, &(uint8_t){(uint8_t)i}, 1), OK);
	cr_expect_eq(buf_append(&buf, NULL, 0), OK);
	cr_expect_eq(buf_append(&buf, "x", 1), ERR_TOO_LONG);
	cr_assert_eq(buf_slice(&buf).len, 1000);
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(buf.p[i], (uint8_t)i);
}

Test(buf, format_may_fill_to_the_maximum)
{
	cr_expect_eq(buf_printf(&buf, "%1000s", "x"), OK);
	cr_expect_eq(buf_slice(&buf).len, 1000);
	cr_expect_eq(buf_printf(&buf, "%s", ""), OK);
	cr_expect_eq(buf_printf(&buf, "%s", "x"), ERR_TOO_LONG);
	cr_expect_eq(buf_slice(&buf).len, 1000);
}

Test(buf, failed_append_adds_nothing_and_sticks)
{
	cr_expect_eq(buf_text(&buf, "ab"), OK);
	cr_expect_eq(buf_printf(&buf, "%999s", "x"), ERR_TOO_LONG);
	cr_expect(holds("ab"));
	cr_expect_eq(buf_text(&buf, "c"), ERR_TOO_LONG);
	cr_expect_eq(buf_append(&buf, NULL, 0), ERR_TOO_LONG);
	cr_expect_eq(buf_printf(&buf, "%d", 1), ERR_TOO_LONG);
	cr_expect_eq(buf_json(&buf, slice_text("d")), ERR_TOO_LONG);
	cr_expect_eq(buf.err, ERR_TOO_LONG);
	cr_expect(holds("ab"));
}

Test(buf, lengths_that_overflow_are_too_long)
{
	struct buf wide;

	buf_init(&wide, SIZE_MAX);
	cr_expect_eq(buf_text(&wide, "ab"), OK);
	cr_expect_eq(buf_append(&wide, "", SIZE_MAX - 1), ERR_TOO_LONG);
	cr_expect_eq(wide.len, 2);
	buf_fini(&wide);
}

Test(buf, memory_that_cannot_be_had_is_an_error)
{
	struct buf wide;

	buf_init(&wide, SIZE_MAX);
	cr_expect_eq(buf_append(&wide, "", SIZE_MAX), ERR_NO_MEMORY);
	cr_expect_eq(wide.len, 0);
	buf_fini(&wide);
}

Test(buf, reset_forgets_contents_and_failure)
{
	cr_expect_eq(buf_printf(&buf, "%1001s", "x"), ERR_TOO_LONG);
	buf_reset(&buf);
	cr_expect_eq(buf.err, OK);
	cr_expect_eq(buf_text(&buf, "again"), OK);
	cr_expect(holds("again"));
	buf_reset(&buf);
	cr_expect(holds(""));
}

Test(buf, fini_leaves_an_empty_buffer)
{
	cr_expect_eq(buf_text(&buf, "x"), OK);
	buf_fini(&buf);
	cr_expect(holds(""));
	cr_expect_eq(buf_text(&buf, "y"), OK);
	cr_expect(holds("y"));
}

Test(buf, zero_maximum_takes_nothing)
{
	struct buf none;

	buf_init(&none, 0);
	cr_expect_eq(buf_printf(&none, "%s", ""), OK);
	cr_expect_eq(buf_text(&none, "x"), ERR_TOO_LONG);
	buf_fini(&none);
}

Test(buf, json_escapes_what_must_not_stand_in_a_string)
{
	static const struct {
		const char *text;
		size_t len;
		const char *json;
	} cases[] = {
	    {"plain / text", 12, "plain / text"},
	    {"\"\\", 2, "\\\"\\\\"},
	    {"a\0\n\x1f", 4, "a\\u0000\\u000a\\u001f"},
	    {" ~", 2, " ~"},
	    {"\x7f", 1, "\\u007f"},
	    {"\xc2\x9b", 2, "\\u009b"}, /* C1: begins an escape sequence on terminals */
	    {"\xc2\xa0", 2, "\xc2\xa0"},
	    {"\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\xe2\x82\xac\xf0\x9f\x98\x80"},
	    {"\xff"
	     "a",
	     2, "\\u00ffa"},
	    {"\xe2\x82", 2, "\\u00e2\\u0082"},
	    {"\xc0\xaf", 2, "\\u00c0\\u00af"},
	    {"\xed\xa0\x80", 3, "\\u00ed\\u00a0\\u0080"},
	    {"", 0, ""},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		buf_reset(&buf);
		cr_expect_eq(buf_json(&buf, slice_of(cases[i].text, cases[i].len)), OK);
		cr_expect(holds(cases[i].json), "case %zu: %.*s", i, (int)buf.len, buf.p);
	}
	cr_expect_eq(buf_json(&buf, slice_of(NULL, 0)), OK);
}

Test(buf, json_that_does_not_fit_adds_nothing)
{
	struct buf small;

	buf_init(&small, 8);
	cr_expect_eq(buf_text(&small, "ab"), OK);
	cr_expect_eq(buf_json(&small, slice_text("c\x01"
						 "d")),
		     ERR_TOO_LONG);
	cr_expect(slice_eq(buf_slice(&small), slice_text("ab")));
	buf_fini(&small);
}
