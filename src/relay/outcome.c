/* SPDX-License-Identifier: ISC */
/* Telling what responders did. */
#include "relay/outcome.h"

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "core/der.h"
#include "io/clock.h"
#include "relay/back.h"
#include "relay/health.h"
#include "relay/oddities.h"

#define MAX_SHOWN 200 /* octets of a strange body (rule HC-07) */

/* What a responder may rightly say; everything else counts against its health. */
static bool is_its_right(err_t err)
{
	return err == OK || err == ERR_UP_UNAUTHORIZED || err == ERR_UP_SIG_REQUIRED ||
	       err == ERR_UP_MALFORMED;
}

/* Whether the outcome tells something about the responder. What it makes of a client's own words,
 * if anything, is up to the client, who could otherwise have it left out for all (HC-12). */
static bool tells_health(const struct ask *question, const struct upstream_answer *answer,
			 err_t err)
{
	return is_its_right(err) || answer->http_status == 0 || !ask_is_verbatim(question);
}

static void log_failure(const struct issuer *issuer, const struct issuer_responder *responder,
			const struct upstream_answer *answer, err_t err)
{
	if (err >= ERR_RSP_DER && err <= ERR_RSP_SIGNATURE) {
		counter_add(METRIC_VERIFY_FAILURES, issuer->slot, (unsigned)err, 0, 1);
		LOG(RESPONSE_REFUSED, LOG_TEXT("issuer", issuer->label),
		    LOG_TEXT("responder", responder->url), LOG_REASON(err),
		    LOG_TEXT("why", err_row(err)->text));
		return;
	}
	LOG(FETCH_FAILED, LOG_TEXT("issuer", issuer->label), LOG_TEXT("responder", responder->url),
	    LOG_REASON(err), LOG_NUMBER("http", answer->http_status),
	    LOG_TEXT("why", answer->detail ? answer->detail : ""));
}

/* A page of some portal, an empty file, the wrong format: whoever looks for it wants to see it.
 * Other statuses than 200 are OK only with a body that looks like OCSP (HC-06). */
static void log_strange_body(const struct issuer *issuer, const struct issuer_responder *responder,
			     const struct upstream_answer *answer)
{
	if (answer->err != OK || (answer->body.len > 0 && answer->body.p[0] == DER_SEQUENCE))
		return;
	LOG(BODY_STRANGE, LOG_TEXT("issuer", issuer->label), LOG_TEXT("responder", responder->url),
	    LOG_TEXT("type", answer->content_type), LOG_NUMBER("octets", answer->body.len),
	    LOG_SLICE("body", slice_take(answer->body, MAX_SHOWN)));
}

static void begin_outage(struct back *back, const char *url, int64_t ms_now)
{
	const struct issuers *issuers = back->rules->issuers;

	health_note(back->common, issuers, url, ms_now);
	responder_set_mark(back->common->responders, url, health_saved(back->common, issuers, url));
}

/* What the cache has saved: all that clients were given while no responder of their issuer worked,
 * which is nothing as long as another one did. */
static void end_outage(struct back *back, const struct issuer *issuer, const char *url,
		       int64_t ms_now)
{
	const struct issuers *issuers = back->rules->issuers;
	struct responder_state state = responder_get(back->common->responders, url, ms_now);
	uint64_t n_saved = health_saved(back->common, issuers, url);

	health_note(back->common, issuers, url, ms_now);
	LOG(RESPONDER_UP, LOG_TEXT("issuer", issuer->label), LOG_TEXT("responder", url),
	    LOG_NUMBER("seconds", state.ms_was_down / 1000),
	    LOG_NUMBER("saved", n_saved > state.mark ? n_saved - state.mark : 0));
}

void outcome_report(struct back *back, const struct ask *question, size_t responder,
		    const struct upstream_answer *answer, err_t err)
{
	const struct issuer *issuer = question->issuer;
	const struct issuer_responder *which = &issuer->responders[responder];

	counter_add(METRIC_UPSTREAM_REQUESTS, which->slot, (unsigned)err, 0, 1);
	counter_observe(METRIC_UPSTREAM_SECONDS, which->slot, 0, (uint64_t)answer->us_taken);
	oddities_of_answer(question, responder, answer);
	log_strange_body(issuer, which, answer);
	if (err != OK)
		log_failure(issuer, which, answer, err);
	if (err != OK && answer->retry_after > 0)
		responder_set_not_before(back->common->responders, which->url,
					 clock_mono_ms() + answer->retry_after * 1000);
}

void outcome_note_health(struct back *back, const struct ask *question, size_t responder,
			 const struct upstream_answer *answer, err_t err)
{
	const struct issuer *issuer = question->issuer;
	const struct issuer_responder *which = &issuer->responders[responder];
	int64_t ms_now = clock_mono_ms();

	if (!tells_health(question, answer, err))
		return;
	switch (responder_report(back->common->responders, which->url, is_its_right(err), ms_now)) {
	case RESPONDER_WENT_DOWN:
		begin_outage(back, which->url, ms_now);
		LOG(RESPONDER_DOWN, LOG_TEXT("issuer", issuer->label),
		    LOG_TEXT("responder", which->url), LOG_REASON(err));
		break;
	case RESPONDER_CAME_BACK:
		end_outage(back, issuer, which->url, ms_now);
		break;
	case RESPONDER_SAME:
		break;
	}
}
