/* SPDX-License-Identifier: ISC */
/* SHA-256 for the floors that do not see libcrypto: an entry's ETag (rule HS-03). */
#ifndef OCSPRELAY_CORE_DIGEST_H
#define OCSPRELAY_CORE_DIGEST_H

#include "types.h"

#define SHA256_LEN 32

/* False if the library fails (out of memory); out is then untouched. Any thread. */
MUST_CHECK bool digest_sha256(struct slice in, uint8_t out[SHA256_LEN]);

#endif
