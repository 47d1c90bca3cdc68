/* SPDX-License-Identifier: ISC */
/* CertIDs and extensions, whole or broken, that the messages of tests are made of. */
#ifndef OCSPRELAY_TESTS_PARTS_H
#define OCSPRELAY_TESTS_PARTS_H

#include "build.h"
#include "vectors.h"

#define SHA1_NULL      "06052b0e03021a0500"
#define NONCE_OID      "2b0601050507300102"
#define ACCEPTABLE_OID "2b0601050507300104"
#define LOCATOR_OID    "2b0601050507300107"
#define PREFERRED_OID  "2b0601050507300108"
#define UNKNOWN_OID    "2a03"
#define NOT_CRITICAL   ""
#define CRITICAL       "0101ff"

static inline struct slice certid_of(const char *alg_hex, struct slice name, struct slice key,
				     struct slice serial_tlv)
{
	return TLV(0x30, TLV(0x30, HEX(alg_hex)), TLV(0x04, name), TLV(0x04, key), serial_tlv);
}

/* The CertID of TV1. */
static inline struct slice tv1(void)
{
	return certid_of(SHA1_NULL, HEX(TV_NAME_SHA1), HEX(TV_KEY_SHA1), TLV(0x02, HEX(TV_SERIAL)));
}

static inline struct slice ext(const char *oid_hex, const char *critical_hex, struct slice value)
{
	return TLV(0x30, TLV(0x06, HEX(oid_hex)), HEX(critical_hex), TLV(0x04, value));
}

#endif
