/* SPDX-License-Identifier: ISC */
/*
 * GET target to OCSPRequest, section 1.1 of the conformance table. One pass turns the target into
 * text of the base64 alphabet; then this text, and what follows each of its first slashes, are the
 * candidates. The common target is one pass, one decoding and one parse.
 *
 * scratch holds the text, and behind it the octets of the candidate being tried: at most 3/4 of
 * the text, so twice the target's length is enough for both.
 */
#include "core/get_target.h"

#include <string.h>

#include "core/base64.h"
#include "core/http_text.h"

#define MAX_SLASHES 8 /* with a candidate behind them; those at the start count as one */

/* Without scheme and authority, query and fragment. */
static struct slice path_of(struct slice target)
{
	const uint8_t *p;

	if (target.len == 0)
		return target;
	if ((p = memchr(target.p, '?', target.len)) != NULL)
		target.len = (size_t)(p - target.p);
	if ((p = memchr(target.p, '#', target.len)) != NULL)
		target.len = (size_t)(p - target.p);
	if (target.len == 0 || target.p[0] == '/')
		return target;
	if ((p = memmem(target.p, target.len, "://", 3)) != NULL) {
		target = slice_skip(target, (size_t)(p - target.p) + 3);
		p = memchr(target.p, '/', target.len);
		target = slice_skip(target, p ? (size_t)(p - target.p) : target.len);
	}
	return target;
}

/* How many octets at the start are base64 as it is. */
static size_t base64_run(const uint8_t *p, size_t len)
{
	const uint8_t *classes = http_text_classes;
	size_t n = 0;

	while (len - n >= 4 && classes[p[n]] & classes[p[n + 1]] & classes[p[n + 2]] &
				   classes[p[n + 3]] & CHAR_BASE64)
		n += 4;
	while (n < len && is_char(p[n], CHAR_BASE64))
		n++;
	return n;
}

/*
 * Writes text to dst, which may be text.p: escapes decoded once, every spelling of the base64
 * alphabet made the standard one, line breaks dropped. "+" stays: a path is no form (RP-03).
 * False if there is a "%" that begins no escape; it is then left as it is.
 */
static bool normalise(uint8_t *dst, struct slice text, size_t *out_len)
{
	const uint8_t *p = text.p, *end = p + text.len;
	uint8_t *q = dst;
	bool is_valid = true;

	for (;; p++) {
		size_t n = base64_run(p, (size_t)(end - p)); /* nearly all */
		uint8_t c;

		memmove(q, p, n);
		q += n;
		p += n;
		if (p == end)
			break;
		c = *p;
		if (c == '%') {
			if (end - p > 2 && is_char(p[1], CHAR_HEX) && is_char(p[2], CHAR_HEX)) {
				c = (uint8_t)(hex_value(p[1]) << 4 | hex_value(p[2]));
				p += 2;
			} else {
				is_valid = false;
			}
		}
		if (c == '\r' || c == '\n' || c == '\t')
			continue;
		*q++ = c == ' ' || c == '-' ? '+' : c == '_' ? '/' : c;
	}
	*out_len = (size_t)(q - dst);
	return is_valid;
}

/* Characters that the DER element at the start of text takes, without padding; 0: cannot tell. */
static size_t encoded_len(struct slice text)
{
	uint8_t head[6];
	size_t len, total;

	if (text.len < 8 || base64_decode(head, slice_take(text, 8), &len) != OK)
		return 0;
	if (head[1] < 0x80)
		total = 2u + head[1];
	else if (head[1] == 0x81)
		total = 3u + head[2];
	else if (head[1] == 0x82)
		total = 4u + ((size_t)head[2] << 8 | head[3]);
	else
		return 0;
	return (8 * total + 5) / 6;
}

/* Drops slashes that somebody appended, which the length in the DER alone can tell from digits of
 * base64 (RP-10). */
static struct slice drop_slashes(struct slice text)
{
	size_t len = encoded_len(text), i = len;

	while (i < text.len && text.p[i] == '=')
		i++;
	while (i < text.len && text.p[i] == '/')
		i++;
	return i == text.len ? slice_take(text, len) : text;
}

/* ERR_REQ_TARGET when text is not base64 of something like a request: 0x30 and a length. */
static err_t try_candidate(struct slice text, const struct ocsp_request_limits *limits,
			   uint8_t *der, struct ocsp_request *out)
{
	size_t len;

	if (text.len < 2 || text.p[0] != 'M' || text.p[1] < 'A' || text.p[1] > 'I')
		return ERR_REQ_TARGET;
	if (text.p[text.len - 1] == '/')
		text = drop_slashes(text);
	while (text.p[text.len - 1] == '=')
		text.len--;
	if (base64_decode(der, text, &len) != OK)
		return ERR_REQ_TARGET;
	return ocsp_request_parse(slice_of(der, len), limits, out);
}

/* How much of a request a candidate was that failed by e. One whose first octets are a DER length
 * by chance has octets behind it. */
static int rank_of(err_t e)
{
	return e == ERR_REQ_TARGET ? 0 : e == ERR_REQ_DER || e == ERR_REQ_TRAILING ? 1 : 2;
}

static err_t try_candidates(struct slice text, const struct ocsp_request_limits *limits,
			    uint8_t *der, struct ocsp_request *out)
{
	err_t e, furthest = ERR_REQ_TARGET;
	const uint8_t *slash;
	unsigned n_slashes = text.len > 0 && text.p[0] == '/';

	while (text.len > 0 && text.p[0] == '/')
		text = slice_skip(text, 1);
	for (; text.len > 0; n_slashes++) {
		e = try_candidate(text, limits, der, out);
		if (e == OK || e == ERR_REQ_HASH) /* the latter is a request in order too */
			return e;
		if (rank_of(e) > rank_of(furthest))
			furthest = e;
		slash = memchr(text.p, '/', text.len);
		if (slash == NULL || n_slashes == MAX_SLASHES)
			break;
		text = slice_skip(text, (size_t)(slash - text.p) + 1);
	}
	return furthest;
}

err_t get_target_decode(struct slice target, const struct ocsp_request_limits *limits,
			uint8_t *scratch, struct ocsp_request *out)
{
	struct slice path = path_of(target);
	size_t len = 0;

	if (path.len == 0 || !normalise(scratch, path, &len))
		return ERR_REQ_TARGET;
	/* A second round for clients that escape twice (RP-08); a "%" of a prefix may stay. */
	if (len > 0 && memchr(scratch, '%', len) != NULL)
		(void)normalise(scratch, slice_of(scratch, len), &len);
	return try_candidates(slice_of(scratch, len), limits, scratch + len, out);
}
