/* SPDX-License-Identifier: ISC */
/*
 * A request that arrives whole is parsed once and copied never. One that arrives in pieces has its
 * head parsed again only when a line end has come or SEARCH_STRIDE octets have, so that sending it
 * octet by octet costs no more parsing than it has lines; and once more when its body is complete,
 * which is cheaper than keeping slices into octets that move.
 */
#include "io/framing.h"

#include <string.h>

#include "base/bytes.h"

/* How many octets without a line end may come until they are looked at for what is refused early:
 * a line that is too long, or something that is not HTTP at all. */
#define SEARCH_STRIDE 1024

static bool is_worth_parsing(const struct framing *framing, const struct octets *in)
{
	size_t n_new = in->len - framing->n_searched;

	return framing->n_searched == 0 || n_new >= SEARCH_STRIDE ||
	       memchr(in->p + framing->n_searched, '\n', n_new) != NULL;
}

static err_t find_head(struct framing *framing, const struct http_limits *limits,
		       const struct octets *in, struct http_request *out)
{
	err_t e;

	if (!is_worth_parsing(framing, in))
		return ERR_AGAIN;
	e = http_request_parse(slice_of(in->p, in->len), limits, out);
	if (e == ERR_AGAIN)
		framing->n_searched = in->len;
	if (e != OK)
		return e;
	framing->head_len = out->head_len;
	framing->content_length = out->content_length;
	framing->is_chunked = (out->flags & HTTP_CHUNKED) != 0;
	/* Who sends the body unasked does not wait for permission (RFC 9110 10.1.1). */
	framing->is_continue_due =
	    (out->flags & HTTP_EXPECT_CONTINUE) != 0 && in->len == out->head_len;
	return OK;
}

/* Takes the octets between the decoded ones and the raw ones out. */
static void compact(struct http_chunked *chunked, size_t head_len, struct octets *in)
{
	uint8_t *body = in->p + head_len;
	size_t n_raw = in->len - head_len - chunked->n_read;

	memmove(body + chunked->n_decoded, body + chunked->n_read, n_raw);
	chunked->n_read = chunked->n_decoded;
	in->len = head_len + chunked->n_decoded + n_raw;
}

static err_t find_body(struct framing *framing, const struct http_limits *limits, struct octets *in,
		       struct framed *out)
{
	uint8_t *body = in->p + framing->head_len;
	size_t n_here = in->len - framing->head_len;
	struct http_chunked *chunked = &framing->chunked;
	err_t e;

	if (!framing->is_chunked) {
		if (n_here < framing->content_length)
			return ERR_AGAIN;
		out->body = slice_of(body, (size_t)framing->content_length);
		out->len = framing->head_len + out->body.len;
		return OK;
	}
	e = http_chunked_decode(chunked, body, n_here, limits->max_request_body);
	if (e == ERR_AGAIN)
		compact(chunked, framing->head_len, in);
	if (e != OK)
		return e;
	out->body = slice_of(body, chunked->n_decoded);
	out->len = framing->head_len + chunked->n_read;
	return OK;
}

static err_t look(struct framing *framing, const struct http_limits *limits, struct octets *in,
		  struct framed *out)
{
	bool is_parsed = framing->head_len == 0;
	err_t e;

	if (is_parsed) {
		e = find_head(framing, limits, in, &out->request);
		if (e != OK)
			return e;
	}
	e = find_body(framing, limits, in, out);
	if (e != OK || is_parsed)
		return e;
	return http_request_parse(slice_of(in->p, in->len), limits, &out->request);
}

err_t framing_next(struct framing *framing, const struct http_limits *limits, struct octets *in,
		   struct framed *out)
{
	err_t e = look(framing, limits, in, out);

	if (e == ERR_AGAIN)
		return e;
	out->has_request = e == OK || e == ERR_HTTP_METHOD || e == ERR_HTTP_EXPECT;
	if (e != OK) {
		bool is_bodiless = out->has_request && out->request.content_length == 0 &&
				   !(out->request.flags & HTTP_CHUNKED);

		out->len = is_bodiless ? out->request.head_len : in->len;
	}
	*framing = (struct framing){0};
	return e;
}
