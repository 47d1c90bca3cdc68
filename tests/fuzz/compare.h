/* SPDX-License-Identifier: ISC */
/* What the differential targets share: a trap, and integers as both sides see them. */
#ifndef OCSPRELAY_TESTS_COMPARE_H
#define OCSPRELAY_TESTS_COMPARE_H

#include <openssl/asn1.h>

#include "base/bytes.h"
#include "core/der.h"

static inline void require(bool condition)
{
	if (!condition)
		__builtin_trap();
}

static inline bool is_same_integer(struct slice content, const ASN1_INTEGER *theirs)
{
	uint8_t *tlv = NULL;
	int len = i2d_ASN1_INTEGER(theirs, &tlv);
	struct der der = der_of(slice_of(tlv, len > 0 ? (size_t)len : 0));
	struct slice serial;
	bool is_same = der_read(&der, DER_INTEGER, &serial) == OK && slice_eq(serial, content);

	OPENSSL_free(tlv);
	return is_same;
}

#endif
