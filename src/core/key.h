/* SPDX-License-Identifier: ISC */
/*
 * The cache key: issuer-id, hash algorithm, serial (rules NK-03, NK-11). The issuer-id is
 * SHA-256(subject DER || key BIT STRING octets), so renewed and cross-signed certificates of one CA
 * share it. The algorithm is part of the key because clients match a response by their own.
 */
#ifndef OCSPRELAY_CORE_KEY_H
#define OCSPRELAY_CORE_KEY_H

#include "base/bytes.h"
#include "core/certid.h"

#define ISSUER_ID_LEN 32

struct cache_key {
	uint8_t issuer_id[ISSUER_ID_LEN];
	uint8_t alg; /* enum hash_alg */
	uint8_t serial_len;
	uint8_t serial[MAX_SERIAL_LEN];
};

/* serial is at most MAX_SERIAL_LEN octets; certid_read guarantees it. */
void key_make(struct cache_key *out, const uint8_t issuer_id[ISSUER_ID_LEN], enum hash_alg alg,
	      struct slice serial);

/* The octets that identify the key: what is hashed, compared and stored. Borrows from key. */
static inline struct slice key_bytes(const struct cache_key *key)
{
	return slice_of(key, offsetof(struct cache_key, serial) + key->serial_len);
}

static inline bool key_eq(const struct cache_key *a, const struct cache_key *b)
{
	return slice_eq(key_bytes(a), key_bytes(b));
}

/* What key_bytes gave, back into a key. ERR_SYNTAX for anything that it cannot have given. */
MUST_CHECK err_t key_from_bytes(struct slice bytes, struct cache_key *out);

/* <issuer-id hex>:<s1|s224|s256|s384|s512>:<serial hex>, NUL-terminated. */
#define KEY_TEXT_SIZE (2 * ISSUER_ID_LEN + 1 + 4 + 1 + 2 * MAX_SERIAL_LEN + 1)
void key_text(char dst[KEY_TEXT_SIZE], const struct cache_key *key);
MUST_CHECK err_t key_from_text(struct slice text, struct cache_key *out);

#endif
