/* SPDX-License-Identifier: ISC */
/* Any octets as an OCSPResponse: see compare_response.h. */
#include "compare_response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct response ours;

	if (response_parse(slice_of(data, len), &ours) == OK)
		require(is_same_response(&ours));
	return 0;
}
