/* SPDX-License-Identifier: ISC */
/*
 * The chunked transfer coding (RFC 9112 7.1), decoded in place while it arrives. As strict as the
 * head's parser: a framing that two parsers could understand differently is refused.
 */
#ifndef OCSPRELAY_CORE_HTTP_CHUNKED_H
#define OCSPRELAY_CORE_HTTP_CHUNKED_H

#include "err.h"
#include "types.h"

/*
 * The caller keeps the octets received so far after the head in one buffer and calls again with
 * more. Extensions are skipped, the trailer section is read and dropped; both together are bounded
 * by MAX_CHUNKED_OVERHEAD octets.
 */
#define MAX_CHUNKED_OVERHEAD 4096
struct http_chunked {
	int state;	    /* zero-initialised by the caller */
	uint64_t remaining; /* of the current chunk */
	size_t n_decoded;   /* octets of body at the buffer's start */
	size_t n_read;	    /* octets of the buffer consumed */
	size_t n_overhead;  /* octets of extensions, trailers and idle zeros seen */
};

/*
 * buffer holds len octets: the first n_decoded are body, those from n_read on are raw. Consumes as
 * much as it can, moving body octets down; between calls the caller may move the raw octets down
 * to n_decoded, setting n_read to it. OK: the body is complete, n_decoded octets long, and the
 * octets from n_read on belong to the next message. ERR_AGAIN: needs more. ERR_HTTP_CHUNK,
 * ERR_HTTP_BODY_SIZE: the connection can only be closed.
 */
MUST_CHECK err_t http_chunked_decode(struct http_chunked *chunked, uint8_t *buffer, size_t len,
				     uint64_t max_body);

#endif
