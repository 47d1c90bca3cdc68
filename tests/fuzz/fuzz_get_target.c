/* SPDX-License-Identifier: ISC */
/* Any octets as a GET target: what is accepted must parse again by itself, and OpenSSL must agree.
 */
#include <openssl/ocsp.h>
#include <stdlib.h>

#include "core/get_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ocsp_request_limits limits = {.max_certids = 8, .max_extensions = 16};
	uint8_t *scratch = malloc(2 * size + 1); /* + 1: never NULL */
	struct ocsp_request request, again;

	if (get_target_decode((struct slice){data, size}, &limits, scratch, &request) == OK) {
		struct slice der = request.der;
		const uint8_t *p = der.p;

		if (ocsp_request_parse(der, &limits, &again) != OK)
			__builtin_trap();
		if (!(request.flags & REQUEST_SIGNED) &&
		    memchr(p, DER_CONTEXT_0 + 1, der.len) == NULL) {
			OCSP_REQUEST *peer = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);

			if (peer == NULL || p != der.p + der.len)
				__builtin_trap();
			OCSP_REQUEST_free(peer);
		}
	}
	free(scratch);
	return 0;
}
