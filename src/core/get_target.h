/* SPDX-License-Identifier: ISC */
/*
 * From the raw request-target of a GET to the OCSPRequest that it carries (RFC 6960 A.1), for
 * every way in which real clients write it: escaped, unescaped, doubly escaped, base64url,
 * unpadded, wrapped, behind any path prefix, absolute-form. Works on the raw target because every
 * library's idea of a path breaks base64 with "//" in it.
 */
#ifndef OCSPRELAY_CORE_GET_TARGET_H
#define OCSPRELAY_CORE_GET_TARGET_H

#include "core/ocsp_request.h"

/*
 * Decodes target into scratch (at least 2 * target.len octets) and parses it into out, which
 * then borrows from scratch. Errors: ERR_REQ_TARGET when nothing in the target is an OCSPRequest;
 * else those of ocsp_request_parse for the candidate that came furthest. Allocates nothing.
 */
MUST_CHECK err_t get_target_decode(struct slice target, const struct ocsp_request_limits *limits,
				   uint8_t *scratch, struct ocsp_request *out);

#endif
