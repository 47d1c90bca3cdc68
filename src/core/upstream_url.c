/* SPDX-License-Identifier: ISC */
/*
 * URLs of responders. They come from the configuration or from the AIA of certificates, so the
 * check is narrow: what libcurl could read in another way than we do (user info, escapes in the
 * host, backslashes) is refused, not repaired.
 */
#include "core/upstream_url.h"

#include "base/bytes.h"
#include "core/base64.h"
#include "core/http_text.h"

#define MAX_URL_LEN  1024
#define MAX_HOST_LEN 255

/* what is made base64 of at a time */
#define CHUNK_OCTETS 48
#define CHUNK_LEN    64

static bool skip_scheme(struct slice *url, const char *lower)
{
	size_t len = strlen(lower);

	if (!slice_eq_nocase(slice_take(*url, len), lower))
		return false;
	*url = slice_skip(*url, len);
	return true;
}

/* Octets in front of the first one that is in the set, or all. */
static size_t span_until(struct slice s, const char *set)
{
	size_t n = 0;

	while (n < s.len && !strchr(set, s.p[n]))
		n++;
	return n;
}

static bool is_host(struct slice host)
{
	size_t i;

	for (i = 0; i < host.len; i++) {
		uint8_t c = host.p[i];

		if (!is_char(c, CHAR_ALPHA | CHAR_DIGIT) && c != '-' && c != '.' && c != '_')
			return false;
	}
	return host.len > 0 && host.len <= MAX_HOST_LEN;
}

/* "[" and what may be an IPv6 address, without zone; the resolver judges it in the end. */
static bool is_bracketed(struct slice host)
{
	size_t i;

	if (host.len < 4 || host.p[0] != '[' || host.p[host.len - 1] != ']')
		return false;
	for (i = 1; i + 1 < host.len; i++) {
		if (!is_char(host.p[i], CHAR_HEX) && host.p[i] != ':' && host.p[i] != '.')
			return false;
	}
	return true;
}

static bool is_port(struct slice port)
{
	uint64_t n;

	return decimal_decode(port, UINT16_MAX, &n) == OK && n > 0;
}

static bool is_authority(struct slice authority)
{
	size_t host_len;
	bool bracketed = authority.len > 0 && authority.p[0] == '[';
	struct slice host, rest;

	host_len = bracketed ? span_until(authority, "]") + 1 : span_until(authority, ":");
	host = slice_take(authority, host_len);
	rest = slice_skip(authority, host_len);
	if (!(bracketed ? is_bracketed(host) : is_host(host)))
		return false;
	return rest.len == 0 || (rest.p[0] == ':' && is_port(slice_skip(rest, 1)));
}

err_t upstream_url_check(const char *url)
{
	struct slice rest = slice_text(url);

	if (rest.len > MAX_URL_LEN || !http_text_is_visible(rest))
		return ERR_SYNTAX;
	if (!skip_scheme(&rest, "http://") && !skip_scheme(&rest, "https://"))
		return ERR_SYNTAX;
	if (!is_authority(slice_take(rest, span_until(rest, "/"))))
		return ERR_SYNTAX;
	return span_until(rest, "?#\\") == rest.len ? OK : ERR_SYNTAX;
}

/* Cuts the next octets off rest and makes base64 of them; the number of characters. */
static size_t take_chunk(struct slice *rest, char chunk[CHUNK_LEN])
{
	struct slice octets = slice_take(*rest, CHUNK_OCTETS);

	*rest = slice_skip(*rest, octets.len);
	base64_encode(chunk, octets);
	return base64_len(octets.len);
}

/* + / = (RFC 6960 A.1): all of base64 that is neither letter nor digit. */
static bool needs_escape(char c)
{
	return !is_char((uint8_t)c, CHAR_ALPHA | CHAR_DIGIT);
}

/* Rule HC-02: the slash is added unless it is there. */
static bool needs_slash(struct slice url)
{
	return url.len == 0 || url.p[url.len - 1] != '/';
}

size_t upstream_url_get_len(const char *url, struct slice request)
{
	struct slice base = slice_text(url);
	size_t len = base.len + needs_slash(base);
	char chunk[CHUNK_LEN];

	while (request.len > 0) {
		size_t n = take_chunk(&request, chunk);

		len += n;
		for (size_t i = 0; i < n; i++)
			len += needs_escape(chunk[i]) ? 2 : 0;
	}
	return len;
}

err_t upstream_url_get(const char *url, struct slice request, char *dst, size_t cap)
{
	static const char digits[] = "0123456789ABCDEF";
	struct slice base = slice_text(url);
	char chunk[CHUNK_LEN];

	if (upstream_url_get_len(url, request) >= cap)
		return ERR_TOO_LONG;
	memcpy(dst, base.p, base.len);
	dst += base.len;
	if (needs_slash(base))
		*dst++ = '/';
	while (request.len > 0) {
		size_t n = take_chunk(&request, chunk);

		for (size_t i = 0; i < n; i++) {
			if (!needs_escape(chunk[i])) {
				*dst++ = chunk[i];
				continue;
			}
			*dst++ = '%';
			*dst++ = digits[chunk[i] >> 4 & 15];
			*dst++ = digits[chunk[i] & 15];
		}
	}
	*dst = '\0';
	return OK;
}
