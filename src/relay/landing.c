/* SPDX-License-Identifier: ISC */
/* Keeping responses and remembering failures. */
#include "relay/landing.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "core/record.h"
#include "io/clock.h"
#include "relay/back.h"
#include "relay/fetch.h"
#include "relay/fleet.h"
#include "relay/flight.h"
#include "relay/refresher.h"

/* An entry as a record for stores, to be freed. NULL without memory. */
static uint8_t *record_of(const struct entry *entry, struct slice *out)
{
	struct record record = {.fetched_at = entry->fetched_at, .refresh_at = entry->refresh_at};
	uint8_t *bytes = malloc(RECORD_HEADER_LEN + entry->der_len);

	if (bytes == NULL)
		return NULL;
	record.der = slice_of(bytes + RECORD_HEADER_LEN, entry->der_len);
	record_put_header(bytes, &record);
	entry_copy_der(entry, bytes + RECORD_HEADER_LEN);
	*out = slice_of(bytes, RECORD_HEADER_LEN + entry->der_len);
	return bytes;
}

void landing_write(struct back *back, const struct entry *entry)
{
	struct slice record;
	struct cache_key key;
	uint8_t *bytes;

	if (back->common->n_stores == 0 || (bytes = record_of(entry, &record)) == NULL)
		return;
	entry_key(entry, &key);
	for (size_t i = 0; i < back->common->n_stores; i++)
		store_put(back->stores[i], key_bytes(&key), record, entry->hard_expiry);
	free(bytes);
	fleet_tell(back->fleet, entry);
}

void landing_note_status(const struct ask *question, int old_status, unsigned new_status)
{
	const struct issuer *issuer = question->issuer;

	if (old_status < 0 || (unsigned)old_status == new_status)
		return;
	counter_add(METRIC_STATUS_CHANGES, issuer->slot, (unsigned)old_status, new_status, 1);
	LOG(STATUS_CHANGED, LOG_TEXT("issuer", issuer->label),
	    LOG_HEX("serial", slice_of(question->key.serial, question->key.serial_len)),
	    LOG_TEXT("from", label_text(DIM_FROM, (unsigned)old_status)),
	    LOG_TEXT("to", label_text(DIM_TO, new_status)));
}

/* When a refresh brought nothing newer there is time for the next one, until the margin before the
 * end begins (CL-07); from then on it is tried again soon (CL-08). */
static void put_off_refresh(struct entry *entry, const struct policy *policy, int64_t now)
{
	int64_t margin_at = time_add(entry->hard_expiry, -policy->expiry_margin);
	int64_t retry_at = freshness_retry_at(entry->hard_expiry, now);

	if (now >= margin_at)
		retry_at = now + policy->neg_ttl_error;
	else if (retry_at > margin_at)
		retry_at = margin_at;
	entry_set_retry_at(entry, retry_at);
}

void landing_put_off_if_same(const struct common *common, const struct ask *question,
			     struct entry *entry)
{
	struct entry *old = cache_peek(common->cache, key_bytes(&question->key), question->hash);

	if (old != NULL && memcmp(old->sha256, entry->sha256, sizeof(entry->sha256)) == 0)
		put_off_refresh(entry, &question->issuer->policy, clock_wall());
	entry_unref(old);
}

/* The same response, on its way to another key by which it can be asked for. It goes there as if
 * it had come from outside: whatever is newer under that key, in a store too, stays. */
static void send_twin(struct back *back, const struct cache_key *key, struct slice record)
{
	const struct common *common = back->common;
	uint64_t hash = cache_hash(common->cache, key_bytes(key));
	struct back *there = common->backs[hash % common->n_backs];
	struct ask *ask = ask_from_key(ASK_GIVEN, back->rules->issuers, key, hash);

	if (ask == NULL || !ask_give(ask, record))
		ask_free(ask);
	else if (there == back)
		flight_join(back, ask);
	else if (mailbox_post(there->asks, &ask->message) != OK)
		ask_free(ask);
}

/* NK-07, NK-08. */
static void send_twins(struct back *back, const struct entry *entry, unsigned algs)
{
	struct slice record;
	uint8_t *bytes;

	if ((algs & ~(1U << entry->alg)) == 0 || (bytes = record_of(entry, &record)) == NULL)
		return;
	for (unsigned alg = 0; alg < N_HASH_ALGS; alg++) {
		struct cache_key key;

		if (alg == entry->alg || !(algs & 1U << alg))
			continue;
		entry_key(entry, &key);
		key.alg = (uint8_t)alg;
		send_twin(back, &key, record);
	}
	free(bytes);
}

static void note_rollback(const struct ask *question)
{
	counter_add(METRIC_ROLLBACKS_REFUSED, question->issuer->slot, 0, 0, 1);
	LOG(ROLLBACK_REFUSED, LOG_TEXT("issuer", question->issuer->label));
}

static void compare(struct back *back, const struct ask *question, struct entry **in_out)
{
	struct entry *current =
	    cache_peek(back->common->cache, key_bytes(&question->key), question->hash);

	if (current == NULL || entry_may_replace(current, *in_out, clock_wall())) {
		entry_unref(current);
		return;
	}
	note_rollback(question);
	entry_unref(*in_out);
	*in_out = current;
}

static bool keep(struct back *back, const struct ask *question, unsigned algs,
		 struct entry **in_out)
{
	const struct common *common = back->common;
	struct entry *entry = *in_out, *current = NULL;
	bool is_kept = true;
	int64_t now = clock_wall();
	int old_status = -1;

	negative_remove(common->negative, key_bytes(&question->key));
	send_twins(back, entry, algs);
	landing_put_off_if_same(common, question, entry);
	switch (cache_put(common->cache, entry, now, &current, &old_status)) {
	case CACHE_ROLLBACK:
		is_kept = false;
		note_rollback(question);
		put_off_refresh(current, &question->issuer->policy, now);
		break;
	case CACHE_STORED:
		refresher_plan(common, entry);
		landing_note_status(question, old_status, entry->status);
		landing_write(back, entry);
		break;
	case CACHE_TOO_BIG:
		landing_write(back, entry);
		break;
	}
	entry_unref(entry);
	*in_out = current;
	return is_kept;
}

/* An answer that repeats the client's nonce was made for it just now, and one to its own words can
 * be compared to nothing. */
static bool is_comparable(const struct ask *question, const struct entry *entry)
{
	bool has_nonce = question->request.flags & REQUEST_NONCE && entry->flags & VERDICT_NONCE;

	return !has_nonce && !ask_is_verbatim(question);
}

/* What a refresh began with may have been evicted meanwhile, but it counts (CL-16); not if it was
 * taken out on purpose, by a purge or because its issuer is not trusted any more. */
static void put_back_held(struct back *back, const struct ask *question, const struct fetch *fetch)
{
	struct cache *cache = back->common->cache;
	struct entry *current;
	int old_status;

	if (fetch->held == NULL || cache_removals(cache) != fetch->n_removals)
		return;
	current = cache_peek(cache, key_bytes(&question->key), question->hash);
	if (current == NULL)
		cache_put(cache, fetch->held, clock_wall(), &current, &old_status);
	entry_unref(current);
}

bool landing_take(struct back *back, const struct ask *question, const struct fetch *fetch,
		  struct entry **in_out)
{
	put_back_held(back, question, fetch);
	if (fetch->may_store)
		return keep(back, question, fetch->algs, in_out);
	if (is_comparable(question, *in_out))
		compare(back, question, in_out);
	return false;
}

err_t landing_find(struct back *back, const struct ask *question, struct entry **out)
{
	struct slice key = key_bytes(&question->key);
	struct entry *entry = cache_get(back->common->cache, key, question->hash);
	err_t err;

	if (entry != NULL && clock_wall() < entry->hard_expiry) {
		*out = entry;
		return OK;
	}
	entry_unref(entry);
	err = negative_get(back->common->negative, key, clock_mono_ms());
	return err != OK ? err : ERR_NOT_FOUND;
}

int64_t landing_negative_ttl(const struct policy *policy, err_t err, int64_t retry_after)
{
	switch ((enum negative_class)err_row(err)->negative) {
	case NEGATIVE_ERROR:
		if (policy->neg_ttl_error == 0)
			return 0;
		return retry_after > policy->neg_ttl_error ? retry_after : policy->neg_ttl_error;
	case NEGATIVE_MALFORMED:
		return 30;
	case NEGATIVE_SIG_REQUIRED:
		return 300;
	case NEGATIVE_UNAUTHORIZED:
		return policy->neg_ttl_unauthorized;
	case NEGATIVE_NONE:
		break;
	}
	return 0;
}

struct entry *landing_fail(struct back *back, const struct ask *question, err_t err,
			   int64_t retry_after, struct entry *fallback)
{
	const struct common *common = back->common;
	struct slice key = key_bytes(&question->key);
	struct entry *entry = fallback;
	int64_t now = clock_wall(), ms_now = clock_mono_ms();
	int64_t seconds;

	if (question->kind == ASK_ALONE || question->kind == ASK_GIVEN) /* a matter of its own */
		return NULL;
	if (entry == NULL)
		entry = cache_get(common->cache, key, question->hash);
	if (entry != NULL && now < entry->hard_expiry) {
		put_off_refresh(entry, &question->issuer->policy, now);
		return entry;
	}
	entry_unref(entry);
	seconds = landing_negative_ttl(&question->issuer->policy, err, retry_after);
	if (seconds > 0)
		negative_put(common->negative, key, err, ms_now + seconds * 1000, ms_now);
	return NULL;
}
