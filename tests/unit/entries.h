/* SPDX-License-Identifier: ISC */
/* Entries and keys by number, for the tests of what holds entries. */
#ifndef OCSPRELAY_TESTS_ENTRIES_H
#define OCSPRELAY_TESTS_ENTRIES_H

#include <stdlib.h>

#include "state/entry.h"

static const struct hash_key entries_hash_key = {
    .k0 = UINT64_C(0x0706050403020100),
    .k1 = UINT64_C(0x0f0e0d0c0b0a0908),
};

enum {
	ENTRIES_EXPIRY = 100000, /* hard_expiry of every entry made here */
	ENTRIES_MIN_LEN = 64
};

/* A key of its own for each n, with a serial of 16 octets. */
static inline struct cache_key key_number(uint64_t n)
{
	static const uint8_t issuer_id[ISSUER_ID_LEN] = {0xca};
	uint8_t serial[16] = {0x7f};
	struct cache_key key;

	put_u64(serial + 8, n);
	key_make(&key, issuer_id, HASH_SHA1, slice_of(serial, sizeof(serial)));
	return key;
}

struct entry_spec {
	uint64_t n; /* of the key */
	enum cert_status status;
	int64_t this_update;
	int64_t produced_at; /* 0: as this_update */
	size_t own_len;	     /* octets before the tail; at least ENTRIES_MIN_LEN */
	struct slice tail;
};

/* A made-up response that holds its serial, as a real one does, and ends with the tail. */
static inline struct entry *entry_of(struct tails *tails, const struct entry_spec *spec)
{
	const struct cache_key key = key_number(spec->n);
	const size_t own_len = spec->own_len > ENTRIES_MIN_LEN ? spec->own_len : ENTRIES_MIN_LEN;
	const struct verdict verdict = {
	    .status = spec->status,
	    .this_update = spec->this_update,
	    .produced_at = spec->produced_at != 0 ? spec->produced_at : spec->this_update,
	    .hard_expiry = ENTRIES_EXPIRY,
	    .tail = own_len,
	};
	const struct lifetime lifetime = {
	    .fetched_at = spec->this_update,
	    .refresh_at = ENTRIES_EXPIRY / 2,
	    .hard_expiry = ENTRIES_EXPIRY,
	    .may_store = true,
	};
	uint8_t *der = calloc(1, own_len + spec->tail.len);
	struct entry_parts parts = {.key = &key, .verdict = &verdict, .lifetime = &lifetime};
	struct entry *entry;

	if (der == NULL)
		abort();
	memcpy(der + 20, key.serial, key.serial_len);
	if (spec->tail.len > 0)
		memcpy(der + own_len, spec->tail.p, spec->tail.len);
	parts.der = slice_of(der, own_len + spec->tail.len);
	entry = entry_new(&parts, tails);
	free(der);
	if (entry == NULL)
		abort();
	return entry;
}

#endif
