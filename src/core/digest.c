/* SPDX-License-Identifier: ISC */
/* SHA-256, one shot. OpenSSL fetches the algorithm by name each time: miss path only. */
#include "core/digest.h"

#include <string.h>

#include <openssl/evp.h>

bool digest_sha256(struct slice in, uint8_t out[SHA256_LEN])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(in.p, in.len, digest, &len, EVP_sha256(), NULL) != 1 || len != SHA256_LEN)
		return false;
	memcpy(out, digest, SHA256_LEN);
	return true;
}
