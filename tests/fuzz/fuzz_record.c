/* SPDX-License-Identifier: ISC */
/* Stored records: what is read as one is written again octet by octet. */
#include "base/bytes.h"
#include "core/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct record record;
	uint8_t header[RECORD_HEADER_LEN];

	if (record_parse(slice_of(data, len), 1024, &record) != OK)
		return 0;
	record_put_header(header, &record);
	if (memcmp(header, data, sizeof(header)) != 0 || record.der.p != data + sizeof(header) ||
	    record.der.len != len - sizeof(header))
		__builtin_trap();
	return 0;
}
