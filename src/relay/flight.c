/* SPDX-License-Identifier: ISC */
/*
 * The flight: LOAD, CHECK, ENTER, FETCH, VERIFY, STORE, PUBLISH. Two small circles are in it: the
 * next store when one had nothing good, the next responder (or method) when one gave nothing good.
 * Whatever happens, PUBLISH is reached, and a signed answer that is still valid wins over every
 * error there (F4).
 */
#include "relay/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/counters.h"
#include "base/log.h"
#include "core/record.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "relay/ask.h"
#include "relay/attempts.h"
#include "relay/back.h"
#include "relay/landing.h"
#include "relay/outcome.h"
#include "relay/step.h"

struct flight {
	struct list link;    /* in back->flights */
	struct list visitor; /* in the gate's queue */
	struct back *back;
	struct list asks; /* who waits; messages of asks */
	unsigned n_asks;
	struct ask *question; /* the first of them */
	unsigned stage;
	err_t err;
	struct entry *entry;	/* one reference: the answer */
	struct entry *fallback; /* one reference: from a store, valid but about to end */
	struct ask *refresh;	/* begins when this has ended; NULL: none */
	const char *detail;	/* the store that answered, or NULL */
	bool is_known;		/* the answer or err was there already */

	size_t store; /* index */
	struct store_read *read;
	err_t read_err;
	struct slice record; /* borrowed from the store until the step after LOAD has run */

	bool is_inside; /* of the gate */
	struct attempts attempts;
	struct transfer *transfer;
	const struct upstream_answer *answer; /* borrowed while VERIFY runs */
	unsigned http_status;
	bool may_store; /* the answer, with STEP_NEXT from VERIFY */
	bool is_stored;
};

enum stage {
	LOAD,
	CHECK,
	ENTER,
	FETCH,
	VERIFY,
	STORE,
	PUBLISH
};

static enum step load(struct flight *flight);
static enum step check(struct flight *flight);
static enum step enter(struct flight *flight);
static enum step fetch(struct flight *flight);
static enum step verify(struct flight *flight);
static enum step store(struct flight *flight);
static void publish(struct flight *flight);

static const struct {
	enum step (*run)(struct flight *);
	enum stage again; /* where STEP_AGAIN goes */
} stages[] = {
    [LOAD] = {load, LOAD},	/* look in the stores, in order */
    [CHECK] = {check, LOAD},	/* verify what one gave */
    [ENTER] = {enter, ENTER},	/* wait for a place among the issuer's fetches */
    [FETCH] = {fetch, FETCH},	/* ask the responders, in order */
    [VERIFY] = {verify, FETCH}, /* bytes + request + issuer + now -> verdict */
    [STORE] = {store, STORE},	/* memory cache, stores */
};

static enum step fail(struct flight *flight, err_t err)
{
	flight->err = err;
	return STEP_FAIL;
}

/* Runs the flight from its stage on until it waits or has published. */
static void run(struct flight *flight)
{
	while (flight->stage != PUBLISH) {
		enum stage stage = flight->stage++;

		switch (stages[stage].run(flight)) {
		case STEP_NEXT:
			break;
		case STEP_WAIT:
			return;
		case STEP_AGAIN:
			flight->stage = stages[stage].again;
			break;
		case STEP_DONE:
		case STEP_FAIL:
			flight->stage = PUBLISH;
			break;
		}
	}
	publish(flight);
}

void flight_join(struct back *back, struct ask *ask)
{
	struct flight *flight = NULL;

	if (ask->kind != ASK_ALONE)
		flight = inflight_get(back->inflight, key_bytes(&ask->key));
	if (flight == NULL) {
		flight = calloc(1, sizeof(*flight));
		if (flight == NULL ||
		    (ask->kind != ASK_ALONE &&
		     inflight_put(back->inflight, key_bytes(&ask->key), flight) != OK)) {
			free(flight);
			back_send_home(ask, ERR_NO_MEMORY);
			return;
		}
		flight->back = back;
		flight->question = ask;
		flight->stage = ask->kind == ASK_SHARED ? LOAD : ENTER;
		attempts_init(&flight->attempts, back->common, ask);
		list_init(&flight->asks);
		list_init(&flight->visitor);
		list_append(&back->flights, &flight->link);
		counter_add(METRIC_INFLIGHT, 0, 0, 0, 1);
	} else if (flight->n_asks >= back->rules->settings->limits.max_waiters) {
		back_send_home(ask, ERR_OVERLOAD_WAITERS);
		return;
	}
	list_append(&flight->asks, &ask->message.link);
	flight->n_asks++;
	if (flight->n_asks == 1)
		run(flight);
}

/* --- LOAD, CHECK --------------------------------------------------------------------------------
 */

static void on_read(void *arg, err_t err, struct slice record)
{
	struct flight *flight = arg;

	flight->read = NULL;
	flight->read_err = err;
	flight->record = record;
	run(flight);
}

/* The flight before this one may have landed, or failed, while the ask was on its way. */
static enum step look_again(struct flight *flight)
{
	err_t err = landing_find(flight->back, flight->question, &flight->entry);

	if (err == ERR_NOT_FOUND)
		return STEP_NEXT;
	flight->detail = "l1";
	flight->is_known = true;
	return err == OK ? STEP_DONE : fail(flight, err);
}

static enum step load(struct flight *flight)
{
	struct back *back = flight->back;
	enum step step;

	if (flight->store == 0 && (step = look_again(flight)) != STEP_NEXT)
		return step;
	if (flight->store == back->common->n_stores) {
		flight->stage = ENTER;
		return STEP_NEXT;
	}
	flight->read_err = store_get(back->stores[flight->store], key_bytes(&flight->question->key),
				     on_read, flight, &flight->record, &flight->read);
	return flight->read_err == ERR_AGAIN ? STEP_WAIT : STEP_NEXT;
}

/* By whom this thread trusts now, and not when the ask began: a reload may have come in between
 * (relay_reload). One that is configured no more answers those who wait, and then nobody. */
static err_t judge(const struct flight *flight, struct slice der, int64_t now,
		   struct verdict *out_verdict)
{
	const struct ask *ask = flight->question;
	const struct issuer *current = issuers_by_id(flight->back->rules->issuers, ask->issuer->id);
	const struct verify_question question = {.certids = ask->request.certids,
						 .n_certids = ask->request.n_certids,
						 .nonce = ask->request.nonce,
						 .issuer = current ? current : ask->issuer,
						 .now = now};

	return verify_response(der, &question, out_verdict);
}

/* A record of a store as an entry, verified like what a responder gives (VS-24). */
static err_t entry_from_record(const struct flight *flight, int64_t now, struct entry **out)
{
	const struct ask *ask = flight->question;
	const struct upstream_hints no_hints = {.flags = 0};
	struct record record;
	struct verdict verdict;
	struct lifetime lifetime;
	err_t err;

	err = record_parse(flight->record,
			   flight->back->rules->settings->limits.max_upstream_response, &record);
	if (err == OK)
		err = judge(flight, record.der, now, &verdict);
	if (err != OK)
		return err;
	if (record.fetched_at > now)
		record.fetched_at = now;
	lifetime = freshness_lifetime(&verdict, &ask->issuer->policy, &no_hints, record.fetched_at,
				      entropy_jitter());
	if (!lifetime.may_store || now >= lifetime.hard_expiry)
		return ERR_RSP_EXPIRED;
	if (record.refresh_at < lifetime.refresh_at)
		lifetime.refresh_at = record.refresh_at;
	*out = entry_new(
	    &(struct entry_parts){
		.key = &ask->key, .verdict = &verdict, .lifetime = &lifetime, .der = record.der},
	    flight->back->common->tails);
	return *out == NULL ? ERR_NO_MEMORY : OK;
}

static void refuse_record(struct flight *flight, err_t err)
{
	struct store *from = flight->back->stores[flight->store];

	if (err == ERR_NO_MEMORY)
		return;
	store_delete(from, key_bytes(&flight->question->key));
	if (err == ERR_RSP_EXPIRED)
		return;
	counter_add(METRIC_STORE_OPERATIONS, store_slot(from), LABEL_OP_GET,
		    LABEL_STORE_RESULT_REFUSED, 1);
	LOG(RECORD_REFUSED, LOG_TEXT("store", store_name(from)),
	    LOG_TEXT("issuer", flight->question->issuer->label), LOG_REASON(err));
}

/* The refresh of an answer that is due for one, to begin behind it (CL-07); NULL: not now. */
static struct ask *refresh_behind(const struct ask *ask, struct entry *entry, int64_t now)
{
	const struct ask_question question = {.kind = ASK_REFRESH,
					      .issuers = ask->issuers,
					      .issuer = ask->issuer,
					      .key = &ask->key,
					      .hash = ask->hash,
					      .der = ask->request.der};

	if (!entry_claim_refresh(entry, now, freshness_retry_at(entry->hard_expiry, now)))
		return NULL;
	return ask_new(&question);
}

static enum step check(struct flight *flight)
{
	const struct ask *ask = flight->question;
	int64_t now = clock_wall();
	struct entry *entry = NULL, *current = NULL;
	enum freshness freshness;
	int old_status;
	err_t err = flight->read_err;

	if (err == OK) {
		err = entry_from_record(flight, now, &entry);
		if (err != OK)
			refuse_record(flight, err);
	}
	if (err != OK) {
		flight->store++;
		return STEP_AGAIN;
	}
	cache_put(flight->back->common->cache, entry, now, &current, &old_status);
	entry_unref(entry);
	freshness = freshness_of(current->refresh_at, current->hard_expiry,
				 ask->issuer->policy.expiry_margin, now);
	if (freshness != ENDING) {
		if (freshness == DUE)
			flight->refresh = refresh_behind(ask, current, now);
		flight->entry = current;
		flight->detail = store_name(flight->back->stores[flight->store]);
		return STEP_DONE;
	}
	flight->fallback = current;
	return STEP_NEXT;
}

/* --- ENTER, FETCH, VERIFY -----------------------------------------------------------------------
 */

static enum step enter(struct flight *flight)
{
	const struct issuer *issuer = flight->question->issuer;
	unsigned share = issuer->policy.max_inflight / flight->back->common->n_backs;
	err_t err;

	if (issuer->n_responders == 0)
		return fail(flight, ERR_ISSUER_NO_RESPONDER);
	err =
	    gate_enter(flight->back->gates, issuer->slot, share > 0 ? share : 1, &flight->visitor);
	if (err == ERR_AGAIN)
		return STEP_WAIT;
	if (err != OK) {
		LOG(OVERLOAD, LOG_TEXT("issuer", issuer->label), LOG_REASON(err));
		return fail(flight, err);
	}
	flight->is_inside = true;
	return STEP_NEXT;
}

void flight_enter(void *back, struct list *visitor)
{
	struct flight *flight = LIST_ENTRY(visitor, struct flight, visitor);

	(void)back;
	flight->is_inside = true;
	run(flight);
}

/* In the words of io/upstream.h. */
static const char *proxy_of(const struct issuer *issuer)
{
	if (issuer->proxy == NULL)
		return "";
	return *issuer->proxy != '\0' ? issuer->proxy : "none";
}

static void on_transfer(void *arg, const struct upstream_answer *answer)
{
	struct flight *flight = arg;

	flight->transfer = NULL;
	flight->answer = answer;
	run(flight);
}

static enum step fetch(struct flight *flight)
{
	const struct ask *ask = flight->question;
	const struct issuer *issuer = ask->issuer;
	struct attempts *attempts = &flight->attempts;

	if (!attempts_next(attempts, clock_mono_ms()))
		return fail(flight, attempts->err);
	flight->transfer =
	    upstream_start(flight->back->upstream,
			   &(struct upstream_request){.url = attempts_url(attempts),
						      .proxy = proxy_of(issuer),
						      .der = ask->request.der,
						      .post = attempts->post,
						      .no_cache = attempts->no_cache,
						      .ms_connect = issuer->policy.ms_connect,
						      .ms_attempt = issuer->policy.ms_attempt},
			   on_transfer, flight);
	return flight->transfer != NULL ? STEP_WAIT : fail(flight, ERR_NO_MEMORY);
}

/* What the answer in order says about its responder, besides. */
static void note_habits(const struct flight *flight, const struct verdict *verdict)
{
	struct responders *responders = flight->back->common->responders;
	const char *url = attempts_url(&flight->attempts);

	if (flight->attempts.is_post_retry) {
		LOG(RESPONDER_WANTS_POST, LOG_TEXT("responder", url));
		responder_set_wants_post(responders, url, clock_mono_ms());
	}
	if (flight->question->request.flags & REQUEST_NONCE && !(verdict->flags & VERDICT_NONCE))
		responder_set_skips_nonce(responders, url, clock_mono_ms());
}

static enum step verify(struct flight *flight)
{
	const struct ask *ask = flight->question;
	const struct upstream_answer *answer = flight->answer;
	int64_t now = clock_wall();
	struct verdict verdict;
	struct lifetime lifetime;
	err_t err = answer->err;

	if (err == OK)
		err = judge(flight, answer->body, now, &verdict);
	outcome_report(flight->back, ask, flight->attempts.responder, answer, err);
	if (err != OK) {
		attempts_note_failure(&flight->attempts, answer, err);
		return STEP_AGAIN;
	}
	note_habits(flight, &verdict);
	lifetime = freshness_lifetime(&verdict, &ask->issuer->policy, &answer->hints, now,
				      entropy_jitter());
	lifetime.may_store = lifetime.may_store && ask->may_store;
	flight->may_store = lifetime.may_store;
	flight->http_status = answer->http_status;
	flight->entry = entry_new(
	    &(struct entry_parts){
		.key = &ask->key, .verdict = &verdict, .lifetime = &lifetime, .der = answer->body},
	    flight->back->common->tails);
	return flight->entry != NULL ? STEP_NEXT : fail(flight, ERR_NO_MEMORY);
}

/* --- STORE, PUBLISH -----------------------------------------------------------------------------
 */

static enum step store(struct flight *flight)
{
	flight->is_stored =
	    flight->may_store && landing_keep(flight->back, flight->question, &flight->entry);
	return STEP_DONE;
}

static enum reply_verdict verdict_of(const struct flight *flight, bool is_fetched, bool is_first)
{
	if (flight->entry == NULL && flight->is_known)
		return REPLY_NEGATIVE;
	if (flight->entry != NULL && !is_fetched)
		return REPLY_HIT;
	return is_first ? REPLY_MISS : REPLY_COLLAPSED;
}

static void publish(struct flight *flight)
{
	struct back *back = flight->back;
	struct ask *question = flight->question;
	bool is_fetched = flight->entry != NULL && flight->detail == NULL;
	struct list *link;

	if (flight->entry == NULL && !flight->is_known) {
		flight->detail = flight->fallback ? store_name(back->stores[flight->store]) : "l1";
		flight->entry = landing_fail(back, question, flight->err,
					     flight->attempts.retry_after, flight->fallback);
		flight->fallback = NULL;
	}
	if (question->kind == ASK_REFRESH)
		counter_add(METRIC_REFRESHES, question->issuer->slot,
			    is_fetched ? LABEL_OUTCOME_OK : LABEL_OUTCOME_ERROR, 0, 1);
	if (flight->is_inside)
		gate_leave(back->gates, question->issuer->slot);
	if (question->kind != ASK_ALONE)
		inflight_remove(back->inflight, key_bytes(&question->key));
	list_remove(&flight->link);
	counter_add(METRIC_INFLIGHT, 0, 0, 0, -1);

	/* from here on the question may be home and gone */
	for (bool is_first = true; (link = list_shift(&flight->asks)) != NULL; is_first = false) {
		struct ask *ask = LIST_ENTRY(link, struct ask, message.link);

		ask->entry = flight->entry ? entry_ref(flight->entry) : NULL;
		ask->verdict = verdict_of(flight, is_fetched, is_first);
		ask->detail = flight->detail;
		ask->fwd_status = is_fetched ? flight->http_status : flight->attempts.http_status;
		ask->is_stored = flight->is_stored;
		back_send_home(ask, flight->entry ? OK : flight->err);
	}
	if (flight->refresh != NULL)
		flight_join(back, flight->refresh);
	entry_unref(flight->entry);
	entry_unref(flight->fallback);
	free(flight);
}

void flights_drop(struct back *back)
{
	struct list *link, *ask;

	while ((link = list_shift(&back->flights)) != NULL) {
		struct flight *flight = LIST_ENTRY(link, struct flight, link);

		store_cancel(flight->read);
		transfer_cancel(flight->transfer);
		while ((ask = list_shift(&flight->asks)) != NULL)
			ask_free(LIST_ENTRY(ask, struct ask, message.link));
		entry_unref(flight->entry);
		entry_unref(flight->fallback);
		free(flight);
	}
}
