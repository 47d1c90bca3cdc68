/* SPDX-License-Identifier: ISC */
/* Base64 (RFC 4648 4) and its URL form, as OCSP GET needs them. */
#ifndef OCSPRELAY_CORE_BASE64_H
#define OCSPRELAY_CORE_BASE64_H

#include "err.h"
#include "types.h"

/* Decodes text of the standard alphabet, without padding and of a length that is not 1 mod 4, into
 * dst (3 * len / 4 octets are enough; may be text.p itself; what is in it after a failure is
 * undefined). Non-zero spare bits are ERR_SYNTAX. */
MUST_CHECK err_t base64_decode(uint8_t *dst, struct slice text, size_t *out_len);

/* Characters of the padded encoding of len octets, and the encoding itself, no NUL. */
size_t base64_len(size_t len);
void base64_encode(char *dst, struct slice in);

#endif
