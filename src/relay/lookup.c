/* SPDX-License-Identifier: ISC */
/* Asking stores and judging what they give. */
#include "relay/lookup.h"

#include "base/counters.h"
#include "base/log.h"
#include "core/digest.h"
#include "core/record.h"
#include "io/clock.h"
#include "relay/judge.h"
#include "relay/landing.h"

void lookup_init(struct lookup *lookup, struct back *back, const struct ask *question,
		 lookup_fn *wake, void *arg)
{
	*lookup = (struct lookup){.back = back, .question = question, .wake = wake, .arg = arg};
}

static struct store *store_of(const struct lookup *lookup)
{
	return lookup->back->stores[lookup->store];
}

void lookup_rewind(struct lookup *lookup)
{
	lookup->store = lookup->back->shared_index;
}

static void on_read(void *arg, err_t err, struct slice record)
{
	struct lookup *lookup = arg;

	lookup->read = NULL;
	lookup->err = err;
	lookup->record = record;
	lookup->wake(lookup->arg);
}

enum step lookup_ask(struct lookup *lookup)
{
	if (lookup->store == lookup->back->common->n_stores)
		return STEP_DONE;
	lookup->err = store_get(store_of(lookup), key_bytes(&lookup->question->key), on_read,
				lookup, &lookup->record, &lookup->read);
	return lookup->err == ERR_AGAIN ? STEP_WAIT : STEP_NEXT;
}

/* It is not left there. */
static void count_refused(const struct lookup *lookup)
{
	counter_add(METRIC_STORE_OPERATIONS, store_slot(store_of(lookup)), LABEL_OP_GET,
		    LABEL_STORE_RESULT_REFUSED, 1);
}

/* A record that is not as it should be (VS-24). */
static void refuse(const struct lookup *lookup, err_t err)
{
	struct store *from = store_of(lookup);

	if (err == ERR_NO_MEMORY)
		return;
	if (err == ERR_RSP_EXPIRED) {
		store_delete(from, key_bytes(&lookup->question->key));
		return;
	}
	store_delete(from, key_bytes(&lookup->question->key));
	count_refused(lookup);
	LOG(RECORD_REFUSED, LOG_TEXT("store", store_name(from)),
	    LOG_TEXT("issuer", lookup->question->issuer->label), LOG_REASON(err));
}

/* What a slower store had is at hand the next time. */
static void copy_up(const struct lookup *lookup, const struct entry *entry)
{
	for (size_t i = 0; i < lookup->store; i++)
		store_put(lookup->back->stores[i], key_bytes(&lookup->question->key),
			  lookup->record, entry->hard_expiry);
}

/* The entry in memory, one reference, if the record is the same and no newer copy of it: then there
 * is nothing to verify. */
static struct entry *same_in_memory(const struct lookup *lookup)
{
	const struct ask *ask = lookup->question;
	struct entry *entry =
	    cache_peek(lookup->back->common->cache, key_bytes(&ask->key), ask->hash);
	uint8_t digest[SHA256_LEN];
	struct record record;

	if (entry != NULL && clock_wall() < entry->hard_expiry &&
	    record_parse(lookup->record, entry->der_len, &record) == OK &&
	    record.fetched_at <= entry->fetched_at && digest_sha256(record.der, digest) &&
	    memcmp(digest, entry->sha256, sizeof(digest)) == 0)
		return entry;
	entry_unref(entry);
	return NULL;
}

bool lookup_check(struct lookup *lookup, struct entry **out, const char **out_name)
{
	struct entry *entry = NULL;
	int old_status;
	err_t err = lookup->err;

	if (err == OK && (*out = same_in_memory(lookup)) != NULL) {
		*out_name = store_name(store_of(lookup));
		lookup->store++;
		return true;
	}
	if (err == OK) {
		err = judge_record(lookup->back, lookup->question, lookup->record, &entry);
		if (err != OK)
			refuse(lookup, err);
	}
	if (err == OK) {
		landing_put_off_if_same(lookup->back->common, lookup->question, entry);
		if (cache_put(lookup->back->common->cache, entry, clock_wall(), out, &old_status) ==
		    CACHE_ROLLBACK) {
			count_refused(lookup);
			landing_write(lookup->back, *out); /* others know no better (CL-16) */
			LOG(ROLLBACK_REFUSED, LOG_TEXT("store", store_name(store_of(lookup))),
			    LOG_TEXT("issuer", lookup->question->issuer->label));
		} else {
			copy_up(lookup, entry);
			landing_note_status(lookup->question, old_status, entry->status);
		}
		entry_unref(entry);
		*out_name = store_name(store_of(lookup));
	}
	lookup->store++;
	return err == OK;
}

bool lookup_was_own(const struct lookup *lookup)
{
	return !store_is_shared(lookup->back->stores[lookup->store - 1]);
}

void lookup_cancel(struct lookup *lookup)
{
	store_cancel(lookup->read);
	lookup->read = NULL;
}
