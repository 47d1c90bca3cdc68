/* SPDX-License-Identifier: ISC */
/* The stored record: writing its header and taking it apart again. */
#include "core/record.h"

#include "base/bytes.h"

enum { /* offsets */
	AT_VERSION = 0,
	AT_FLAGS = 1,
	AT_RESERVED = 2,
	AT_LENGTH = 4,
	AT_FETCHED = 8,
	AT_REFRESH = 16
};

void record_put_header(uint8_t dst[RECORD_HEADER_LEN], const struct record *record)
{
	dst[AT_VERSION] = RECORD_VERSION;
	dst[AT_FLAGS] = 0;
	dst[AT_RESERVED] = 0;
	dst[AT_RESERVED + 1] = 0;
	put_u32(dst + AT_LENGTH, (uint32_t)record->der.len);
	put_u64(dst + AT_FETCHED, (uint64_t)record->fetched_at);
	put_u64(dst + AT_REFRESH, (uint64_t)record->refresh_at);
}

err_t record_parse(struct slice bytes, size_t max_der, struct record *out)
{
	struct slice der = slice_skip(bytes, RECORD_HEADER_LEN);

	if (bytes.len == 0)
		return ERR_RECORD_LENGTH;
	if (bytes.p[AT_VERSION] != RECORD_VERSION)
		return ERR_RECORD_VERSION;
	if (der.len == 0 || der.len > max_der)
		return ERR_RECORD_LENGTH;
	if (bytes.p[AT_FLAGS] != 0 || bytes.p[AT_RESERVED] != 0 || bytes.p[AT_RESERVED + 1] != 0)
		return ERR_RECORD_VERSION;
	if (get_u32(bytes.p + AT_LENGTH) != der.len)
		return ERR_RECORD_LENGTH;
	out->fetched_at = (int64_t)get_u64(bytes.p + AT_FETCHED);
	out->refresh_at = (int64_t)get_u64(bytes.p + AT_REFRESH);
	out->der = der;
	return OK;
}
