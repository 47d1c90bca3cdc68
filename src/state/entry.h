/* SPDX-License-Identifier: ISC */
/*
 * An entry: one verified response under one key. Immutable once published and reference counted:
 * the cache, waiting clients and output queues share it, and replacing one is swapping a pointer.
 * Three members are atomic bookkeeping, not content: references, the marks of use, and the time
 * before which no further refresh is tried.
 *
 * There may be a million, so what an entry costs beside the response's own octets is kept below 128
 * octets, key, heap and cache table included (target P5). Hence times of 40 bits, the issuer-id in
 * the shared tail, and the serial found in the response instead of kept beside it.
 */
#ifndef OCSPRELAY_STATE_ENTRY_H
#define OCSPRELAY_STATE_ENTRY_H

#include <stdatomic.h>

#include "core/digest.h"
#include "core/freshness.h"
#include "core/key.h"
#include "core/verify.h"
#include "state/tail.h"

/* The last second that an entry can tell, in the year 19391; TIME_NEVER becomes it. */
#define ENTRY_TIME_MAX INT64_C(0x7fffffffff)

enum entry_marks {
	ENTRY_VISITED = 1 << 0, /* SIEVE: asked for since the hand passed */
	ENTRY_USED = 1 << 1,	/* asked for since it came (CL-06): worth a refresh */
	ENTRY_PLANNED = 1 << 2	/* its refresh is; see relay/refresher.h */
};

struct entry {
	atomic_uint n_refs;
	uint32_t der_len;   /* own octets and tail together */
	uint32_t serial_at; /* offset of the key's serial in bytes */
	uint8_t serial_len;
	uint8_t alg;			 /* enum hash_alg */
	atomic_uchar marks;		 /* enum entry_marks */
	uint8_t status;			 /* enum cert_status */
	struct tail *tail;		 /* the issuer-id, and the last octets of the DER; shared */
	atomic_uint retry_at;		 /* entry_retry_at */
	struct __attribute__((packed)) { /* wall clock seconds, 0 to ENTRY_TIME_MAX */
		int64_t this_update : 40;
		int64_t produced_at : 40;
		int64_t fetched_at : 40;
		int64_t refresh_at : 40;
		int64_t hard_expiry : 40;
		uint16_t flags : 15;  /* enum verdict_flags */
		bool is_reusable : 1; /* false: clients get max-age=0 (CL-04, NO-09) */
		uint16_t responder;   /* counters' slot of the one who gave it */
		uint8_t etag_len;     /* 0: the responder gave none */
	};
	uint8_t sha256[SHA256_LEN]; /* of the whole DER */
	uint8_t bytes[]; /* the DER without its tail; the serial, if it is not in there; the ETag */
};

struct entry_parts {
	const struct cache_key *key;
	const struct verdict *verdict;
	const struct lifetime *lifetime;
	struct slice der; /* copied; below 4 GiB */
	unsigned responder;
	struct slice etag; /* of the responder's representation, for HC-04; below 256 octets */
};

/* A new entry with one reference; NULL without memory. Any thread. */
struct entry *entry_new(const struct entry_parts *parts, struct tails *tails);

struct entry *entry_ref(struct entry *entry); /* returns entry */
void entry_unref(struct entry *entry);	      /* NULL is fine */

/* Rollback protection (CL-16, CL-17): whether entry may take the place of old, of the same key.
 * What has ended never stands in the way; of two that the responder says are equally new a
 * revocation does. */
bool entry_may_replace(const struct entry *old, const struct entry *entry, int64_t now);

void entry_key(const struct entry *entry, struct cache_key *out);
bool entry_has_key(const struct entry *entry, struct slice key); /* as key_bytes gives it */

struct slice entry_head(const struct entry *entry);	      /* the DER up to the tail */
struct slice entry_tail(const struct entry *entry);	      /* empty when there is none */
struct slice entry_etag(const struct entry *entry);	      /* empty when there is none */
void entry_copy_der(const struct entry *entry, uint8_t *dst); /* der_len octets, in one piece */

/* Octets that this entry takes in the heap, shared tail not counted. */
size_t entry_memory(const struct entry *entry);

/* A client asked for it. Costs nothing but the first time. */
static inline void entry_mark(struct entry *entry)
{
	const unsigned char both = ENTRY_VISITED | ENTRY_USED;

	if ((atomic_load_explicit(&entry->marks, memory_order_relaxed) & both) != both)
		atomic_fetch_or_explicit(&entry->marks, both, memory_order_relaxed);
}

/* True for one caller, until entry_forget_plan. */
static inline bool entry_claim_plan(struct entry *entry)
{
	if (atomic_load_explicit(&entry->marks, memory_order_relaxed) & ENTRY_PLANNED)
		return false;
	return !(atomic_fetch_or_explicit(&entry->marks, ENTRY_PLANNED, memory_order_relaxed) &
		 ENTRY_PLANNED);
}

static inline void entry_forget_plan(struct entry *entry)
{
	atomic_fetch_and_explicit(&entry->marks, (unsigned char)~ENTRY_PLANNED,
				  memory_order_relaxed);
}

static inline bool entry_is_used(const struct entry *entry)
{
	return atomic_load_explicit(&entry->marks, memory_order_relaxed) & ENTRY_USED;
}

/* No refresh is tried before it. Wall clock seconds; they are kept in 32 bits, till 2106. */
static inline int64_t entry_retry_at(struct entry *entry)
{
	return atomic_load_explicit(&entry->retry_at, memory_order_relaxed);
}

void entry_set_retry_at(struct entry *entry, int64_t t);

/* Starts a refresh for whoever asks first: true for one caller until `until` has passed. */
bool entry_claim_refresh(struct entry *entry, int64_t now, int64_t until);

#endif
