/* SPDX-License-Identifier: ISC */
/*
 * The strict HTTP/1.0 and 1.1 request head parser (RFC 9112 2 to 7). Refuses whatever two parsers
 * could understand differently: bare CR or LF lines, whitespace before a colon, folded lines, NUL,
 * doubled lengths, length with transfer coding. Its companion for bodies is core/http_chunked.h.
 */
#ifndef OCSPRELAY_CORE_HTTP_REQUEST_H
#define OCSPRELAY_CORE_HTTP_REQUEST_H

#include "err.h"
#include "types.h"

struct http_limits {
	size_t max_request_line; /* octets, without CRLF */
	size_t max_header_bytes; /* octets of all field lines, each with its CRLF */
	unsigned max_headers;
	uint64_t max_request_body; /* octets, after decoding */
	struct slice own_via;	   /* our pseudonym in Via fields (HS-23); empty: no loop is seen */
};

/* What a buffer must hold besides the two limits, to take any head that is not refused. */
#define HTTP_HEAD_EXTRA                                                          \
	8 /* two empty lines before, the end of the request line, the empty line \
	   */

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
};

enum http_request_flags {
	HTTP_KEEP_ALIVE = 1 << 0, /* the connection may stay open after the answer */
	HTTP_CHUNKED = 1 << 1,	  /* body in chunked coding; else content_length octets */
	HTTP_EXPECT_CONTINUE =
	    1 << 2,		/* 100-continue asked for, by HTTP/1.1, with a body to come */
	HTTP_NO_CACHE = 1 << 3, /* Cache-Control: no-cache or max-age=0, Pragma: no-cache */
	HTTP_ONLY_IF_CACHED = 1 << 4,
	HTTP_LOOP = 1 << 5 /* limits->own_via stands in a Via field: answer ERR_LOOP */
};

struct http_request {
	enum http_method method;
	unsigned minor; /* 0 or 1 of HTTP/1.x */
	unsigned flags;
	uint64_t content_length;
	struct slice target;	    /* raw; printable ASCII without blanks, never empty */
	struct slice if_none_match; /* field value; empty slice with p != NULL: present but empty */
	struct slice if_modified_since; /* p == NULL: not sent, here and above */
	size_t head_len;		/* octets up to and with the empty line */
};

/*
 * Parses the head at the start of in; up to two empty lines before it are skipped and counted in
 * head_len (rule RP-26). The slices borrow from in. ERR_AGAIN while the head is incomplete and
 * still within limits; otherwise ERR_HTTP_xxx, after which the connection can only be closed,
 * except ERR_HTTP_METHOD and ERR_HTTP_EXPECT: *out is then complete (method = HTTP_GET for the
 * former) and the message can be skipped, if HTTP_KEEP_ALIVE says that the connection stays. More
 * input never changes a result other than ERR_AGAIN.
 *
 * GET and HEAD are OK only without a body. POST without a length is OK with no body: what is
 * wrong with it is the OCSP layer's to say (RP-24). A conditional field that comes twice is present
 * but empty: nothing matches it, and a full answer is always right.
 */
MUST_CHECK err_t http_request_parse(struct slice in, const struct http_limits *limits,
				    struct http_request *out);

#endif
