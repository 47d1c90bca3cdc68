/* SPDX-License-Identifier: ISC */
/* Any octets as an OCSPRequest: see compare_request.h. */
#include "compare_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct ocsp_request_limits limits = {.max_certids = MAX_CERTIDS,
							  .max_extensions = 16};
	struct ocsp_request ours;

	if (ocsp_request_parse(slice_of(data, len), &limits, &ours) == OK)
		require(is_same_request(&ours));
	return 0;
}
