/* SPDX-License-Identifier: ISC */
/*
 * Tokens, values and lists of HTTP. Values and targets are most of a request's octets: they are
 * checked eight at a time.
 */
#include "core/http_text.h"

#define EACH_OCTET(value) (UINT64_C(0x0101010101010101) * (value))

/* Whether any of the 8 octets is below low (at most 0x80), DEL, or, if ascii_only, above it. A
 * borrow between octets comes only out of one that is bad itself. */
static bool has_bad_octet(const uint8_t *p, uint8_t low, bool ascii_only)
{
	uint64_t w, del, bad;

	memcpy(&w, p, sizeof(w));
	del = w ^ EACH_OCTET(0x7f);
	bad = ((w - EACH_OCTET(low)) & ~w) | ((del - EACH_OCTET(1)) & ~del);
	if (ascii_only)
		bad |= w;
	return (bad & EACH_OCTET(0x80)) != 0;
}

bool http_text_is_value(struct slice s)
{
	size_t i = 0;

	while (i < s.len) {
		if (s.len - i >= 8 && !has_bad_octet(s.p + i, 0x20, false))
			i += 8;
		else if (is_value_char(s.p[i])) /* HTAB only looks bad */
			i++;
		else
			return false;
	}
	return true;
}

bool http_text_is_visible(struct slice s)
{
	size_t i;

	for (i = 0; s.len - i >= 8; i += 8) {
		if (has_bad_octet(s.p + i, 0x21, true))
			return false;
	}
	for (; i < s.len; i++) {
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	}
	return true;
}

bool http_text_is_token(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!is_char(s.p[i], CHAR_TOKEN))
			return false;
	}
	return s.len > 0;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct slice http_text_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.p[0]))
		s = slice_skip(s, 1);
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool http_text_next(struct slice *rest, struct slice *out_element)
{
	bool quoted = false;
	size_t i;

	if (rest->len == 0)
		return false;
	for (i = 0; i < rest->len && (quoted || rest->p[i] != ','); i++) {
		if (rest->p[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->p[i] == '\\')
			i++;
	}
	*out_element = http_text_trim(slice_take(*rest, i));
	*rest = slice_skip(*rest, i + 1);
	return true;
}
