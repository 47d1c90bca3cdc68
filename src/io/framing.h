/* SPDX-License-Identifier: ISC */
/*
 * Where the requests in a stream of octets begin and end. No I/O and no memory of its own: the
 * caller keeps the octets, and this struct beside them while a request is incomplete. For this
 * floor only.
 */
#ifndef OCSPRELAY_IO_FRAMING_H
#define OCSPRELAY_IO_FRAMING_H

#include "core/http_chunked.h"
#include "core/http_request.h"
#include "err.h"

struct octets {
	uint8_t *p;
	size_t len;
};

/* What is known of the incomplete request at the start of the octets; zero before its first. */
struct framing {
	size_t n_searched; /* octets that hold no whole head */
	size_t head_len;   /* 0: the head is incomplete */
	uint64_t content_length;
	bool is_chunked;
	bool is_continue_due; /* the client waits for 100 (Continue); the caller resets it */
	struct http_chunked chunked;
};

struct framed {
	struct http_request request; /* borrows from the octets */
	struct slice body;	     /* borrowed; decoded */
	bool has_request;	     /* the head was understood */
	size_t len;		     /* octets of the message */
};

/*
 * Looks for one request at the start of in. OK: it is whole; *out says where it ends. ERR_AGAIN: it
 * is not; call again with the same octets and more behind them, which may have moved. They may also
 * have become fewer: what a chunked body does not need is taken out. ERR_HTTP_xxx: refused. After
 * ERR_HTTP_METHOD and ERR_HTTP_EXPECT out->has_request is true and out->len is the message's length
 * if it has no body, else all of in; after others out->has_request is false.
 *
 * After a result other than ERR_AGAIN, framing is zero again.
 */
MUST_CHECK err_t framing_next(struct framing *framing, const struct http_limits *limits,
			      struct octets *in, struct framed *out);

#endif
