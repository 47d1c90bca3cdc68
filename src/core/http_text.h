/* SPDX-License-Identifier: ISC */
/*
 * The small grammar that all of HTTP is made of (RFC 9110 5.5, 5.6): classes of octets, one look-up
 * each, tokens, values, lists.
 */
#ifndef OCSPRELAY_CORE_HTTP_TEXT_H
#define OCSPRELAY_CORE_HTTP_TEXT_H

#include "base/bytes.h"

enum http_char_class {
	CHAR_TOKEN = 1 << 0, /* tchar */
	CHAR_HOST = 1 << 1,  /* unreserved or sub-delims: a reg-name without its escapes */
	CHAR_HEX = 1 << 2,
	CHAR_ALPHA = 1 << 3,
	CHAR_DIGIT = 1 << 4,
	CHAR_BASE64 = 1 << 5 /* the standard alphabet and its padding (RFC 4648 4) */
};

#define TOKEN_HOST (CHAR_TOKEN | CHAR_HOST)
#define DIGIT	   (TOKEN_HOST | CHAR_HEX | CHAR_DIGIT | CHAR_BASE64)
#define LETTER	   (TOKEN_HOST | CHAR_ALPHA | CHAR_BASE64)

/* clang-format off */
static const uint8_t http_text_classes[256] = {
	['!'] = TOKEN_HOST, ['#'] = CHAR_TOKEN, ['$'] = TOKEN_HOST, ['%'] = CHAR_TOKEN,
	['&'] = TOKEN_HOST, ['\''] = TOKEN_HOST, ['('] = CHAR_HOST, [')'] = CHAR_HOST,
	['*'] = TOKEN_HOST, ['+'] = TOKEN_HOST | CHAR_BASE64, [','] = CHAR_HOST,
	['-'] = TOKEN_HOST, ['.'] = TOKEN_HOST, ['/'] = CHAR_BASE64, ['0' ... '9'] = DIGIT,
	[';'] = CHAR_HOST, ['='] = CHAR_HOST | CHAR_BASE64,
	['A' ... 'F'] = LETTER | CHAR_HEX, ['G' ... 'Z'] = LETTER,
	['^'] = CHAR_TOKEN, ['_'] = TOKEN_HOST, ['`'] = CHAR_TOKEN,
	['a' ... 'f'] = LETTER | CHAR_HEX, ['g' ... 'z'] = LETTER,
	['|'] = CHAR_TOKEN, ['~'] = TOKEN_HOST,
};
/* clang-format on */

#undef TOKEN_HOST
#undef DIGIT
#undef LETTER

static inline bool is_char(uint8_t octet, unsigned classes)
{
	return (http_text_classes[octet] & classes) != 0;
}

/* An octet that a field value may hold (RFC 9110 5.5): no control but HTAB. */
static inline bool is_value_char(uint8_t octet)
{
	return (octet >= 0x20 && octet != 0x7f) || octet == '\t';
}

/* Of a CHAR_HEX. */
static inline unsigned hex_value(uint8_t digit)
{
	return (digit & 15u) + (digit > '9' ? 9 : 0);
}

/* Whether all octets are is_value_char; true of no octets. */
bool http_text_is_value(struct slice s);

/* Whether all octets are printable ASCII without blanks; true of no octets. */
bool http_text_is_visible(struct slice s);

bool http_text_is_token(struct slice s);

/* Without blanks (SP, HTAB) at both ends. */
struct slice http_text_trim(struct slice s);

/* Cuts the next element of a comma-separated list off rest (RFC 9110 5.6.1): trimmed, possibly
 * empty; a comma inside a quoted string does not part. False when rest is empty. */
bool http_text_next(struct slice *rest, struct slice *out_element);

#endif
