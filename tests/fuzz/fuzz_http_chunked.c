/* SPDX-License-Identifier: ISC */
/* Any octets as a chunked body, at once and octet by octet: both must come to the same. */
#include <stdlib.h>
#include <string.h>

#include "core/http_chunked.h"

#define MAX_BODY 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_chunked whole = {.state = 0}, cut = {.state = 0};
	uint8_t *a = malloc(size + 1), *b = malloc(size + 1); /* + 1: never NULL */
	err_t e, piecewise = ERR_AGAIN;

	memcpy(a, data, size);
	memcpy(b, data, size);
	e = http_chunked_decode(&whole, a, size, MAX_BODY);
	for (size_t len = 0; len <= size && piecewise == ERR_AGAIN; len++)
		piecewise = http_chunked_decode(&cut, b, len, MAX_BODY);
	if (e != piecewise || whole.n_decoded > MAX_BODY || whole.n_read > size)
		__builtin_trap();
	if (whole.n_decoded != cut.n_decoded || whole.n_read != cut.n_read ||
	    memcmp(a, b, whole.n_decoded) != 0)
		__builtin_trap();
	free(a);
	free(b);
	return 0;
}
