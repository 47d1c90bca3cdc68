/* SPDX-License-Identifier: ISC */
/* Entries: one block of memory each, written once in entry_new, then only read. */
#include "state/entry.h"

#include <assert.h>
#include <stdlib.h>

#include "state/heap_size.h"

static_assert(offsetof(struct entry, bytes) <= 90, "P5: every octet here is a megabyte");

enum {
	HEAD_LEN = offsetof(struct cache_key, serial) /* octets of a key before its serial */
};

static int64_t clamp_time(int64_t t)
{
	return t < 0 ? 0 : t > ENTRY_TIME_MAX ? ENTRY_TIME_MAX : t;
}

/* The masks change nothing after the clamp; they let the compiler see that 40 bits are enough. */
static void set_times(struct entry *entry, const struct verdict *verdict,
		      const struct lifetime *lifetime)
{
	entry->this_update = clamp_time(verdict->this_update) & ENTRY_TIME_MAX;
	entry->produced_at = clamp_time(verdict->produced_at) & ENTRY_TIME_MAX;
	entry->fetched_at = clamp_time(lifetime->fetched_at) & ENTRY_TIME_MAX;
	entry->refresh_at = clamp_time(lifetime->refresh_at) & ENTRY_TIME_MAX;
	entry->hard_expiry = clamp_time(lifetime->hard_expiry) & ENTRY_TIME_MAX;
}

/*
 * A response answers about its serial and so contains it; wherever the octets are found, they are
 * the right ones. Not to find them is no fault: they then stand behind the DER.
 */
static size_t find_serial(struct slice head, const struct cache_key *key)
{
	const uint8_t *p = NULL;

	if (head.len > 0)
		p = memmem(head.p, head.len, key->serial, key->serial_len);
	return p != NULL ? (size_t)(p - head.p) : head.len;
}

/* Where the ETag stands among the octets of an entry: behind the head, and the serial if that is
 * there too. */
static size_t etag_at(size_t head_len, size_t serial_at, size_t serial_len)
{
	return serial_at < head_len ? head_len : head_len + serial_len;
}

static size_t block_len(size_t n_octets)
{
	size_t len = offsetof(struct entry, bytes) + n_octets;

	return len < sizeof(struct entry) ? sizeof(struct entry) : len;
}

static size_t block_len_of(const struct entry *entry)
{
	struct slice etag = entry_etag(entry);

	return block_len((size_t)(etag.p - entry->bytes) + etag.len);
}

struct entry *entry_new(const struct entry_parts *parts, struct tails *tails)
{
	const struct cache_key *key = parts->key;
	const struct verdict *verdict = parts->verdict;
	struct slice head = slice_take(parts->der, verdict->tail);
	size_t serial_at = find_serial(head, key);
	size_t n_octets = etag_at(head.len, serial_at, key->serial_len);
	struct entry *entry = NULL;
	struct tail *tail = NULL;

	if (parts->der.len > UINT32_MAX || parts->etag.len > UINT8_MAX)
		goto out;
	entry = malloc(block_len(n_octets + parts->etag.len));
	tail = tail_get(tails, key->issuer_id, slice_skip(parts->der, verdict->tail));
	if (entry == NULL || tail == NULL || !digest_sha256(parts->der, entry->sha256))
		goto out;
	atomic_init(&entry->n_refs, 1);
	atomic_init(&entry->marks, 0);
	atomic_init(&entry->retry_at, 0);
	entry->der_len = (uint32_t)parts->der.len;
	entry->serial_at = (uint32_t)serial_at;
	entry->serial_len = key->serial_len;
	entry->alg = key->alg;
	entry->status = (uint8_t)verdict->status;
	entry->flags = verdict->flags & 0x7fff;
	entry->responder = (uint16_t)parts->responder;
	entry->etag_len = (uint8_t)parts->etag.len;
	entry->is_reusable =
	    parts->lifetime->may_store && (verdict->flags & VERDICT_NO_NEXT_UPDATE) == 0;
	set_times(entry, verdict, parts->lifetime);
	if (head.len > 0)
		memcpy(entry->bytes, head.p, head.len);
	if (serial_at == head.len)
		memcpy(entry->bytes + serial_at, key->serial, key->serial_len);
	if (parts->etag.len > 0)
		memcpy(entry->bytes + n_octets, parts->etag.p, parts->etag.len);
	entry->tail = tail;
	return entry;
out:
	tail_unref(tail);
	free(entry);
	return NULL;
}

bool entry_may_replace(const struct entry *old, const struct entry *entry, int64_t now)
{
	if (now >= old->hard_expiry)
		return true;
	if (entry->this_update == old->this_update && old->status == CERT_REVOKED &&
	    entry->status != CERT_REVOKED)
		return false;
	return freshness_may_replace(old->this_update, old->produced_at, entry->this_update,
				     entry->produced_at);
}

struct entry *entry_ref(struct entry *entry)
{
	atomic_fetch_add_explicit(&entry->n_refs, 1, memory_order_relaxed);
	return entry;
}

void entry_unref(struct entry *entry)
{
	if (entry == NULL ||
	    atomic_fetch_sub_explicit(&entry->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	tail_unref(entry->tail);
	free(entry);
}

static struct slice serial_of(const struct entry *entry)
{
	return slice_of(entry->bytes + entry->serial_at, entry->serial_len);
}

void entry_key(const struct entry *entry, struct cache_key *out)
{
	key_make(out, tail_issuer_id(entry->tail), (enum hash_alg)entry->alg, serial_of(entry));
}

bool entry_has_key(const struct entry *entry, struct slice key)
{
	return key.len == HEAD_LEN + (size_t)entry->serial_len &&
	       key.p[offsetof(struct cache_key, alg)] == entry->alg &&
	       slice_eq(slice_skip(key, HEAD_LEN), serial_of(entry)) &&
	       memcmp(key.p, tail_issuer_id(entry->tail), ISSUER_ID_LEN) == 0;
}

struct slice entry_head(const struct entry *entry)
{
	return slice_of(entry->bytes, entry->der_len - tail_bytes(entry->tail).len);
}

struct slice entry_tail(const struct entry *entry)
{
	return tail_bytes(entry->tail);
}

void entry_copy_der(const struct entry *entry, uint8_t *dst)
{
	struct slice head = entry_head(entry), tail = entry_tail(entry);

	if (head.len > 0)
		memcpy(dst, head.p, head.len);
	if (tail.len > 0)
		memcpy(dst + head.len, tail.p, tail.len);
}

struct slice entry_etag(const struct entry *entry)
{
	return slice_of(entry->bytes +
			    etag_at(entry_head(entry).len, entry->serial_at, entry->serial_len),
			entry->etag_len);
}

size_t entry_memory(const struct entry *entry)
{
	return heap_size(block_len_of(entry));
}

static unsigned clamp_retry_at(int64_t t)
{
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (unsigned)t;
}

void entry_set_retry_at(struct entry *entry, int64_t t)
{
	atomic_store_explicit(&entry->retry_at, clamp_retry_at(t), memory_order_relaxed);
}

bool entry_claim_refresh(struct entry *entry, int64_t now, int64_t until)
{
	unsigned retry_at = atomic_load_explicit(&entry->retry_at, memory_order_relaxed);

	return now >= (int64_t)retry_at && atomic_compare_exchange_strong_explicit(
					       &entry->retry_at, &retry_at, clamp_retry_at(until),
					       memory_order_relaxed, memory_order_relaxed);
}
