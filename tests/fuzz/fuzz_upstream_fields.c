/* SPDX-License-Identifier: ISC */
/* Any octets as header lines of a responder: hints stay within their limits. */
#include "base/bytes.h"
#include "core/upstream_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upstream_fields fields = {.retry_after = 0};
	struct slice rest = slice_of(data, size);

	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) + 1 : rest.len;

		upstream_fields_read(&fields, slice_take(rest, len), 784111777);
		rest = slice_skip(rest, len);
		if (fields.retry_after < 0 || fields.retry_after > MAX_RETRY_AFTER ||
		    fields.hints.max_age < 0 || fields.hints.max_age > INT32_MAX)
			__builtin_trap();
	}
	return 0;
}
