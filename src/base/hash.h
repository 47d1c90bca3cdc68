/* SPDX-License-Identifier: ISC */
/* SipHash-2-4: the keyed hash of every table that untrusted bytes can reach (rule SL-11). */
#ifndef OCSPRELAY_BASE_HASH_H
#define OCSPRELAY_BASE_HASH_H

#include "types.h"

struct hash_key {
	uint64_t k0, k1; /* random per process */
};

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len);

#endif
