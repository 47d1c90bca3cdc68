/* SPDX-License-Identifier: ISC */
/*
 * The exchange: DECODE, KEY, LOOKUP, ADMIT, JOIN, RESPOND. A hit runs from the first step to the
 * last without allocating, locking more than a look-up, or asking anybody.
 */
#include "relay/exchange.h"

#include <string.h>

#include "base/counters.h"
#include "base/log.h"
#include "core/get_target.h"
#include "io/clock.h"
#include "relay/answer.h"
#include "relay/ask.h"
#include "relay/back.h"
#include "relay/front.h"
#include "relay/pace.h"
#include "relay/refresher.h"
#include "relay/step.h"
#include "relay/waiting.h"

struct exchange {
	struct front *front;
	struct connection *connection;
	const struct http_request *http;
	struct slice body;
	struct ocsp_request request;
	const struct issuer *issuer;
	struct cache_key key;
	uint64_t hash;
	struct entry *entry;	/* one reference: the answer */
	struct entry *fallback; /* one reference: still valid, the answer if no better one comes */
	enum ask_kind kind;	/* how JOIN asks */
	bool is_verbatim;	/* the upstream request is the client's own octets */
	bool wants_nonce;	/* the upstream request carries the client's nonce */
	enum reply_verdict verdict;
	const char *detail; /* of entry, static */
	err_t err;
	int64_t now; /* wall clock, seconds */
	int64_t us_start;
};

static enum step decode(struct exchange *x);
static enum step find_key(struct exchange *x);
static enum step look_up(struct exchange *x);
static enum step admit(struct exchange *x);
static enum step join(struct exchange *x);
static void respond(struct exchange *x);

static enum step (*const steps[])(struct exchange *) = {
    decode,   /* HTTP message -> OCSP request -> CertID */
    find_key, /* CertID -> issuer in the table -> cache key */
    look_up,  /* memory cache, then remembered failures */
    admit,    /* shed what one client asks too much of */
    join,     /* hand the key to its back thread, wait for the flight */
};

static enum step fail(struct exchange *x, err_t err)
{
	x->err = err;
	return STEP_FAIL;
}

/* What was valid when we looked becomes the answer. */
static enum step take_fallback(struct exchange *x)
{
	x->entry = x->fallback;
	x->fallback = NULL;
	x->verdict = REPLY_HIT;
	x->detail = x->wants_nonce ? "nonce-fallback" : "l1";
	return STEP_DONE;
}

void exchange_begin(struct front *front, struct connection *connection,
		    const struct http_request *http, struct slice body)
{
	struct exchange x = {.front = front,
			     .connection = connection,
			     .http = http,
			     .body = body,
			     .verdict = REPLY_MISS,
			     .now = clock_wall(),
			     .us_start = clock_mono_us()};
	enum step step = STEP_NEXT;

	for (size_t i = 0; step == STEP_NEXT && i < N_ELEMENTS(steps); i++)
		step = steps[i](&x);
	if (step == STEP_FAIL && x.fallback != NULL)
		step = take_fallback(&x); /* F4 */
	if (step != STEP_WAIT)
		respond(&x);
	entry_unref(x.fallback);
}

static enum step decode(struct exchange *x)
{
	const struct settings_limits *settings = &x->front->rules->settings->limits;
	const struct ocsp_request_limits limits = {.max_certids = (unsigned)settings->max_certids,
						   .max_extensions =
						       (unsigned)settings->max_extensions};
	err_t err;

	if (x->http->flags & HTTP_LOOP)
		return fail(x, ERR_LOOP);
	if (x->http->method == HTTP_POST)
		err = ocsp_request_parse(x->body, &limits, &x->request);
	else
		err = get_target_decode(x->http->target, &limits, x->front->scratch, &x->request);
	return err == OK ? STEP_NEXT : fail(x, err);
}

static enum step find_key(struct exchange *x)
{
	const struct issuers *issuers = x->front->rules->issuers;
	const struct issuer *other;
	err_t err = issuers_find(issuers, &x->request.certids[0], &x->issuer);

	if (err == ERR_ISSUER_NAME)
		LOG(ISSUER_NAME, LOG_HEX("key_hash", x->request.certids[0].key_hash));
	if (err != OK)
		return fail(x, err);
	for (unsigned i = 1; i < x->request.n_certids; i++) {
		err = issuers_find(issuers, &x->request.certids[i], &other);
		if (err != OK || other != x->issuer)
			return fail(x, err != OK ? err : ERR_ISSUER_SEVERAL);
	}
	key_make(&x->key, x->issuer->id, x->request.certids[0].alg, x->request.certids[0].serial);
	x->hash = cache_hash(x->front->common->cache, key_bytes(&x->key));
	return STEP_NEXT;
}

/* Whether the client's nonce is sent on to the responder (NO-02 to NO-04): not to one that is known
 * to do without, and no more of them than a responder stands (NO-07). */
static bool forwards_nonce(const struct exchange *x)
{
	const struct common *common = x->front->common;
	const struct issuer *issuer = x->issuer;
	int64_t ms_now = x->us_start / 1000;

	if (issuer->policy.nonce == NONCE_IGNORE || issuer->n_responders == 0)
		return false;
	if (issuer->policy.nonce == NONCE_AUTO &&
	    responder_get(common->responders, issuer->responders[0].url, ms_now).skips_nonce)
		return false;
	return pace_take(common->nonces, issuer->responders[0].slot, ms_now);
}

/* Requests whose answer is for them alone: they go around the cache (RP-34, RP-40 to RP-42). */
static bool needs_own_flight(const struct exchange *x)
{
	return x->request.n_certids > 1 ||
	       (x->request.flags & (REQUEST_CRITICAL | REQUEST_NOT_BASIC | REQUEST_PREFERS_ALGS)) !=
		   0;
}

/* Whether the client's no-cache is taken up: for a copy that is older than a minute, and once a
 * minute for each key, whatever comes of it (HS-25). */
static bool may_ask_anew(const struct exchange *x)
{
	const int64_t seconds = 60;
	struct negative *asked = x->front->common->asked_anew;
	int64_t ms_now = x->us_start / 1000;

	if (!(x->http->flags & HTTP_NO_CACHE) || x->now - x->fallback->fetched_at <= seconds ||
	    negative_get(asked, key_bytes(&x->key), ms_now) != OK)
		return false;
	negative_put(asked, key_bytes(&x->key), ERR_AGAIN, ms_now + seconds * 1000, ms_now);
	return true;
}

/* Whether to fetch although something is at hand. */
static bool wants_newer(const struct exchange *x, enum freshness freshness)
{
	if (freshness == ENDING)
		return entry_claim_refresh(x->fallback, x->now,
					   x->now + x->issuer->policy.ms_deadline / 1000 + 1);
	return may_ask_anew(x);
}

/* What memory holds and is valid becomes the fallback. */
static enum freshness look_into_cache(struct exchange *x)
{
	struct entry *entry = cache_get(x->front->common->cache, key_bytes(&x->key), x->hash);
	enum freshness freshness = EXPIRED;

	if (entry != NULL)
		freshness = freshness_of(entry->refresh_at, entry->hard_expiry,
					 x->issuer->policy.expiry_margin, x->now);
	if (freshness == EXPIRED)
		entry_unref(entry);
	else
		x->fallback = entry;
	return freshness;
}

static enum step ask_by(struct exchange *x, enum ask_kind kind)
{
	x->kind = kind;
	return STEP_NEXT;
}

static enum step ask_verbatim(struct exchange *x)
{
	x->is_verbatim = true;
	return ask_by(x, ASK_ALONE);
}

/* Nothing is at hand: is the failure known already? */
static enum step look_into_failures(struct exchange *x)
{
	x->err = negative_get(x->front->common->negative, key_bytes(&x->key), x->us_start / 1000);
	if (x->err == OK)
		return STEP_NEXT;
	if (x->err == ERR_UP_SIG_REQUIRED && x->request.flags & REQUEST_SIGNED)
		return ask_verbatim(x); /* that was said to one that is not (RP-33) */
	x->verdict = REPLY_NEGATIVE;
	return STEP_FAIL;
}

/* For a client that wants nothing fetched (HS-26). */
static enum step look_up_only(struct exchange *x)
{
	if (needs_own_flight(x) || look_into_cache(x) == EXPIRED)
		return fail(x, ERR_ONLY_IF_CACHED);
	return take_fallback(x);
}

static enum step look_up(struct exchange *x)
{
	enum freshness freshness;

	if (x->request.flags & REQUEST_NONCE && x->issuer->policy.nonce == NONCE_REJECT)
		return fail(x, ERR_REQ_NONCE_POLICY);
	if (x->http->flags & HTTP_ONLY_IF_CACHED)
		return look_up_only(x);
	if (needs_own_flight(x))
		return ask_verbatim(x);
	freshness = look_into_cache(x);
	x->wants_nonce = x->request.flags & REQUEST_NONCE && forwards_nonce(x);
	if (x->wants_nonce)
		return ask_by(x, ASK_ALONE);
	if (freshness == EXPIRED)
		return look_into_failures(x);
	if (wants_newer(x, freshness))
		return ask_by(x, ASK_REFRESH);
	if (freshness == DUE)
		refresher_plan(x->front->common, x->fallback);
	return take_fallback(x);
}

/* Whether this client may cause one more fetch, or wait for one (SL-09). Those who wait for a newer
 * answer than the one at hand are hits; what they cause is bounded for each key. */
static enum step admit(struct exchange *x)
{
	uint64_t per_second = x->front->rules->settings->limits.miss_rate_per_client;

	if (per_second == 0 || x->kind == ASK_REFRESH ||
	    addresses_take_miss(x->front->common->addresses, connection_address(x->connection),
				per_second, x->us_start))
		return STEP_NEXT;
	LOG(OVERLOAD, LOG_TEXT("issuer", x->issuer->label),
	    LOG_TEXT("client", connection_peer(x->connection)), LOG_REASON(ERR_OVERLOAD_CLIENT));
	return fail(x, ERR_OVERLOAD_CLIENT);
}

/* The upstream request: minimal, unless the answer must be for the very octets of the client. */
static struct slice upstream_request(const struct exchange *x, uint8_t *der, size_t cap)
{
	struct slice nonce = x->wants_nonce ? x->request.nonce_ext : slice_of(NULL, 0);
	size_t len;

	if (x->is_verbatim)
		return x->request.der;
	if (ocsp_request_encode(&x->request.certids[0], nonce, der, cap, &len) != OK)
		return slice_of(NULL, 0);
	return slice_of(der, len);
}

static enum step join(struct exchange *x)
{
	uint8_t der[MAX_MINIMAL_REQUEST_LEN + MAX_NONCE_LEN + 64];
	struct ask_question question = {.kind = x->kind,
					.issuers = x->front->rules->issuers,
					.issuer = x->issuer,
					.key = &x->key,
					.hash = x->hash,
					.der = upstream_request(x, der, sizeof(der))};
	struct ask *ask;
	err_t err;

	if (x->request.flags & REQUEST_SIGNED && !x->is_verbatim)
		question.signed_der = x->request.der;
	ask = ask_new(&question);
	if (ask == NULL)
		return fail(x, ERR_NO_MEMORY);
	ask->may_store = !x->is_verbatim;
	ask->no_cache = (x->http->flags & HTTP_NO_CACHE) && x->kind == ASK_REFRESH;
	ask->front = x->front;
	ask->connection = x->connection;
	ask->method = x->http->method;
	ask->minor = x->http->minor;
	ask->us_start = x->us_start;
	err = waiting_begin(ask, x->fallback);
	if (err != OK)
		return fail(x, err);
	x->fallback = NULL;
	return STEP_WAIT;
}

static void respond(struct exchange *x)
{
	struct answer answer = {.front = x->front,
				.connection = x->connection,
				.http = x->http,
				.issuer = x->issuer,
				.entry = x->entry,
				.err = x->err,
				.method = x->http->method,
				.verdict = x->verdict,
				.detail = x->detail,
				.minor = x->http->minor,
				.now = x->now,
				.us_start = x->us_start};

	answer_send(&answer);
}

void exchange_refuse(struct front *front, struct connection *connection, err_t err,
		     const struct http_request *http)
{
	struct answer answer = {.front = front,
				.connection = connection,
				.err = err,
				.method = http ? http->method : HTTP_GET,
				.verdict = REPLY_MISS,
				.minor = http ? http->minor : 1,
				.now = clock_wall(),
				.us_start = clock_mono_us()};

	answer_send(&answer);
}
