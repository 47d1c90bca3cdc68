/* SPDX-License-Identifier: ISC */
/* Clients and the asks that they wait for. */
#include "relay/waiting.h"

#include "base/counters.h"
#include "io/clock.h"
#include "relay/answer.h"
#include "relay/back.h"
#include "relay/front.h"

static void on_deadline(void *arg);

/* Of the deadline, which began with the request and not with this ask. */
static int64_t ms_left(const struct ask *ask)
{
	int64_t ms = ask->issuer->policy.ms_deadline - (clock_mono_us() - ask->us_start) / 1000;

	return ms > 1 ? ms : 1;
}

err_t waiting_begin(struct ask *ask, struct entry *fallback)
{
	const struct common *common = ask->front->common;

	ask->home = ask->front->answers;
	ask->is_background = false;
	ask->deadline = timer_start(ask->front->loop, ms_left(ask), on_deadline, ask);
	if (ask->deadline == NULL) {
		ask_free(ask);
		return ERR_NO_MEMORY;
	}
	if (mailbox_post(common->backs[ask->hash % common->n_backs]->asks, &ask->message) != OK) {
		ask_free(ask);
		return ERR_OVERLOAD_MAILBOX;
	}
	/* from here on the ask is home only in the part that is ours */
	ask->fallback = fallback;
	connection_set_context(ask->connection, ask);
	counter_add(METRIC_WAITERS, 0, 0, 0, 1);
	return OK;
}

/* Nobody waits for this ask any more. */
static void let_go(struct ask *ask)
{
	timer_cancel(ask->deadline);
	ask->deadline = NULL;
	ask->connection = NULL;
	counter_add(METRIC_WAITERS, 0, 0, 0, -1);
}

/* What is still valid for the key of an ask that brought nothing better (F4), or NULL. What memory
 * holds may have come since the ask began: from a store, or by another flight. */
static struct entry *second_best(struct ask *ask, int64_t now)
{
	struct entry *entry = ask->fallback;

	ask->fallback = NULL;
	if (entry == NULL && ask->may_store)
		entry = cache_get(ask->front->common->cache, key_bytes(&ask->key), ask->hash);
	if (entry != NULL && now < entry->hard_expiry)
		return entry;
	entry_unref(entry);
	return NULL;
}

/* Answers the client that waits for this ask: with the answer given, or else with the second best.
 * Takes entry. */
static void respond(struct ask *ask, struct entry *entry, err_t err)
{
	static const enum reply_verdict of_kind[] = {
	    [ASK_SHARED] = REPLY_MISS, [ASK_REFRESH] = REPLY_REFRESHED, [ASK_ALONE] = REPLY_BYPASS};
	struct answer answer = {.front = ask->front,
				.connection = ask->connection,
				.issuer = ask->issuer,
				.entry = entry,
				.err = err,
				.method = ask->method,
				.verdict = of_kind[ask->kind],
				.detail = ask->kind == ASK_ALONE ? "request" : NULL,
				.minor = ask->minor,
				.now = clock_wall(),
				.us_start = ask->us_start};

	if (ask->request.flags & REQUEST_NONCE && ask->kind == ASK_ALONE)
		answer.detail = "nonce";
	if (entry == NULL && (answer.entry = second_best(ask, answer.now)) != NULL) {
		answer.verdict = REPLY_HIT;
		answer.detail = ask->kind == ASK_ALONE ? "nonce-fallback" : "l1";
	}
	if (err != ERR_DEADLINE) { /* else the back thread still owns these */
		if (answer.entry == entry && ask->verdict != REPLY_MISS) {
			answer.verdict = ask->verdict;
			answer.detail = ask->detail;
		}
		answer.fwd_status = ask->fwd_status;
		answer.is_stored = ask->is_stored;
	}
	connection_set_context(ask->connection, NULL);
	let_go(ask);
	answer_send(&answer);
}

/* The answer that came home, unless it ended on its way (CL-02); else ask->err tells why not. */
static struct entry *take_answer(struct ask *ask)
{
	struct entry *entry = ask->entry;

	ask->entry = NULL;
	if (entry == NULL || clock_wall() < entry->hard_expiry)
		return entry;
	entry_unref(entry);
	ask->err = ERR_RSP_EXPIRED;
	return NULL;
}

/* The responder wants signed requests, and this client's was one: its own octets go there, once,
 * for this client alone (RP-33). */
static bool ask_signed(struct ask *ask)
{
	const struct ask_question question = {.kind = ASK_ALONE,
					      .issuers = ask->issuers,
					      .issuer = ask->issuer,
					      .key = &ask->key,
					      .hash = ask->hash,
					      .der = ask->signed_der};
	struct ask *next;

	if (ask->err != ERR_UP_SIG_REQUIRED || ask->signed_der.len == 0 ||
	    (next = ask_new(&question)) == NULL)
		return false;
	next->may_store = false;
	next->front = ask->front;
	next->connection = ask->connection;
	next->method = ask->method;
	next->minor = ask->minor;
	next->us_start = ask->us_start;
	if (waiting_begin(next, ask->fallback) != OK)
		return false;
	ask->fallback = NULL;
	let_go(ask);
	return true;
}

void waiting_end(struct ask *ask)
{
	if (ask->connection != NULL && !ask_signed(ask)) {
		struct entry *entry = take_answer(ask);

		respond(ask, entry, ask->err);
	}
	ask_free(ask);
}

static void on_deadline(void *arg)
{
	struct ask *ask = arg;

	ask->deadline = NULL;
	respond(ask, NULL, ERR_DEADLINE);
}

void waiting_abandon(struct ask *ask)
{
	if (ask != NULL)
		let_go(ask);
}
