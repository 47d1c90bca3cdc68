/* SPDX-License-Identifier: ISC */
/*
 * Slices, digits and big-endian numbers. The decoders look at all of the text before they write
 * anything, so that a refused text leaves no trace.
 */
#include "base/bytes.h"

#include <endian.h>

static uint8_t lower_of(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool slice_eq_nocase(struct slice s, const char *lower)
{
	if (s.len != strlen(lower))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (lower_of(s.p[i]) != (uint8_t)lower[i])
			return false;
	}
	return true;
}

int64_t time_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

/* The digits of four octets at once: every nibble gets an octet of its own, and those above 9 the
 * way from '9' to 'a' as well. */
static uint64_t hex_digits(uint32_t octets)
{
	uint64_t n = octets, letters;

	n = (n << 16 | n) & UINT64_C(0x0000ffff0000ffff);
	n = (n << 8 | n) & UINT64_C(0x00ff00ff00ff00ff);
	n = (n << 4 | n) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	letters = (n + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	return n + UINT64_C(0x3030303030303030) + letters * ('a' - '9' - 1);
}

void hex_encode(char *dst, struct slice in)
{
	size_t i = 0;

	for (; i + 4 <= in.len; i += 4)
		put_u64((uint8_t *)dst + 2 * i, hex_digits(get_u32(in.p + i)));
	for (; i < in.len; i++) {
		uint64_t digits = hex_digits(in.p[i]);

		dst[2 * i] = (char)(digits >> 8);
		dst[2 * i + 1] = (char)digits;
	}
}

/* 16 for what is no hexadecimal digit. */
static uint8_t nibble_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	c = lower_of(c);
	return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10) : 16;
}

err_t hex_decode(uint8_t *dst, size_t len, struct slice text)
{
	size_t n_digits;

	if (!size_mul(len, 2, &n_digits) || text.len != n_digits)
		return ERR_SYNTAX;
	for (size_t i = 0; i < n_digits; i++) {
		if (nibble_of(text.p[i]) > 15)
			return ERR_SYNTAX;
	}
	for (size_t i = 0; i < len; i++)
		dst[i] = (uint8_t)(nibble_of(text.p[2 * i]) << 4 | nibble_of(text.p[2 * i + 1]));
	return OK;
}

err_t decimal_decode(struct slice text, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (text.len == 0)
		return ERR_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		if (c < '0' || c > '9')
			return ERR_SYNTAX;
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(c - '0'), &n) || n > max)
			return ERR_SYNTAX;
	}
	*out = n;
	return OK;
}

const char *two_digits(uint64_t n)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";

	return pairs + 2 * n;
}

size_t decimal_encode(char *dst, uint64_t n)
{
	char digits[20]; /* of UINT64_MAX; written from the end */
	size_t first = sizeof(digits);

	for (; n > 9; n /= 100)
		memcpy(digits + (first -= 2), two_digits(n % 100), 2);
	if (n > 0 || first == sizeof(digits))
		digits[--first] = (char)('0' + n);
	memcpy(dst, digits + first, sizeof(digits) - first);
	return sizeof(digits) - first;
}

/* Octets that follow a lead octet, and the code points that this length may hold. */
static const struct {
	uint8_t mask, lead; /* the lead octet & mask == lead */
	uint8_t n_follow;
	uint32_t min, max; /* below min: overlong */
} utf8_forms[] = {
    {0x80, 0x00, 0, 0, 0x7f},
    {0xe0, 0xc0, 1, 0x80, 0x7ff},
    {0xf0, 0xe0, 2, 0x800, 0xffff},
    {0xf8, 0xf0, 3, 0x10000, 0x10ffff},
};

size_t utf8_decode(struct slice s, uint32_t *out)
{
	for (size_t form = 0; s.len > 0 && form < N_ELEMENTS(utf8_forms); form++) {
		size_t n_follow = utf8_forms[form].n_follow;
		uint32_t code = (uint32_t)(s.p[0] & ~utf8_forms[form].mask);

		if ((s.p[0] & utf8_forms[form].mask) != utf8_forms[form].lead)
			continue;
		if (s.len <= n_follow)
			return 0;
		for (size_t i = 1; i <= n_follow; i++) {
			if ((s.p[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s.p[i] & 0x3f);
		}
		/* RFC 3629 3: no overlong forms, no surrogates, nothing above U+10FFFF. */
		if (code < utf8_forms[form].min || code > utf8_forms[form].max ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 0;
		*out = code;
		return n_follow + 1;
	}
	return 0;
}

/* Controls, of which those behind ASCII are escape sequences to terminals as well; and what has the
 * text behind it shown in another order or on another line. */
static bool is_unfit(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void text_make_plain(char *text)
{
	struct slice rest = slice_text(text);
	uint32_t code;

	while (rest.len > 0) {
		size_t n = utf8_decode(rest, &code);

		if (n == 0 || is_unfit(code)) {
			n = n > 0 ? n : 1;
			*text++ = '?';
		} else {
			memmove(text, rest.p, n);
			text += n;
		}
		rest = slice_skip(rest, n);
	}
	*text = '\0';
}

void put_u32(uint8_t *dst, uint32_t v)
{
	v = htobe32(v);
	memcpy(dst, &v, sizeof(v));
}

void put_u64(uint8_t *dst, uint64_t v)
{
	v = htobe64(v);
	memcpy(dst, &v, sizeof(v));
}

uint32_t get_u32(const uint8_t *src)
{
	uint32_t v;

	memcpy(&v, src, sizeof(v));
	return be32toh(v);
}

uint64_t get_u64(const uint8_t *src)
{
	uint64_t v;

	memcpy(&v, src, sizeof(v));
	return be64toh(v);
}
