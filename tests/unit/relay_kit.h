/* SPDX-License-Identifier: ISC */
/*
 * A relay on the stage: a front thread, back threads, their tables, and one issuer with its
 * responders; a second issuer has none. kit_prepare sets what a test may change, kit_start makes
 * the relay of it, and the first second is PKI_NOW.
 *
 * One store, one responder, policy_default, no jitter, unless the test says otherwise.
 */
#ifndef OCSPRELAY_TESTS_RELAY_KIT_H
#define OCSPRELAY_TESTS_RELAY_KIT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/counters.h"
#include "base/log.h"
#include "build.h"
#include "core/base64.h"
#include "io/clock.h"
#include "pki.h"
#include "relay/back.h"
#include "relay/front.h"
#include "relay/pace.h"
#include "stage.h"
#include "stage_clients.h"
#include "stage_stores.h"
#include "stage_upstream.h"

#define KIT_SAID   256
#define KIT_URL(n) "http://r" #n ".example/"
#define NO_EXTS	   EMPTY

#if defined(__SANITIZE_ADDRESS__)
#define KIT_FINDS_LEAKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KIT_FINDS_LEAKS 1
#endif
#endif
#ifdef KIT_FINDS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif

static const struct hash_key kit_hash_key = {.k0 = 1, .k1 = 2};

static struct {
	/* before kit_start */
	struct settings settings;
	struct policy policy; /* of the issuer */
	const char *urls[3];  /* of its responders, until NULL */
	unsigned n_watched;   /* kit_serial(0) and on */
	size_t n_stores;
	size_t shared_store; /* its number, from 1; 0: none is shared */

	X509 *ca, *other_ca;
	struct issuers *issuers;
	const struct issuer *issuer;
	struct rules *rules;
	struct common common;
	struct back *backs[4];
	struct front *front;
	struct loop *main_loop;
	unsigned n_notices; /* that came home */
	unsigned n_events[N_EVENTS];
	char said[N_EVENTS][KIT_SAID]; /* the last of each: name=value ... */
} kit;

/* --- the relay -------------------------------------------------------------------------------- */

static inline void kit_on_log(void *arg, enum log_event event, const struct log_field *fields)
{
	(void)arg;
	char *text = kit.said[event];
	size_t len = 0;

	kit.n_events[event]++;
	for (*text = '\0'; fields->name != NULL && len < KIT_SAID; fields++) {
		const char *blank = len > 0 ? " " : "";
		int n = (int)fields->bytes.len;

		if (fields->type == LOG_FIELD_NUMBER)
			n = snprintf(text + len, KIT_SAID - len, "%s%s=%lld", blank, fields->name,
				     (long long)fields->number);
		else if (fields->type == LOG_FIELD_TEXT)
			n = snprintf(text + len, KIT_SAID - len, "%s%s=%.*s", blank, fields->name,
				     n, n > 0 ? (const char *)fields->bytes.p : "");
		else
			n = 0;
		len += (size_t)n;
	}
}

static inline void kit_prepare(void)
{
	static char *everybody[] = {(char *)(uintptr_t) "0.0.0.0/0"};

	stage_open(PKI_NOW);
	log_set_sink(kit_on_log, NULL);
	kit.settings.top.allow = (struct text_list){.items = everybody, .n = 1};
	kit.settings.limits = (struct settings_limits){.max_certids = 8,
						       .max_extensions = 16,
						       .max_upstream_response = 131072,
						       .max_waiters = 1024,
						       .drain_timeout = 10000};
	kit.settings.log.access_sample = 1;
	kit.settings.cache = (struct settings_cache){.memory = 64 << 20, .negative_entries = 10000};
	kit.policy = policy_default;
	kit.urls[0] = KIT_URL(1);
	kit.n_stores = 1;
	kit.common.n_backs = 1;
	kit.ca = pki_cert(&(struct pki_cert){
	    .name = "Test CA", .key = pki_key(PKI_P256, 0), .exts = PKI_CA_EXTS});
	kit.other_ca = pki_cert(&(struct pki_cert){
	    .name = "Other CA", .key = pki_key(PKI_P256, 1), .exts = PKI_CA_EXTS});
}

/* "70" and four digits. */
static inline const char *kit_serial(unsigned n)
{
	char *text = (char *)build_take(8);

	snprintf(text, 8, "70%04x", n & 0xffff);
	return text;
}

static inline void kit_watch(struct issuers *issuers, const struct issuer *issuer)
{
	for (unsigned i = 0; i < kit.n_watched; i++) {
		struct cache_key key;

		key_make(&key, issuer->id, HASH_SHA1, HEX(kit_serial(i)));
		cr_assert_eq(watched_add(issuers_watched(issuers), &key, kit_serial(i)), OK);
	}
	watched_seal(issuers_watched(issuers));
}

/* A table of both issuers, whose first one has the kit's policy and responders. */
static inline struct issuers *kit_issuers(void)
{
	struct issuers *issuers = issuers_new(kit_hash_key);
	struct issuer *issuer = NULL, *other = NULL;

	cr_assert_eq(issuer_new(kit.ca, "test", &issuer), OK);
	cr_assert_eq(issuer_new(kit.other_ca, "other", &other), OK);
	issuer->policy = kit.policy;
	issuer->slot = counter_slot(SCOPE_ISSUER, "issuer=\"test\"");
	for (size_t i = 0; i < N_ELEMENTS(kit.urls) && kit.urls[i] != NULL; i++) {
		cr_assert_eq(issuer_add_responder(issuer, kit.urls[i]), OK);
		issuer->responders[i].slot = counter_slot(SCOPE_RESPONDER, kit.urls[i]);
	}
	cr_assert_eq(issuers_add(issuers, issuer), OK);
	cr_assert_eq(issuers_add(issuers, other), OK);
	cr_assert_eq(issuers_seal(issuers), OK);
	kit_watch(issuers, issuer);
	kit.issuer = issuer;
	return issuers;
}

static inline void kit_on_notice(void *arg, struct message *message)
{
	(void)arg;
	kit.n_notices++;
	notice_free((struct notice *)message);
}

static inline void kit_make_tables(void)
{
	struct common *common = &kit.common;

	common->hash_key = kit_hash_key;
	snprintf(common->pseudonym, sizeof(common->pseudonym), "ocsprelay-kit");
	common->tails = tails_new(kit_hash_key);
	common->cache = cache_new(kit.settings.cache.memory, kit_hash_key);
	common->delegates = delegates_new(1 << 20, kit_hash_key);
	common->negative = negative_new(kit.settings.cache.negative_entries, kit_hash_key);
	common->asked_anew = negative_new(100, kit_hash_key);
	common->nonces = pace_new(16, 100, 20);
	common->responders = responders_new();
	common->trouble = trouble_new();
	common->addresses = addresses_new(kit_hash_key);
	common->stores = calloc(kit.n_stores + 1, sizeof(struct store_shared *));
	for (; common->n_stores < kit.n_stores; common->n_stores++)
		common->stores[common->n_stores] =
		    store_open(common->n_stores + 1 == kit.shared_store ? "redis:" : "lmdb:", NULL);
	common->backs = kit.backs;
	kit.main_loop = loop_new();
	common->main_mailbox = mailbox_new(kit.main_loop, 0, kit_on_notice, NULL);
}

static inline void kit_start(void)
{
	kit.issuers = kit_issuers();
	kit.rules = rules_new(&kit.settings, kit.issuers);
	kit_make_tables();
	for (unsigned i = 0; i < kit.common.n_backs; i++) {
		kit.backs[i] = back_new(&kit.common, kit.rules);
		cr_assert_not_null(kit.backs[i]);
	}
	kit.front = front_new(&kit.common, kit.rules);
	cr_assert_not_null(kit.front);
}

static inline void kit_open(void)
{
	kit_prepare();
	kit_start();
}

static inline void kit_close(void)
{
	struct common *common = &kit.common;

	front_free(kit.front);
	for (unsigned i = 0; i < common->n_backs; i++)
		back_free(kit.backs[i]);
	for (size_t i = 0; i < common->n_stores; i++)
		store_close(common->stores[i]);
	free(common->stores);
	mailbox_free(common->main_mailbox, notice_drop, NULL);
	loop_free(kit.main_loop);
	cache_free(common->cache);
	tails_free(common->tails); /* asserts that no entry is left */
	delegates_free(common->delegates);
	negative_free(common->negative);
	negative_free(common->asked_anew);
	pace_free(common->nonces);
	responders_free(common->responders);
	trouble_free(common->trouble);
	addresses_free(common->addresses);
	rules_unref(kit.rules);
	issuers_unref(kit.issuers);
	log_set_sink(NULL, NULL);
	stage_close();
#ifdef KIT_FINDS_LEAKS
	cr_expect_eq(__lsan_do_recoverable_leak_check(), 0, "leaks");
#endif
}

/* --- requests --------------------------------------------------------------------------------- */

static inline struct slice kit_certid(X509 *ca, const char *serial, enum hash_alg alg)
{
	const struct certid certid = pki_certid(ca, serial, alg);
	uint8_t der[MAX_CERTID_LEN];

	return CAT(slice_of(der, certid_encode(der, &certid)));
}

/* OCSPRequest out of its CertIDs, each a Request, and its Extensions, one after the other. */
static inline struct slice kit_request(const struct slice *certids, size_t n, struct slice exts)
{
	struct slice requests = EMPTY;

	for (size_t i = 0; i < n; i++)
		requests = CAT(requests, TLV(DER_SEQUENCE, certids[i]));
	if (exts.len > 0)
		exts = TLV(DER_CONTEXT_0 + 2, TLV(DER_SEQUENCE, exts));
	return TLV(DER_SEQUENCE, TLV(DER_SEQUENCE, TLV(DER_SEQUENCE, requests), exts));
}

/* The minimal request, or one with these Extensions. */
static inline struct slice kit_about(const char *serial, struct slice exts)
{
	const struct slice certid = kit_certid(kit.ca, serial, HASH_SHA1);

	return kit_request(&certid, 1, exts);
}

static inline struct slice kit_ext(const char *oid, bool critical, struct slice value)
{
	return TLV(DER_SEQUENCE, TLV(DER_OID, HEX(oid)), critical ? HEX("0101ff") : EMPTY,
		   TLV(DER_OCTET_STRING, value));
}

static inline struct slice kit_nonce(const char *hex)
{
	return kit_ext("2b0601050507300102", false, TLV(DER_OCTET_STRING, HEX(hex)));
}

static inline void kit_key(const char *serial, struct cache_key *out)
{
	key_make(out, kit.issuer->id, HASH_SHA1, HEX(serial));
}

/* --- clients ---------------------------------------------------------------------------------- */

/* On its way, and already answered if nobody else is needed for that. */
static inline struct connection *kit_send(struct slice der, unsigned flags)
{
	const struct http_request http = {.method = HTTP_POST,
					  .minor = 1,
					  .flags = HTTP_KEEP_ALIVE | flags,
					  .target = slice_text("/"),
					  .content_length = der.len};
	struct connection *client = stage_connect(kit.front->server);

	stage_ask(client, &http, der);
	return client;
}

static inline struct connection *kit_get(enum http_method method, struct slice der,
					 struct slice if_none_match)
{
	char *target = (char *)build_take(2 * der.len + 8);
	const struct http_request http = {.method = method,
					  .minor = 1,
					  .flags = HTTP_KEEP_ALIVE,
					  .target = slice_of(target, 1 + base64_len(der.len)),
					  .if_none_match = if_none_match};
	struct connection *client = stage_connect(kit.front->server);

	target[0] = '/';
	base64_encode(target + 1, der);
	stage_ask(client, &http, EMPTY);
	return client;
}

/* And what follows from it at once has happened. */
static inline struct connection *kit_post(struct slice der, unsigned flags)
{
	struct connection *client = kit_send(der, flags);

	stage_pass(0);
	return client;
}

/* What is due is refreshed (relay/refresher.c). */
static inline void kit_tick(void)
{
	stage_pass(250);
}

static inline struct connection *kit_ask(const char *serial)
{
	return kit_post(kit_about(serial, NO_EXTS), 0);
}

static inline void kit_expect_at(int line, const struct connection *client, struct slice body,
				 const char *cache_status)
{
	cr_assert_eq(stage_answers(client), 1, "line %d: %u answers", line, stage_answers(client));
	cr_expect(slice_eq(stage_body(client), body), "line %d: another body, of %zu octets", line,
		  stage_body(client).len);
	cr_expect_str_eq(stage_field(client, "Cache-Status"), cache_status, "line %d: %s", line,
			 stage_field(client, "Cache-Status"));
}

/* The one answer of client: these octets, and this Cache-Status. */
#define kit_expect(client, body, cache_status) kit_expect_at(__LINE__, client, body, cache_status)

/* Of the answer to a hit that ends in so many seconds. */
#define KIT_HIT(ttl)	  "ocsprelay; hit; ttl=" #ttl "; detail=l1"
#define KIT_HIT_DISK(ttl) "ocsprelay; hit; ttl=" #ttl "; detail=disk"
#define KIT_MISS	  "ocsprelay; fwd=miss; fwd-status=200; stored"
#define KIT_COLLAPSED	  KIT_MISS "; collapsed"
#define KIT_REFRESHED	  "ocsprelay; fwd=stale; fwd-status=200; stored"
#define KIT_NEGATIVE	  "ocsprelay; hit; detail=negative"
#define TRY_LATER	  response_error(OCSP_TRY_LATER)
#define INTERNAL_ERROR	  response_error(OCSP_INTERNAL_ERROR)
#define UNAUTHORIZED	  response_error(OCSP_UNAUTHORIZED)
#define SIG_REQUIRED	  response_error(OCSP_SIG_REQUIRED)
#define MALFORMED_REQUEST response_error(OCSP_MALFORMED_REQUEST)

/* --- responders ------------------------------------------------------------------------------- */

/* Signed by the CA; what singles leave open is that of the kit's issuer. */
static inline struct slice kit_signed(const struct pki_single *singles, size_t n, struct slice exts)
{
	struct pki_single copies[4];

	cr_assert_leq(n, N_ELEMENTS(copies));
	for (size_t i = 0; i < n; i++) {
		copies[i] = singles[i];
		copies[i].issuer = kit.ca;
	}
	return pki_response(&(struct pki_response){.singles = copies,
						   .n_singles = n,
						   .responder = kit.ca,
						   .key = pki_key(PKI_P256, 0),
						   .produced_at = copies[0].this_update,
						   .exts = exts});
}

/* good, valid from and until so many seconds from now. */
static inline struct slice kit_good(const char *serial, int64_t from, int64_t until)
{
	return kit_signed(&(struct pki_single){.serial = serial,
					       .this_update = clock_wall() + from,
					       .next_update = clock_wall() + until},
			  1, NO_EXTS);
}

/* The last request ends so, and what follows from it at once has happened. */
static inline void kit_end(const struct upstream_answer *answer)
{
	cr_assert_gt(stage_upstream.n_requests, 0);
	stage_answer(stage_upstream.n_requests - 1, answer);
	stage_pass(0);
}

static inline void kit_answer(struct slice body)
{
	kit_end(&(struct upstream_answer){.http_status = 200, .body = body});
}

static inline void kit_refuse(unsigned http_status)
{
	kit_end(&(struct upstream_answer){.err = ERR_UP_HTTP, .http_status = http_status});
}

/* A client asks about serial and the answer is in memory, valid from and until so many seconds
 * from now. */
static inline struct slice kit_store(const char *serial, int64_t from, int64_t until)
{
	struct slice response = kit_good(serial, from, until);
	struct connection *client = kit_ask(serial);

	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	return response;
}

#endif
