/* SPDX-License-Identifier: ISC */
/*
 * Any octets as a request head, under small limits so that they are met. A shorter input says
 * "more" or the same; what is accepted lies inside the input; the conditional fields may hold
 * anything.
 */
#include "core/http_request.h"
#include "core/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = {.max_request_line = 200,
					  .max_header_bytes = 400,
					  .max_headers = 8,
					  .max_request_body = 1000,
					  .own_via = {(const uint8_t *)"ocsprelay-1", 11}};
static const struct reply_entity entity = {.sha256 = (const uint8_t[32]){0}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request out, cut;
	err_t e = http_request_parse((struct slice){data, size}, &limits, &out), early;

	for (size_t len = 0; len < size && !(e == OK && len >= out.head_len); len++) {
		early = http_request_parse((struct slice){data, len}, &limits, &cut);
		if (early != ERR_AGAIN && (e == OK || early != e))
			__builtin_trap();
	}
	if (e == ERR_AGAIN && size > 600 + HTTP_HEAD_EXTRA)
		__builtin_trap();
	if (e == OK && (out.head_len > size || out.target.len == 0 || out.target.p < data ||
			out.target.p + out.target.len > data + out.head_len))
		__builtin_trap();
	if (e == OK)
		(void)reply_is_not_modified(&out, &entity, 0);
	return 0;
}
