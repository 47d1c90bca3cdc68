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
#include "io/clock.h"
#include "io/entropy.h"
#include "relay/ask.h"
#include "relay/attempts.h"
#include "relay/back.h"
#include "relay/judge.h"
#include "relay/landing.h"
#include "relay/lookup.h"
#include "relay/oddities.h"
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
	struct entry *entry;	     /* one reference: the answer */
	struct entry *fallback;	     /* one reference: from a store, valid but about to end */
	const char *fallback_detail; /* which store */
	struct ask *refresh;	     /* begins when this has ended; NULL: none */
	const char *detail;	     /* the store that answered, or NULL */
	bool is_known;		     /* the answer or err was there already */

	struct lookup lookup;
	bool is_inside; /* of the gate */
	struct attempts attempts;
	struct entry *held; /* one reference: that a responder may confirm (HC-04), or NULL */
	struct slice etag;  /* of held: the request was conditional; or empty */
	uint8_t *held_der;
	struct transfer *transfer;
	const struct upstream_answer *answer; /* borrowed while VERIFY runs */
	unsigned http_status;
	unsigned algs;	/* of the answer's verdict */
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

/* After its asks have been answered. */
static void flight_free(struct flight *flight)
{
	entry_unref(flight->entry);
	entry_unref(flight->fallback);
	entry_unref(flight->held);
	free(flight->held_der);
	free(flight);
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

static void wake(void *arg)
{
	run(arg);
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
		lookup_init(&flight->lookup, back, ask, wake, flight);
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
	enum step step;

	if (flight->lookup.store == 0 && (step = look_again(flight)) != STEP_NEXT)
		return step;
	step = lookup_ask(&flight->lookup);
	if (step != STEP_DONE)
		return step;
	flight->stage = ENTER;
	return STEP_NEXT;
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

/* One that is about to end is better than none, and a further store may have its successor. */
static enum step check(struct flight *flight)
{
	const struct ask *ask = flight->question;
	int64_t now = clock_wall();
	struct entry *entry;
	const char *detail;
	enum freshness freshness;

	if (!lookup_check(&flight->lookup, &entry, &detail))
		return STEP_AGAIN;
	freshness = freshness_of(entry->refresh_at, entry->hard_expiry,
				 ask->issuer->policy.expiry_margin, now);
	if (freshness == ENDING) {
		entry_unref(flight->fallback);
		flight->fallback = entry;
		flight->fallback_detail = detail;
		return STEP_AGAIN;
	}
	if (freshness == DUE)
		flight->refresh = refresh_behind(ask, entry, now);
	flight->entry = entry;
	flight->detail = detail;
	return STEP_DONE;
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

/* The ETag of what we have from the very responder that is asked now, in the same way (HC-04). What
 * is about to end is not confirmed but replaced. */
static struct slice etag_of_held(struct flight *flight)
{
	const struct ask *ask = flight->question;
	const struct attempts *attempts = &flight->attempts;
	const struct entry *held = flight->held;

	if (ask->kind != ASK_REFRESH || attempts->post || attempts->no_cache)
		return slice_of(NULL, 0);
	if (held == NULL)
		held = flight->held =
		    cache_get(flight->back->common->cache, key_bytes(&ask->key), ask->hash);
	if (held == NULL || held->responder != ask->issuer->responders[attempts->responder].slot ||
	    clock_wall() >= time_add(held->hard_expiry, -ask->issuer->policy.expiry_margin))
		return slice_of(NULL, 0);
	return entry_etag(held);
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
	flight->etag = etag_of_held(flight);
	flight->transfer =
	    upstream_start(flight->back->upstream,
			   &(struct upstream_request){.url = attempts_url(attempts),
						      .proxy = proxy_of(issuer),
						      .der = ask->request.der,
						      .post = attempts->post,
						      .no_cache = attempts->no_cache,
						      .etag = flight->etag,
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

/* What the responder answered. One that says that we have it already (304) is taken at its word as
 * if it had sent those octets again: they are judged anew, and no time of theirs grows (CL-20). */
static err_t octets_of_answer(struct flight *flight, struct slice *out)
{
	const struct upstream_answer *answer = flight->answer;

	*out = answer->body;
	if (answer->http_status != 304 || flight->etag.len == 0)
		return answer->err;
	free(flight->held_der);
	flight->held_der = malloc(flight->held->der_len);
	if (flight->held_der == NULL)
		return ERR_NO_MEMORY;
	entry_copy_der(flight->held, flight->held_der);
	*out = slice_of(flight->held_der, flight->held->der_len);
	return OK;
}

static struct entry *entry_of_answer(const struct flight *flight, struct slice der,
				     const struct verdict *verdict, const struct lifetime *lifetime)
{
	const struct ask *ask = flight->question;
	const struct upstream_answer *answer = flight->answer;
	struct entry_parts parts = {.key = &ask->key,
				    .verdict = verdict,
				    .lifetime = lifetime,
				    .der = der,
				    .responder =
					ask->issuer->responders[flight->attempts.responder].slot};

	if (answer->http_status == 304)
		parts.etag = flight->etag;
	else if (!flight->attempts.post)
		parts.etag = slice_text(answer->etag);
	return entry_new(&parts, flight->back->common->tails);
}

static enum step verify(struct flight *flight)
{
	const struct ask *ask = flight->question;
	const struct upstream_answer *answer = flight->answer;
	struct slice der;
	struct verdict verdict;
	struct lifetime lifetime;
	err_t err = octets_of_answer(flight, &der);

	if (err == OK)
		err = judge_response(flight->back, ask, der, &verdict);
	outcome_report(flight->back, ask, flight->attempts.responder, answer, err);
	if (err != OK) {
		attempts_note_failure(&flight->attempts, answer, err);
		return STEP_AGAIN;
	}
	note_habits(flight, &verdict);
	oddities_of_response(ask, flight->attempts.responder, &verdict, der.len);
	lifetime = freshness_lifetime(&verdict, &ask->issuer->policy, &answer->hints, clock_wall(),
				      entropy_jitter());
	lifetime.may_store = lifetime.may_store && ask->may_store;
	flight->may_store = lifetime.may_store;
	flight->algs = verdict.algs;
	flight->http_status = answer->http_status;
	flight->entry = entry_of_answer(flight, der, &verdict, &lifetime);
	return flight->entry != NULL ? STEP_NEXT : fail(flight, ERR_NO_MEMORY);
}

/* --- STORE, PUBLISH -----------------------------------------------------------------------------
 */

static enum step store(struct flight *flight)
{
	flight->is_stored = flight->may_store && landing_keep(flight->back, flight->question,
							      flight->algs, &flight->entry);
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
		flight->detail = flight->fallback ? flight->fallback_detail : "l1";
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
	flight_free(flight);
}

void flights_drop(struct back *back)
{
	struct list *link, *ask;

	while ((link = list_shift(&back->flights)) != NULL) {
		struct flight *flight = LIST_ENTRY(link, struct flight, link);

		lookup_cancel(&flight->lookup);
		transfer_cancel(flight->transfer);
		while ((ask = list_shift(&flight->asks)) != NULL)
			ask_free(LIST_ENTRY(ask, struct ask, message.link));
		flight_free(flight);
	}
}
