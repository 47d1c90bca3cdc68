/* SPDX-License-Identifier: ISC */
/*
 * The flight: LOAD, CHECK, LEASE, YIELD, ENTER, FETCH, VERIFY, STORE, PUBLISH. Three small circles
 * are in it: the next store when one had nothing good, the store again when it was another relay's
 * turn to fetch, the next responder (or method) when one gave nothing good.
 * Whatever happens, PUBLISH is reached, and a signed answer that is still valid wins over every
 * error there (F4).
 */
#include "relay/flight.h"

#include <stdlib.h>

#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"
#include "relay/ask.h"
#include "relay/back.h"
#include "relay/fetch.h"
#include "relay/fleet.h"
#include "relay/judge.h"
#include "relay/landing.h"
#include "relay/lookup.h"
#include "relay/refresher.h"
#include "relay/step.h"
#include "relay/turn.h"

struct flight {
	struct list link; /* in back->flights */
	struct gate_visitor visitor;
	struct back *back;
	struct list asks; /* who waits; messages of asks */
	unsigned n_asks;
	struct ask *question; /* the first of them */
	unsigned stage;
	err_t err;
	struct entry *entry;	     /* one reference: the answer */
	struct entry *fallback;	     /* one reference: from a store, valid but about to end */
	const char *fallback_detail; /* which store */
	bool is_fallback_fine;	     /* it is not about to end: only others might know better */
	const char *detail;	     /* the store that answered, or NULL */
	bool is_known;		     /* the answer or err was there already */

	struct lookup lookup;
	struct turn turn; /* in the fleet */
	struct fetch fetch;
	bool is_stored;
};

enum stage {
	LOAD,
	CHECK,
	LEASE,
	YIELD,
	ENTER,
	FETCH,
	VERIFY,
	STORE,
	PUBLISH
};

static enum step load(struct flight *flight);
static enum step check(struct flight *flight);
static enum step lease(struct flight *flight);
static enum step yield(struct flight *flight);
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
    [LEASE] = {lease, LEASE},	/* ask whose turn it is, in the fleet */
    [YIELD] = {yield, LOAD},	/* let another one fetch; look again */
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
	fetch_end(&flight->fetch);
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

/* Whether its flight answers others, too. */
static bool is_shared(const struct ask *ask)
{
	return ask->kind == ASK_SHARED || ask->kind == ASK_REFRESH;
}

static enum stage first_stage(const struct ask *ask)
{
	if (ask->kind == ASK_REFRESH)
		return LEASE;
	return ask_is_verbatim(ask) ? ENTER : LOAD;
}

void flight_join(struct back *back, struct ask *ask)
{
	struct flight *flight = NULL;

	if (is_shared(ask))
		flight = inflight_get(back->inflight, key_bytes(&ask->key));
	if (flight == NULL) {
		flight = calloc(1, sizeof(*flight));
		if (flight == NULL ||
		    (is_shared(ask) &&
		     inflight_put(back->inflight, key_bytes(&ask->key), flight) != OK)) {
			free(flight);
			back_send_home(ask, ERR_NO_MEMORY);
			return;
		}
		flight->back = back;
		flight->question = ask;
		flight->stage = first_stage(ask);
		lookup_init(&flight->lookup, back, ask, wake, flight);
		turn_init(&flight->turn, back, ask, wake, flight);
		fetch_init(&flight->fetch, back, ask, wake, flight);
		list_init(&flight->asks);
		list_init(&flight->visitor.link);
		flight->visitor.is_background = ask->is_background;
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
	else if (!ask->is_background)
		gate_promote(back->gates, flight->question->issuer->slot, &flight->visitor);
}

/* --- LOAD, CHECK --------------------------------------------------------------------------------
 */

/* The flight before this one may have landed, or failed, while the ask was on its way. A fallback
 * of our own is in memory, too, and is what a further look is to improve on. */
static enum step look_again(struct flight *flight)
{
	err_t err = landing_find(flight->back, flight->question, &flight->entry);

	if (err == ERR_NOT_FOUND)
		return STEP_NEXT;
	flight->detail = "l1";
	flight->is_known = true;
	return err == OK ? STEP_DONE : fail(flight, err);
}

/* Who brings an answer, or needs one of his own, looks into the stores only so that memory has the
 * newest that we know: nothing older shall take its place (CL-16), and it is what to fall back on
 * (NO-06). */
static bool only_compares(const struct flight *flight)
{
	return !is_shared(flight->question);
}

static bool is_in_memory(const struct flight *flight)
{
	const struct ask *ask = flight->question;
	struct entry *entry =
	    cache_peek(flight->back->common->cache, key_bytes(&ask->key), ask->hash);
	bool is_valid = entry != NULL && clock_wall() < entry->hard_expiry;

	entry_unref(entry);
	return is_valid;
}

static enum step after_stores(struct flight *flight)
{
	static const enum stage next[] = {
	    [ASK_SHARED] = LEASE, [ASK_REFRESH] = LEASE, [ASK_ALONE] = ENTER, [ASK_GIVEN] = VERIFY};

	flight->stage = next[flight->question->kind];
	if (!flight->is_fallback_fine)
		return STEP_NEXT;
	flight->entry = flight->fallback;
	flight->detail = flight->fallback_detail;
	flight->fallback = NULL;
	return STEP_DONE;
}

static enum step load(struct flight *flight)
{
	enum step step;

	if (flight->question->kind == ASK_SHARED && flight->lookup.store == 0 &&
	    flight->fallback == NULL && (step = look_again(flight)) != STEP_NEXT)
		return step;
	if (only_compares(flight) && is_in_memory(flight)) {
		if (flight->back->shared == NULL)
			return after_stores(flight);
		if (flight->lookup.store < flight->back->shared_index)
			lookup_rewind(&flight->lookup); /* others may have stored a newer one */
	}
	step = lookup_ask(&flight->lookup);
	return step == STEP_DONE ? after_stores(flight) : step;
}

/* Whether another relay has refreshed it since. */
static bool is_refreshed(const struct flight *flight, const struct entry *entry,
			 enum freshness freshness)
{
	const struct entry *held = flight->fetch.held;

	return freshness == FRESH && (held == NULL || entry->fetched_at > held->fetched_at);
}

/* What our own store kept while others may have learnt better. */
static bool is_doubtful(const struct flight *flight, const struct entry *entry)
{
	return lookup_was_own(&flight->lookup) &&
	       fleet_may_have_missed(flight->back->fleet, entry->fetched_at);
}

/* One that is about to end, or doubtful, is better than none, and a further store may have its
 * successor. */
static enum step check(struct flight *flight)
{
	const struct ask *ask = flight->question;
	int64_t now = clock_wall();
	struct entry *entry;
	const char *detail;
	enum freshness freshness;

	if (!lookup_check(&flight->lookup, &entry, &detail))
		return STEP_AGAIN;
	if (only_compares(flight)) {
		entry_unref(entry);
		return STEP_AGAIN; /* and LOAD finds it in memory */
	}
	freshness = freshness_of(entry->refresh_at, entry->hard_expiry,
				 ask->issuer->policy.expiry_margin, now);
	if (freshness == DUE) {
		entry_mark(entry); /* it was asked for: to be refreshed (CL-07) */
		refresher_plan(flight->back->common, entry);
	}
	if (freshness == ENDING || is_doubtful(flight, entry)) {
		entry_unref(flight->fallback);
		flight->fallback = entry;
		flight->fallback_detail = detail;
		flight->is_fallback_fine = freshness != ENDING;
		return STEP_AGAIN;
	}
	if (ask->kind == ASK_REFRESH && !is_refreshed(flight, entry, freshness)) {
		entry_unref(entry);
		return STEP_AGAIN;
	}
	if (ask->kind == ASK_REFRESH)
		refresher_plan(flight->back->common, entry);
	flight->entry = entry;
	flight->detail = detail;
	return STEP_DONE;
}

/* --- LEASE, YIELD -------------------------------------------------------------------------------
 */

/* A refresh that nobody waits for is only wanted as long as one is due: what another relay stored
 * may have come faster than the ask. */
static bool is_needless(const struct flight *flight)
{
	const struct ask *ask = flight->question;
	const struct entry *held = flight->fetch.held;

	return ask->kind == ASK_REFRESH && ask->home == NULL && held != NULL &&
	       freshness_of(held->refresh_at, held->hard_expiry, ask->issuer->policy.expiry_margin,
			    clock_wall()) == FRESH;
}

static enum step lease(struct flight *flight)
{
	enum step step;

	if (is_needless(flight)) {
		flight->entry = entry_ref(flight->fetch.held);
		flight->detail = "l1";
		return STEP_DONE;
	}
	step = turn_ask(&flight->turn);
	if (step == STEP_NEXT)
		flight->stage = ENTER;
	return step;
}

/* When it has become ours, another one may just have fetched it. */
static enum step yield(struct flight *flight)
{
	enum step step = turn_wait(&flight->turn);

	if (step == STEP_DONE)
		return STEP_NEXT;
	lookup_rewind(&flight->lookup);
	flight->stage = LOAD;
	return step;
}

bool flight_hear(struct back *back, struct slice key)
{
	struct flight *flight = inflight_get(back->inflight, key);

	if (flight != NULL)
		turn_hear(&flight->turn);
	return flight != NULL;
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
	return STEP_NEXT;
}

void flight_enter(void *back, struct gate_visitor *visitor)
{
	(void)back;
	run(LIST_ENTRY(visitor, struct flight, visitor));
}

static enum step fetch(struct flight *flight)
{
	enum step step = fetch_ask(&flight->fetch);

	return step == STEP_FAIL ? fail(flight, flight->fetch.err) : step;
}

static enum step take_given(struct flight *flight)
{
	err_t err =
	    judge_record(flight->back, flight->question, flight->question->given, &flight->entry);

	flight->fetch.may_store = true;
	return err == OK ? STEP_NEXT : fail(flight, err);
}

static enum step verify(struct flight *flight)
{
	enum step step;

	if (flight->question->kind == ASK_GIVEN)
		return take_given(flight);
	step = fetch_judge(&flight->fetch, &flight->entry);

	return step == STEP_FAIL ? fail(flight, flight->fetch.err) : step;
}

/* --- STORE, PUBLISH -----------------------------------------------------------------------------
 */

static enum step store(struct flight *flight)
{
	flight->is_stored =
	    landing_take(flight->back, flight->question, &flight->fetch, &flight->entry);
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
	bool is_good = flight->entry != NULL;
	bool is_fetched = is_good && flight->detail == NULL;
	struct list *link;

	if (flight->entry == NULL && !flight->is_known) {
		flight->detail = flight->fallback ? flight->fallback_detail : "l1";
		flight->entry = landing_fail(back, question, flight->err,
					     flight->fetch.attempts.retry_after, flight->fallback);
		flight->fallback = NULL;
	}
	if (question->kind == ASK_REFRESH)
		counter_add(METRIC_REFRESHES, question->issuer->slot,
			    is_good ? LABEL_OUTCOME_OK : LABEL_OUTCOME_ERROR, 0, 1);
	if (flight->visitor.is_inside)
		gate_leave(back->gates, question->issuer->slot, &flight->visitor);
	if (is_shared(question))
		inflight_remove(back->inflight, key_bytes(&question->key));
	turn_end(&flight->turn);
	list_remove(&flight->link);
	counter_add(METRIC_INFLIGHT, 0, 0, 0, -1);

	/* from here on the question may be home and gone */
	for (bool is_first = true; (link = list_shift(&flight->asks)) != NULL; is_first = false) {
		struct ask *ask = LIST_ENTRY(link, struct ask, message.link);

		ask->entry = flight->entry ? entry_ref(flight->entry) : NULL;
		ask->verdict = verdict_of(flight, is_fetched, is_first);
		ask->detail = flight->detail;
		ask->fwd_status =
		    is_fetched ? flight->fetch.http_status : flight->fetch.attempts.http_status;
		ask->is_stored = flight->is_stored;
		back_send_home(ask, flight->entry ? OK : flight->err);
	}
	flight_free(flight);
}

void flights_drop(struct back *back)
{
	struct list *link, *ask;

	while ((link = list_shift(&back->flights)) != NULL) {
		struct flight *flight = LIST_ENTRY(link, struct flight, link);

		lookup_cancel(&flight->lookup);
		turn_end(&flight->turn);
		while ((ask = list_shift(&flight->asks)) != NULL)
			ask_free(LIST_ENTRY(ask, struct ask, message.link));
		flight_free(flight);
	}
}
