/* SPDX-License-Identifier: ISC */
/*
 * An entry: one verified response under one key. Immutable once published and reference counted:
 * the cache, waiting clients and output queues share it, and replacing one is swapping a pointer.
 * Three members are atomic bookkeeping, not content: references, the eviction mark, and the time
 * before which no further refresh is tried.
 */
#ifndef OCSPRELAY_STATE_ENTRY_H
#define OCSPRELAY_STATE_ENTRY_H

#include <stdatomic.h>

#include "core/freshness.h"
#include "core/key.h"
#include "core/verify.h"
#include "state/tail.h"

struct entry {
	atomic_uint n_refs;
	atomic_uchar visited;     /* SIEVE: asked for since the hand passed */
	_Atomic int64_t retry_at; /* wall clock; no refresh before it */
	uint8_t status;           /* enum cert_status */
	uint8_t is_reusable;      /* false: clients get max-age=0 (CL-04, NO-09) */
	uint16_t flags;           /* enum verdict_flags */
	uint32_t der_len;         /* own octets and tail together */
	int64_t this_update, produced_at, next_update;
	int64_t fetched_at, refresh_at, hard_expiry;
	struct tail *tail; /* the last octets of the DER, shared; may be NULL */
	uint8_t sha256[32];
	uint8_t bytes[]; /* key_bytes (key_len octets), then the DER without its tail */
};

struct entry_parts {
	const struct cache_key *key;
	const struct verdict *verdict;
	const struct lifetime *lifetime;
	struct slice der; /* copied */
};

/* A new entry with one reference; NULL without memory. Any thread. */
struct entry *entry_new(const struct entry_parts *parts, struct tails *tails);

struct entry *entry_ref(struct entry *entry); /* returns entry */
void entry_unref(struct entry *entry);        /* NULL is fine */

struct slice entry_key(const struct entry *entry);
struct slice entry_head(const struct entry *entry); /* the DER up to the tail */
struct slice entry_tail(const struct entry *entry); /* empty when there is none */

/* Octets that this entry takes, shared tail not counted. */
size_t entry_memory(const struct entry *entry);

/* Starts a refresh for whoever asks first: true for one caller until `until` has passed. */
bool entry_claim_refresh(struct entry *entry, int64_t now, int64_t until);

#endif
