/* SPDX-License-Identifier: ISC */
/* Requests to responders and what becomes of their answers. */
#include "relay/fetch.h"

#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "relay/back.h"
#include "relay/judge.h"
#include "relay/oddities.h"
#include "relay/outcome.h"

void fetch_init(struct fetch *fetch, struct back *back, const struct ask *question, fetch_fn *wake,
		void *arg)
{
	*fetch = (struct fetch){.back = back, .question = question, .wake = wake, .arg = arg};
	attempts_init(&fetch->attempts, back->common, question);
	fetch->n_removals = cache_removals(back->common->cache);
	if (question->kind == ASK_REFRESH)
		fetch->held =
		    cache_peek(back->common->cache, key_bytes(&question->key), question->hash);
}

void fetch_end(struct fetch *fetch)
{
	transfer_cancel(fetch->transfer);
	entry_unref(fetch->held);
	free(fetch->held_der);
}

static enum step fail(struct fetch *fetch, err_t err)
{
	fetch->err = err;
	return STEP_FAIL;
}

const char *fetch_proxy(const struct issuer *issuer)
{
	if (issuer->proxy == NULL)
		return "";
	return *issuer->proxy != '\0' ? issuer->proxy : "none";
}

/* The ETag of what we have from the very responder that is asked now, in the same way (HC-04). What
 * is about to end is not confirmed but replaced. */
static struct slice etag_of_held(struct fetch *fetch)
{
	const struct ask *ask = fetch->question;
	const struct attempts *attempts = &fetch->attempts;
	const struct entry *held = fetch->held;

	if (held == NULL || attempts->post || attempts->no_cache ||
	    held->responder != ask->issuer->responders[attempts->responder].slot ||
	    clock_wall() >= time_add(held->hard_expiry, -ask->issuer->policy.expiry_margin))
		return slice_of(NULL, 0);
	return entry_etag(held);
}

static void on_transfer(void *arg, const struct upstream_answer *answer)
{
	struct fetch *fetch = arg;

	fetch->transfer = NULL;
	fetch->answer = answer;
	fetch->wake(fetch->arg);
}

enum step fetch_ask(struct fetch *fetch)
{
	const struct ask *ask = fetch->question;
	const struct issuer *issuer = ask->issuer;
	struct attempts *attempts = &fetch->attempts;

	if (!attempts_next(attempts, clock_mono_ms()))
		return fail(fetch, attempts->err);
	fetch->etag = etag_of_held(fetch);
	fetch->transfer =
	    upstream_start(fetch->back->upstream,
			   &(struct upstream_request){.url = attempts_url(attempts),
						      .proxy = fetch_proxy(issuer),
						      .der = ask->request.der,
						      .post = attempts->post,
						      .no_cache = attempts->no_cache,
						      .etag = fetch->etag,
						      .ms_connect = issuer->policy.ms_connect,
						      .ms_attempt = issuer->policy.ms_attempt},
			   on_transfer, fetch);
	return fetch->transfer != NULL ? STEP_WAIT : fail(fetch, ERR_NO_MEMORY);
}

/* What the answer in order says about its responder, besides. */
static void note_habits(const struct fetch *fetch, const struct verdict *verdict)
{
	struct responders *responders = fetch->back->common->responders;
	const char *url = attempts_url(&fetch->attempts);

	if (fetch->attempts.is_post_retry) {
		LOG(RESPONDER_WANTS_POST, LOG_TEXT("responder", url));
		responder_set_wants_post(responders, url, clock_mono_ms());
	}
	if (fetch->question->request.flags & REQUEST_NONCE && !(verdict->flags & VERDICT_NONCE))
		responder_set_skips_nonce(responders, url, clock_mono_ms());
}

/* What the responder answered. One that says that we have it already (304) is taken at its word as
 * if it had sent those octets again: they are judged anew, and no time of theirs grows (CL-20). */
static err_t octets_of_answer(struct fetch *fetch, struct slice *out)
{
	const struct upstream_answer *answer = fetch->answer;

	*out = answer->body;
	if (answer->http_status != 304 || fetch->etag.len == 0)
		return answer->err;
	free(fetch->held_der);
	fetch->held_der = malloc(fetch->held->der_len);
	if (fetch->held_der == NULL)
		return ERR_NO_MEMORY;
	entry_copy_der(fetch->held, fetch->held_der);
	*out = slice_of(fetch->held_der, fetch->held->der_len);
	return OK;
}

static struct entry *entry_of_answer(const struct fetch *fetch, struct slice der,
				     const struct verdict *verdict, const struct lifetime *lifetime)
{
	const struct ask *ask = fetch->question;
	const struct upstream_answer *answer = fetch->answer;
	struct entry_parts parts = {.key = &ask->key,
				    .verdict = verdict,
				    .lifetime = lifetime,
				    .der = der,
				    .responder =
					ask->issuer->responders[fetch->attempts.responder].slot};

	if (answer->http_status == 304)
		parts.etag = fetch->etag;
	else if (!fetch->attempts.post)
		parts.etag = slice_text(answer->etag);
	return entry_new(&parts, fetch->back->common->tails);
}

enum step fetch_judge(struct fetch *fetch, struct entry **out)
{
	const struct ask *ask = fetch->question;
	const struct upstream_answer *answer = fetch->answer;
	const size_t responder = fetch->attempts.responder;
	struct slice der;
	struct verdict verdict;
	struct lifetime lifetime;
	err_t err = octets_of_answer(fetch, &der);

	if (err == OK)
		err = judge_response(fetch->back, ask, der, &verdict);
	outcome_report(fetch->back, ask, responder, answer, err);
	if (err == OK || attempts_note_failure(&fetch->attempts, answer, err))
		outcome_note_health(fetch->back, ask, responder, answer, err);
	if (err != OK)
		return STEP_AGAIN;
	note_habits(fetch, &verdict);
	oddities_of_response(ask, responder, &verdict, der.len);
	lifetime = freshness_lifetime(&verdict, &ask->issuer->policy, &answer->hints, clock_wall(),
				      entropy_jitter());
	lifetime.may_store = lifetime.may_store && ask->may_store;
	fetch->may_store = lifetime.may_store;
	fetch->algs = verdict.algs;
	fetch->http_status = answer->http_status;
	*out = entry_of_answer(fetch, der, &verdict, &lifetime);
	return *out != NULL ? STEP_NEXT : fail(fetch, ERR_NO_MEMORY);
}
