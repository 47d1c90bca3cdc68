/* SPDX-License-Identifier: ISC */
/*
 * The strict HTTP/1.0 and 1.1 request head parser (RFC 9112 2 to 7), and the chunked decoder.
 * Refuses whatever two parsers could understand differently: bare CR or LF lines, whitespace
 * before a colon, folded lines, NUL, doubled lengths, length with transfer coding.
 */
#ifndef OCSPRELAY_CORE_HTTP_REQUEST_H
#define OCSPRELAY_CORE_HTTP_REQUEST_H

#include "err.h"
#include "types.h"

struct http_limits {
	size_t max_request_line; /* octets, without CRLF */
	size_t max_header_bytes; /* octets of all field lines */
	unsigned max_headers;
	uint64_t max_request_body; /* octets, after decoding */
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
};

enum http_request_flags {
	HTTP_KEEP_ALIVE = 1 << 0,      /* the connection may stay open after the answer */
	HTTP_CHUNKED = 1 << 1,         /* body in chunked coding; else content_length octets */
	HTTP_EXPECT_CONTINUE = 1 << 2, /* 100-continue asked for, by HTTP/1.1, with a body to come */
	HTTP_NO_CACHE = 1 << 3,        /* Cache-Control: no-cache or max-age=0, Pragma: no-cache */
	HTTP_ONLY_IF_CACHED = 1 << 4
};

struct http_request {
	enum http_method method;
	unsigned minor; /* 0 or 1 of HTTP/1.x */
	unsigned flags;
	uint64_t content_length;
	struct slice target;            /* raw */
	struct slice if_none_match;     /* field value; empty slice with p != NULL: present but empty */
	struct slice if_modified_since; /* p == NULL: not sent, here and above */
	struct slice via;               /* the last Via line's value */
	bool has_own_via;               /* reserved for the caller: loop detected */
	size_t head_len;                /* octets up to and with the empty line */
};

/*
 * Parses the head at the start of in; up to two empty lines before it are skipped and counted in
 * head_len (rule RP-26). The slices borrow from in. ERR_AGAIN while the head is incomplete and
 * still within limits; otherwise ERR_HTTP_xxx, after which the connection can only be closed,
 * except ERR_HTTP_METHOD and ERR_HTTP_EXPECT: *out is then complete (method = HTTP_GET for the
 * former) and the message can be skipped. Several lines of one list field: the last if_none_match
 * wins only if it is the only one, else the field is taken as absent (no 304 is always right).
 */
MUST_CHECK err_t http_request_parse(struct slice in, const struct http_limits *limits,
				    struct http_request *out);

/*
 * Decodes a chunked body in place: the caller keeps the octets received so far after the head in
 * one buffer and calls again with more. Extensions are skipped, the trailer section is read and
 * dropped, bounded by 4096 octets.
 */
struct http_chunked {
	int state;          /* zero-initialised by the caller */
	uint64_t remaining; /* of the current chunk */
	size_t n_decoded;   /* octets of body at the buffer's start */
	size_t n_read;      /* octets of the buffer consumed */
	size_t n_overhead;  /* octets of extensions and trailers seen */
};

/*
 * buffer holds len octets: the first n_decoded are body, those from n_read on are raw. Consumes as
 * much as it can, moving body octets down. OK: the body is complete, n_decoded octets long, and the
 * octets from n_read on belong to the next message. ERR_AGAIN: needs more. ERR_HTTP_CHUNK,
 * ERR_HTTP_BODY_SIZE.
 */
MUST_CHECK err_t http_chunked_decode(struct http_chunked *chunked, uint8_t *buffer, size_t len,
				     uint64_t max_body);

#endif
