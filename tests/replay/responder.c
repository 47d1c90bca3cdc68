/* SPDX-License-Identifier: ISC */
/* What responders do with requests. */
#include "responder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "base/bytes.h"
#include "io/clock.h"
#include "io/upstream.h"
#include "stage.h"
#include "tally.h"

#define MS_USUAL 20 /* until an answer */

enum mood { /* what comes instead of an answer in order */
	ANSWERS,
	REFUSES,
	HANGS,
	DROPS,	   /* what is sent to it, also when a connection is wanted */
	SAYS_HTTP, /* with this status */
	SAYS_OCSP,
	GIVES
};

struct responder {
	char name[24], url[48];
	enum mood mood;
	unsigned status; /* SAYS_xxx */
	char what[24];	 /* GIVES */
	int64_t retry_after;
	int64_t ms_takes, valid, every, ahead; /* ahead: of true time, its clock; may be negative */
	int64_t stands_at; /* its answers do not get newer than that; 0: they do */
	int64_t ms_flap_since, ms_up, ms_down;
	struct upstream_hints hints;
	bool has_etags, echoes_nonce, refuses_get;
	struct given {
		struct slice octets;
		struct statement said;
		int64_t valid;
	} * given; /* the last one for each certificate and algorithm that is not broken */
	size_t n_given;
};

static struct responder responders[MAX_RESPONDERS];
static size_t n_responders;

void responder_add(const char *name)
{
	struct responder *responder = &responders[n_responders++];

	if (n_responders > MAX_RESPONDERS)
		script_fail("too many responders");
	*responder = (struct responder){.valid = 7 * 86400, .ms_takes = MS_USUAL};
	snprintf(responder->name, sizeof(responder->name), "%s", name);
	snprintf(responder->url, sizeof(responder->url), "http://%s.example/", name);
}

bool responder_find(const char *name, size_t *out)
{
	for (size_t i = 0; i < n_responders; i++) {
		if (strcmp(responders[i].name, name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

const char *responder_url(size_t responder)
{
	return responders[responder].url;
}

const char *responder_name(size_t responder)
{
	return responders[responder].name;
}

size_t responder_count(void)
{
	return n_responders;
}

void responder_close(void)
{
	for (size_t i = 0; i < n_responders; i++) {
		for (size_t j = 0; j < responders[i].n_given; j++)
			free((void *)(uintptr_t)responders[i].given[j].octets.p);
		free(responders[i].given);
	}
}

/* --- statements ------------------------------------------------------------------------------- */

static void set_mood(struct responder *responder, enum mood mood)
{
	responder->mood = mood;
	responder->retry_after = 0;
	responder->ms_up = responder->ms_down = 0;
}

static void say(struct responder *responder, struct words *words)
{
	static const char *const errors[] = {[OCSP_MALFORMED_REQUEST] = "malformedRequest",
					     [OCSP_INTERNAL_ERROR] = "internalError",
					     [OCSP_TRY_LATER] = "tryLater",
					     [OCSP_SIG_REQUIRED] = "sigRequired",
					     [OCSP_UNAUTHORIZED] = "unauthorized"};
	const char *what = words_next(words, "an HTTP status or an OCSP error");

	set_mood(responder, SAYS_HTTP);
	responder->status = (unsigned)strtoul(what, NULL, 10);
	for (unsigned i = 0; i < N_ELEMENTS(errors); i++) {
		if (errors[i] != NULL && strcmp(errors[i], what) == 0) {
			responder->mood = SAYS_OCSP;
			responder->status = i;
		}
	}
	if (responder->status == 0)
		script_fail("'%s' is neither an HTTP status nor an OCSP error", what);
	if (words_take(words, "retry-after"))
		responder->retry_after = words_duration(words) / 1000;
}

static void flap(struct responder *responder, struct words *words)
{
	set_mood(responder, ANSWERS);
	responder->ms_up = words_duration(words);
	if (!words_take(words, "up"))
		script_fail("'flaps 10s up 20s down' is meant");
	responder->ms_down = words_duration(words);
	if (!words_take(words, "down"))
		script_fail("'flaps 10s up 20s down' is meant");
	responder->ms_flap_since = clock_mono_ms();
}

static void hint(struct responder *responder, struct words *words)
{
	if (words_take(words, "no-store"))
		responder->hints.flags |= HINT_NO_STORE;
	else if (words_take(words, "no-cache"))
		responder->hints.flags |= HINT_NO_CACHE;
	else if (words_take(words, "nothing"))
		responder->hints.flags = 0;
	else if (words_take(words, "max-age")) {
		responder->hints.flags |= HINT_MAX_AGE;
		responder->hints.max_age = words_duration(words) / 1000;
	} else
		script_fail("it hints at no-store, no-cache, max-age or nothing");
}

/* Lasting habits; false: it is none of them. */
static bool take_habit(struct responder *responder, struct words *words)
{
	if (words_take(words, "takes"))
		responder->ms_takes = words_duration(words);
	else if (words_take(words, "valid"))
		responder->valid = words_take(words, "for-ever") ? 0 : words_duration(words) / 1000;
	else if (words_take(words, "every"))
		responder->every = words_duration(words) / 1000;
	else if (words_take(words, "clock"))
		responder->ahead = words_duration(words) / 1000;
	else if (words_take(words, "stands-still"))
		responder->stands_at = authority_now() + responder->ahead;
	else if (words_take(words, "goes-on"))
		responder->stands_at = 0;
	else if (words_take(words, "hints"))
		hint(responder, words);
	else if (words_take(words, "has-etags"))
		responder->has_etags = true;
	else if (words_take(words, "echoes-nonces"))
		responder->echoes_nonce = true;
	else if (words_take(words, "ignores-nonces"))
		responder->echoes_nonce = false;
	else if (words_take(words, "refuses-get"))
		responder->refuses_get = true;
	else
		return false;
	return true;
}

static void take_mood(struct responder *responder, struct words *words)
{
	if (words_take(words, "answers"))
		set_mood(responder, ANSWERS);
	else if (words_take(words, "refuses"))
		set_mood(responder, REFUSES);
	else if (words_take(words, "hangs"))
		set_mood(responder, HANGS);
	else if (words_take(words, "drops"))
		set_mood(responder, DROPS);
	else if (words_take(words, "says"))
		say(responder, words);
	else if (words_take(words, "flaps"))
		flap(responder, words);
	else if (words_take(words, "gives")) {
		set_mood(responder, GIVES);
		snprintf(responder->what, sizeof(responder->what), "%s",
			 words_next(words, "what it gives"));
	} else
		script_fail("'%s' is nothing that a responder does",
			    words_next(words, "what it does"));
}

void responder_behave(size_t responder, struct words *words)
{
	do {
		if (!take_habit(&responders[responder], words))
			take_mood(&responders[responder], words);
	} while (words_take(words, ","));
	words_end(words);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* thisUpdate of an answer of now. */
static int64_t signing_time(const struct responder *responder)
{
	int64_t at = authority_now() + responder->ahead;

	if (responder->stands_at != 0 && at > responder->stands_at)
		at = responder->stands_at;
	return responder->every > 0 ? at - at % responder->every : at;
}

static struct given *given_for(struct responder *responder, size_t cert, enum hash_alg alg)
{
	if (responder->n_given == 0) {
		responder->n_given = authority.n_certs * N_HASH_ALGS;
		responder->given = calloc(responder->n_given, sizeof(*responder->given));
	}
	return &responder->given[cert * N_HASH_ALGS + alg];
}

/* The answer in order: the one of this signing time, or a new one. */
static const struct given *give(struct responder *responder, size_t cert, enum hash_alg alg)
{
	struct given *given = given_for(responder, cert, alg);
	const struct authority_order order = {
	    .cert = cert, .alg = alg, .at = signing_time(responder), .valid = responder->valid};

	if (given->octets.p != NULL && given->said.this_update == order.at &&
	    given->valid == order.valid)
		return given;
	free((void *)(uintptr_t)given->octets.p);
	given->octets = authority_sign(&order);
	given->valid = order.valid;
	if (!authority_recall(given->octets, &given->said))
		abort();
	return given;
}

struct delivery { /* an answer on its way */
	struct upstream_answer answer;
	struct slice body; /* owned */
	char etag[24];
};

static void give_instead(const struct responder *responder, const struct authority_order *model,
			 struct delivery *out)
{
	struct authority_order order = *model;
	const char *what = responder->what;

	if (strcmp(what, "html") == 0) {
		out->body = stage_copy(slice_text("<html>Please log in</html>"));
		return;
	}
	if (strcmp(what, "nothing") == 0) {
		out->body = stage_copy(slice_of(NULL, 0));
		return;
	}
	if (strcmp(what, "badly-signed") == 0)
		order.is_broken = true;
	else if (strcmp(what, "another's") == 0)
		order.cert = order.cert > 0 ? order.cert - 1 : order.cert + 1;
	else if (strcmp(what, "expired") == 0)
		order.at -= order.valid + 1;
	else if (strcmp(what, "half") != 0)
		script_fail("nobody gives '%s'", what);
	out->body = authority_sign(&order);
	if (strcmp(what, "half") == 0)
		out->body.len /= 2;
}

static void give_in_order(struct responder *responder, const struct authority_order *order,
			  struct slice etag, struct delivery *out)
{
	const struct given *given;

	if (responder->echoes_nonce && order->nonce_ext.len > 0) {
		out->body = authority_sign(order);
		return;
	}
	given = give(responder, order->cert, order->alg);
	if (responder->has_etags)
		snprintf(out->etag, sizeof(out->etag), "\"%llx\"",
			 (unsigned long long)(uintptr_t)given->said.this_update);
	if (etag.len > 0 && slice_eq(etag, slice_text(out->etag))) {
		out->answer = (struct upstream_answer){.err = ERR_UP_REDIRECT, .http_status = 304};
		return;
	}
	out->body = stage_copy(given->octets);
}

static bool is_up(const struct responder *responder)
{
	int64_t ms_round = responder->ms_up + responder->ms_down;

	return ms_round == 0 ||
	       (clock_mono_ms() - responder->ms_flap_since) % ms_round < responder->ms_up;
}

static void make_answer(struct responder *responder, const struct upstream_request *request,
			struct delivery *out)
{
	const struct ocsp_request_limits limits = {.max_certids = 8, .max_extensions = 16};
	struct authority_order order = {.at = signing_time(responder), .valid = responder->valid};
	struct ocsp_request question;
	const uint8_t error[] = {0x30, 3, 0x0a, 1, (uint8_t)responder->status};

	out->answer.http_status = 200;
	out->answer.retry_after = responder->retry_after;
	out->answer.date = authority_now() + responder->ahead;
	out->answer.hints = responder->hints;
	if (ocsp_request_parse(request->der, &limits, &question) != OK ||
	    !authority_is_asked(&question.certids[0], &order.cert))
		script_fail("%s was asked about something that does not exist", responder->name);
	order.alg = question.certids[0].alg;
	order.nonce_ext = question.nonce_ext;
	if (responder->mood == SAYS_HTTP || (responder->refuses_get && !request->post)) {
		out->answer.err = ERR_UP_HTTP;
		out->answer.http_status = responder->mood == SAYS_HTTP ? responder->status : 405;
	} else if (responder->mood == SAYS_OCSP) {
		out->body = stage_copy(slice_of(error, sizeof(error)));
	} else if (responder->mood == GIVES) {
		give_instead(responder, &order, out);
	} else {
		give_in_order(responder, &order, request->etag, out);
	}
}

/* --- upstream.h ------------------------------------------------------------------------------- */

struct upstream {
	struct loop *loop;
};

struct transfer {
	upstream_fn *fn;
	void *arg;
	struct timer *timer;
	int64_t ms_started;
	struct delivery delivery;
};

struct upstream *upstream_new(const struct upstream_opts *opts)
{
	struct upstream *upstream = stage_new(sizeof(*upstream));

	upstream->loop = opts->loop;
	return upstream;
}

void upstream_free(struct upstream *upstream)
{
	stage_free(upstream);
}

void transfer_cancel(struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	tally_upstream_end();
	timer_cancel(transfer->timer);
	stage_release(transfer->delivery.body);
	stage_free(transfer);
}

static void arrive(void *arg)
{
	struct transfer *transfer = arg;
	struct delivery delivery = transfer->delivery;
	struct upstream_answer *answer = &delivery.answer;
	upstream_fn *fn = transfer->fn;

	answer->us_taken = (clock_mono_ms() - transfer->ms_started) * 1000;
	answer->body = delivery.body;
	answer->etag = delivery.etag;
	answer->content_type = answer->detail = answer->cache_status = "";
	transfer->timer = NULL;
	transfer->delivery.body = slice_of(NULL, 0);
	arg = transfer->arg;
	transfer_cancel(transfer);
	fn(arg, answer);
	stage_release(delivery.body);
}

static size_t responder_of(const char *url)
{
	for (size_t i = 0; i < n_responders; i++) {
		if (strcmp(responders[i].url, url) == 0)
			return i;
	}
	script_fail("a relay asks %s, which is no responder", url);
}

struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				upstream_fn *fn, void *arg)
{
	size_t i = responder_of(request->url);
	struct responder *responder = &responders[i];
	struct transfer *transfer = stage_new(sizeof(*transfer));
	struct delivery *delivery = &transfer->delivery;
	int64_t ms = responder->ms_takes;

	*transfer = (struct transfer){.fn = fn, .arg = arg, .ms_started = clock_mono_ms()};
	tally_upstream(i);
	if (responder->mood == REFUSES || !is_up(responder)) {
		delivery->answer.err = ERR_UP_UNREACHABLE;
		ms = 1;
	} else if (responder->mood == DROPS) {
		delivery->answer.err = ERR_UP_TIMEOUT;
		ms = request->ms_connect;
	} else if (responder->mood == HANGS || ms >= request->ms_attempt) {
		delivery->answer.err = ERR_UP_TIMEOUT;
		ms = request->ms_attempt;
	} else {
		make_answer(responder, request, delivery);
	}
	transfer->timer = timer_start(upstream->loop, ms, arrive, transfer);
	return transfer;
}
