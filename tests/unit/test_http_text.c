/* SPDX-License-Identifier: ISC */
/* Classes of octets, values, tokens, lists. */
#include "core/http_text.h"

#include <criterion/criterion.h>

#include "guard.h"

/* Puts every octet at every place of 20 good ones, so that each position of a block of 8 and of the
 * rest is tried. */
static void check_every_octet(bool (*is_good)(struct slice s), bool (*expected)(int c))
{
	uint8_t text[20];

	for (size_t i = 0; i < sizeof(text); i++) {
		for (int c = 0; c < 256; c++) {
			memset(text, 'x', sizeof(text));
			text[i] = (uint8_t)c;
			cr_assert(is_good(guard_slice(slice_of(text, sizeof(text)))) == expected(c),
				  "octet %02x at %zu", (unsigned)c, i);
		}
	}
}

static bool may_be_in_value(int c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool is_printable(int c)
{
	return c > 0x20 && c < 0x7f;
}

static bool is_tchar(int c)
{
	return c != 0 && strchr("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz",
				c) != NULL;
}

Test(http_text, HS_13_a_value_has_no_control_but_tab)
{
	check_every_octet(http_text_is_value, may_be_in_value);
	cr_expect(http_text_is_value(slice_of(NULL, 0)));
	cr_expect(http_text_is_value(slice_text("\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t")));
}

Test(http_text, HS_16_visible_is_printable_ascii)
{
	check_every_octet(http_text_is_visible, is_printable);
	cr_expect(http_text_is_visible(slice_of(NULL, 0)));
}

Test(http_text, HS_11_a_token_is_made_of_tchars)
{
	check_every_octet(http_text_is_token, is_tchar);
	cr_expect(!http_text_is_token(slice_of(NULL, 0)));
}

Test(http_text, hexadecimal_digits_of_both_cases)
{
	for (unsigned c = 0; c < 256; c++) {
		const char *digit = c ? strchr("0123456789abcdef", (int)(c | 0x20)) : NULL;

		if (c >= '0' && c <= '9')
			digit = strchr("0123456789", (int)c);
		cr_assert(is_char((uint8_t)c, CHAR_HEX) == (digit != NULL && c >= '0'), "%02x", c);
		if (is_char((uint8_t)c, CHAR_HEX))
			cr_assert(hex_value((uint8_t)c) == strtoul((char[]){(char)c, 0}, NULL, 16));
	}
}

Test(http_text, a_list_is_parted_by_commas_outside_quotes)
{
	static const struct {
		const char *list;
		const char *elements; /* each with a "|" behind */
	} rows[] = {
	    {"", ""},
	    {"a", "a|"},
	    {" a ,\tb\t,c", "a|b|c|"},
	    {"a,,b,", "a||b|"},
	    {",", "|"},
	    {"\"a,b\",c", "\"a,b\"|c|"},
	    {"x=\"a\\\",b\", c", "x=\"a\\\",b\"|c|"},
	    {"\"open, c", "\"open, c|"},
	    {"\"open\\", "\"open\\|"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice rest = guard_slice(slice_text(rows[i].list)), element;
		char found[100] = "";

		while (http_text_next(&rest, &element)) {
			strncat(found, (const char *)element.p, element.len);
			strcat(found, "|");
		}
		cr_expect(strcmp(found, rows[i].elements) == 0, "\"%s\": %s", rows[i].list, found);
	}
}

Test(http_text, blanks_are_trimmed_at_both_ends_only)
{
	cr_expect(slice_eq(http_text_trim(slice_text(" \t a \tb \t")), slice_text("a \tb")));
	cr_expect(http_text_trim(slice_text(" \t ")).len == 0);
	cr_expect(http_text_trim(slice_text("")).len == 0);
}
