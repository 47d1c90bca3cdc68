/* SPDX-License-Identifier: ISC */
/* Slices of bytes: comparing, cutting, digits, UTF-8, big-endian numbers, checked sums. */
#ifndef OCSPRELAY_BASE_BYTES_H
#define OCSPRELAY_BASE_BYTES_H

#include <string.h>

#include "err.h"
#include "types.h"

static inline struct slice slice_of(const void *p, size_t len)
{
	return (struct slice){.p = p, .len = len};
}

/* The text without its NUL; NULL gives the empty slice. */
static inline struct slice slice_text(const char *text)
{
	return text ? slice_of(text, strlen(text)) : slice_of(NULL, 0);
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* What remains after the first n octets; n beyond the end gives the empty slice. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return slice_of(s.p ? s.p + n : NULL, s.len - n);
}

/* The first n octets, or all of s if it has fewer. */
static inline struct slice slice_take(struct slice s, size_t n)
{
	return slice_of(s.p, n < s.len ? n : s.len);
}

/* ASCII case-insensitive comparison with a lower-case literal. */
bool slice_eq_nocase(struct slice s, const char *lower);

/* False when the sum or product does not fit; *out is then untouched. */
static inline bool size_add(size_t a, size_t b, size_t *out)
{
	size_t n;

	if (__builtin_add_overflow(a, b, &n))
		return false;
	*out = n;
	return true;
}

static inline bool size_mul(size_t a, size_t b, size_t *out)
{
	size_t n;

	if (__builtin_mul_overflow(a, b, &n))
		return false;
	*out = n;
	return true;
}

/* Saturating sum of seconds or milliseconds. */
int64_t time_add(int64_t a, int64_t b);

/* dst gets 2 * in.len lower-case digits, no NUL. */
void hex_encode(char *dst, struct slice in);

/* Reads exactly 2 * len digits of either case into dst. ERR_SYNTAX otherwise. */
MUST_CHECK err_t hex_decode(uint8_t *dst, size_t len, struct slice text);

/* Decimal digits only, no sign, no blanks, at least one, not above max; else ERR_SYNTAX. */
MUST_CHECK err_t decimal_decode(struct slice text, uint64_t max, uint64_t *out);

/* Decimal digits of n into dst (20 octets always suffice); the number of digits. */
size_t decimal_encode(char *dst, uint64_t n);

/* The digits of n, at most 99. Static, no NUL behind them. */
const char *two_digits(uint64_t n);

/* Octets of the UTF-8 character at the start of s, its code point in *out; 0 when there is none
 * (RFC 3629; *out is then untouched). */
size_t utf8_decode(struct slice s, uint32_t *out);

/* Question marks for what a terminal would take for more than text: controls, octets that are not
 * UTF-8, what turns the direction of text. In place; it gets no longer. */
void text_make_plain(char *text);

void put_u32(uint8_t *dst, uint32_t v); /* big endian */
void put_u64(uint8_t *dst, uint64_t v);
uint32_t get_u32(const uint8_t *src);
uint64_t get_u64(const uint8_t *src);

#endif
