/* SPDX-License-Identifier: ISC */
/*
 * Base64 by tables: four characters become three octets, and whether any of them was foreign is
 * asked once, at the end.
 */
#include "core/base64.h"

#define FOREIGN 0x80

/* clang-format off */
static const uint8_t values[256] = {
	[0 ... '+' - 1] = FOREIGN,
	['+'] = 62,
	['+' + 1 ... '/' - 1] = FOREIGN,
	['/'] = 63, ['0'] = 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
	['9' + 1 ... 'A' - 1] = FOREIGN,
	['A'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
	23, 24, 25,
	['Z' + 1 ... 'a' - 1] = FOREIGN,
	['a'] = 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
	47, 48, 49, 50, 51,
	['z' + 1 ... 255] = FOREIGN,
};
/* clang-format on */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

err_t base64_decode(uint8_t *dst, struct slice text, size_t *out_len)
{
	const uint8_t *p = text.p;
	size_t n_groups = text.len / 4, n_left = text.len % 4, len = 3 * n_groups;
	unsigned foreign = 0, v[4] = {0};

	for (; n_groups > 0; n_groups--, p += 4, dst += 3) {
		unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];

		foreign |= a | b | c | d;
		dst[0] = (uint8_t)(a << 2 | b >> 4);
		dst[1] = (uint8_t)(b << 4 | c >> 2);
		dst[2] = (uint8_t)(c << 6 | d);
	}
	for (size_t i = 0; i < n_left; i++)
		foreign |= (v[i] = values[p[i]]);
	if (foreign & FOREIGN || n_left == 1)
		return ERR_SYNTAX;
	/* Two characters are one octet and 4 spare bits, three are two and 2 (RFC 4648 3.5). */
	if ((n_left == 2 && v[1] & 0x0f) || (n_left == 3 && v[2] & 0x03))
		return ERR_SYNTAX;
	if (n_left >= 2)
		dst[0] = (uint8_t)(v[0] << 2 | v[1] >> 4);
	if (n_left == 3)
		dst[1] = (uint8_t)(v[1] << 4 | v[2] >> 2);
	*out_len = len + (n_left > 0 ? n_left - 1 : 0);
	return OK;
}

size_t base64_len(size_t len)
{
	return (len + 2) / 3 * 4;
}

void base64_encode(char *dst, struct slice in)
{
	const uint8_t *p = in.p;
	size_t left = in.len;
	uint32_t v;

	for (; left >= 3; left -= 3, p += 3, dst += 4) {
		v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		dst[0] = digits[v >> 18];
		dst[1] = digits[v >> 12 & 63];
		dst[2] = digits[v >> 6 & 63];
		dst[3] = digits[v & 63];
	}
	if (left == 0)
		return;
	v = (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0);
	dst[0] = digits[v >> 18];
	dst[1] = digits[v >> 12 & 63];
	dst[2] = left == 2 ? digits[v >> 6 & 63] : '=';
	dst[3] = '=';
}
