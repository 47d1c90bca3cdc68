/* SPDX-License-Identifier: ISC */
/* DER by hand, for tests: HEX("0500"), BASE64("..."), TLV(tag, part, part ...), CAT(part ...). What
 * they give lives as long as the test; the arena is as large as the largest message needs. */
#ifndef OCSPRELAY_TESTS_BUILD_H
#define OCSPRELAY_TESTS_BUILD_H

#include <stdlib.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "core/der.h"

static uint8_t build_arena[64 << 20];
static size_t build_used;

static inline uint8_t *build_take(size_t len)
{
	uint8_t *p = build_arena + build_used;

	if (len > sizeof(build_arena) - build_used)
		abort();
	build_used += len;
	return p;
}

static inline struct slice build_cat(const struct slice *parts, size_t n)
{
	size_t len = 0;
	uint8_t *p;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	p = build_take(len);
	len = 0;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len > 0)
			memcpy(p + len, parts[i].p, parts[i].len);
		len += parts[i].len;
	}
	return slice_of(p, len);
}

static inline struct slice build_tlv(uint8_t tag, struct slice content)
{
	uint8_t *p = build_take(der_header_len(content.len) + content.len);
	size_t n = der_put_header(p, tag, content.len);

	if (content.len > 0)
		memcpy(p + n, content.p, content.len);
	return slice_of(p, n + content.len);
}

static inline struct slice build_hex(const char *text)
{
	size_t len = strlen(text) / 2;
	uint8_t *p = build_take(len);

	if (hex_decode(p, len, slice_text(text)) != OK)
		abort();
	return slice_of(p, len);
}

static inline struct slice build_base64(const char *text)
{
	size_t len = strlen(text);
	uint8_t *p = build_take(len);
	int n = EVP_DecodeBlock(p, (const unsigned char *)text, (int)len);

	if (n < 0)
		abort();
	while (len > 0 && text[len - 1] == '=') {
		len--;
		n--;
	}
	return slice_of(p, (size_t)n);
}

/* n octets of value. */
static inline struct slice build_fill(uint8_t value, size_t n)
{
	return slice_of(memset(build_take(n), value, n), n);
}

/* n copies of part. */
static inline struct slice build_repeat(struct slice part, size_t n)
{
	uint8_t *p = build_take(part.len * n);

	for (size_t i = 0; i < n && part.len > 0; i++)
		memcpy(p + i * part.len, part.p, part.len);
	return slice_of(p, part.len * n);
}

/* A copy in memory of its own that ends where the octets end: sanitizers see any read beyond. The
 * caller frees p. */
static inline struct slice build_exact(struct slice s)
{
	uint8_t *p = malloc(s.len ? s.len : 1);

	if (!p)
		abort();
	if (s.len > 0)
		memcpy(p, s.p, s.len);
	return slice_of(p, s.len);
}

#define HEX(text)    build_hex(text)
#define BASE64(text) build_base64(text)
#define PARTS(...)                           \
	(const struct slice[]){__VA_ARGS__}, \
	    sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice)
#define CAT(...)      build_cat(PARTS(__VA_ARGS__))
#define TLV(tag, ...) build_tlv(tag, CAT(__VA_ARGS__))
#define EMPTY	      slice_of(NULL, 0)

#endif
