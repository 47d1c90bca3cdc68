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
	lookup->is_newest = true;
}

static void on_read(void *arg, err_t err, struct slice record)
{
	struct lookup *lookup = arg;

	lookup->read = NULL;
	lookup->err = err;
	lookup->record = record;
	lookup->wake(lookup->arg);
}

/* Only where we hear what the others write, and only for a client's question: what news, a turn or
 * a comparison is about has just been written. */
static bool may_be_copy(const struct lookup *lookup)
{
	const struct store *store = store_of(lookup);

	return store == lookup->back->shared && !lookup->is_newest &&
	       lookup->question->kind == ASK_SHARED && store_has_copies(store);
}

enum step lookup_ask(struct lookup *lookup)
{
	if (lookup->store == lookup->back->common->n_stores)
		return STEP_DONE;
	lookup->is_copy = may_be_copy(lookup);
	lookup->err = (lookup->is_copy ? store_get_copy : store_get)(
	    store_of(lookup), key_bytes(&lookup->question->key), on_read, lookup, &lookup->record,
	    &lookup->read);
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
	if (err == ERR_RSP_EXPIRED || err == ERR_RECORD_OUTLIVED) {
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

/* A copy that is no good says nothing about the store: it is asked itself, as if it were the next
 * one. */
static bool ask_again(struct lookup *lookup)
{
	bool is_copy = lookup->is_copy;

	lookup->is_newest = lookup->is_newest || is_copy;
	return is_copy;
}

/* The entry, one reference, goes to memory: *out is what that holds then. False: it was a copy, of
 * something older than that. */
static bool take(struct lookup *lookup, struct entry *entry, struct entry **out)
{
	const struct ask *question = lookup->question;
	struct entry *held;
	int old_status;

	landing_put_off_if_same(lookup->back->common, question, entry);
	if (cache_put(lookup->back->common->cache, entry, clock_wall(), &held, &old_status) !=
	    CACHE_ROLLBACK) {
		copy_up(lookup, entry);
		landing_note_status(question, old_status, entry->status);
	} else if (ask_again(lookup)) {
		entry_unref(held);
		return false;
	} else {
		count_refused(lookup);
		landing_write(lookup->back, held); /* others know no better (CL-16) */
		LOG(ROLLBACK_REFUSED, LOG_TEXT("store", store_name(store_of(lookup))),
		    LOG_TEXT("issuer", question->issuer->label));
	}
	*out = held;
	return true;
}

bool lookup_check(struct lookup *lookup, struct entry **out, const char **out_name)
{
	struct entry *entry = NULL;
	err_t err = lookup->err;
	bool is_good = false;

	if (err == OK && (*out = same_in_memory(lookup)) != NULL) {
		*out_name = store_name(store_of(lookup));
		lookup->store++;
		return true;
	}
	if (err == OK) {
		err = judge_record(lookup->back, lookup->question, lookup->record, &entry);
		if (err != OK && ask_again(lookup))
			return false;
		if (err != OK)
			refuse(lookup, err);
	}
	if (err == OK) {
		is_good = take(lookup, entry, out);
		entry_unref(entry);
		if (!is_good)
			return false;
		*out_name = store_name(store_of(lookup));
	}
	lookup->store++;
	return is_good;
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
