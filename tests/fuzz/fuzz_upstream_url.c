/* SPDX-License-Identifier: ISC */
/* Any text as a responder's URL: what is accepted gives a GET URL that is accepted as well, and as
 * long as was said. */
#include <stdlib.h>

#include "base/bytes.h"
#include "core/upstream_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = strndup((const char *)data, size), got[4096];
	struct slice request = slice_of(data, size % 512);

	if (upstream_url_check(url) == OK) {
		if (upstream_url_get(url, request, got, sizeof(got)) != OK ||
		    strlen(got) != upstream_url_get_len(url, request))
			__builtin_trap();
		if (strlen(got) <= 1024 && upstream_url_check(got) != OK)
			__builtin_trap();
	}
	free(url);
	return 0;
}
