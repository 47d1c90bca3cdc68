/* SPDX-License-Identifier: ISC */
/*
 * Wiring: tables, stores, sockets, threads, and the three things that the main thread does to them
 * while they run: reload, drain, stop. The main thread only sends notices and counts those that
 * come home.
 */
#include "relay/relay.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core/record.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/sockets.h"
#include "relay/back.h"
#include "relay/desk.h"
#include "relay/front.h"
#include "relay/health.h"
#include "relay/pace.h"
#include "relay/rehearsals.h"
#include "relay/runways.h"

#define MAX_RESPONDERS 4096 /* slots that counters give */
#define MS_PER_NONCE   100  /* rule NO-07 */
#define NONCE_BURST    20

#define MAX_DELEGATE_OCTETS (4 << 20) /* of certificates that sign responses */

#define MAX_ASKED_ANEW 10000 /* keys; beyond, the oldest is forgotten before its minute is over */

struct errand { /* notices that are out, and what to do when all are home */
	unsigned n_out;
	loop_fn *done;
	void *arg;
};

struct relay {
	struct common common;
	struct loop *loop;
	struct rules *rules;
	struct desk *desk;
	struct runways *runways;
	struct rehearsals *rehearsals;
	struct sockets *sockets;
	unsigned n_copies; /* of each, one for each front thread to be */
	char **store_urls; /* common.n_stores; settings may have others by now */
	struct front **fronts;
	unsigned n_fronts;
	pthread_t *threads;	     /* fronts, then backs */
	unsigned n_threads;	     /* running */
	struct issuers *old_issuers; /* during a reload */
	struct errand errands[N_NOTICES];
	struct timer *drain_timer;
	bool is_draining;
};

static unsigned front_count(const struct settings *settings)
{
	long n = (long)settings->top.threads;

	if (n == 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : (unsigned)n;
}

static void name_process(struct common *common)
{
	uint8_t random[6];
	char hex[2 * sizeof(random) + 1] = {0};

	entropy_fill(random, sizeof(random));
	hex_encode(hex, slice_of(random, sizeof(random)));
	snprintf(common->pseudonym, sizeof(common->pseudonym), "ocsprelay-%s", hex);
}

static bool make_tables(struct relay *relay, const struct relay_opts *opts)
{
	const struct settings *settings = opts->settings;
	struct common *common = &relay->common;

	common->hash_key = opts->hash_key;
	name_process(common);
	common->tails = tails_new(opts->hash_key);
	common->cache = cache_new(settings->cache.memory, opts->hash_key);
	common->delegates = delegates_new(MAX_DELEGATE_OCTETS, opts->hash_key);
	common->negative = negative_new(settings->cache.negative_entries, opts->hash_key);
	common->asked_anew = negative_new(MAX_ASKED_ANEW, opts->hash_key);
	common->nonces = pace_new(MAX_RESPONDERS, MS_PER_NONCE, NONCE_BURST);
	common->responders = responders_new();
	common->trouble = trouble_new();
	common->addresses = addresses_new(opts->hash_key);
	return common->tails != NULL && common->cache != NULL && common->delegates != NULL &&
	       common->negative != NULL && common->asked_anew != NULL && common->nonces != NULL &&
	       common->responders != NULL && common->trouble != NULL && common->addresses != NULL;
}

static bool open_store(struct relay *relay, const char *url, const struct store_opts *opts)
{
	struct common *common = &relay->common;
	size_t i = common->n_stores++;

	relay->store_urls[i] = strdup(url);
	common->stores[i] = store_open(url, opts);
	return relay->store_urls[i] != NULL && common->stores[i] != NULL;
}

/* Our own ones first, whatever the order of the configuration: what others can write to is compared
 * with what they cannot (CL-16). */
static bool open_stores(struct relay *relay, const struct settings *settings)
{
	struct common *common = &relay->common;
	const struct text_list *urls = &settings->top.store;
	struct store_opts opts = {.ms_timeout = settings->redis.timeout,
				  .password = settings->redis_password,
				  .sentinel_user = settings->redis.sentinel_user,
				  .sentinel_password = settings->sentinel_password,
				  .has_copies = settings->redis.read_from == READ_FROM_REPLICAS,
				  .prefix = settings->redis.prefix,
				  .max_record =
				      RECORD_HEADER_LEN + settings->limits.max_upstream_response};

	common->stores = calloc(urls->n + 1, sizeof(struct store_shared *));
	relay->store_urls = calloc(urls->n + 1, sizeof(char *));
	if (common->stores == NULL || relay->store_urls == NULL)
		return false;
	for (size_t i = 0; i < 2 * urls->n; i++) {
		const char *url = urls->items[i % urls->n];

		if (store_may_be_shared(url) == (i >= urls->n) && !open_store(relay, url, &opts))
			return false;
	}
	return true;
}

static bool make_threads(struct relay *relay, const struct settings *settings)
{
	struct common *common = &relay->common;
	unsigned n_fronts = relay->n_copies, n_backs = (unsigned)settings->top.back_threads;

	relay->fronts = calloc(n_fronts, sizeof(struct front *));
	common->backs = calloc(n_backs, sizeof(struct back *));
	relay->threads = calloc(n_fronts + n_backs, sizeof(pthread_t));
	if (relay->fronts == NULL || common->backs == NULL || relay->threads == NULL)
		return false;
	common->n_backs = n_backs;
	for (unsigned i = 0; i < n_backs; i++) {
		common->backs[i] = back_new(common, relay->rules);
		if (common->backs[i] == NULL)
			return false;
	}
	relay->n_fronts = n_fronts;
	for (unsigned i = 0; i < n_fronts; i++) {
		relay->fronts[i] = front_new(common, relay->rules);
		if (relay->fronts[i] == NULL)
			return false;
	}
	return true;
}

static bool listen_all(struct relay *relay)
{
	for (unsigned i = 0; i < relay->n_fronts; i++) {
		for (size_t j = 0; j < sockets_count(relay->sockets); j++) {
			if (server_listen(relay->fronts[i]->server,
					  sockets_fd(relay->sockets, j, i)) != OK)
				return false;
		}
	}
	for (size_t j = 0; j < sockets_count(relay->sockets); j++)
		LOG(LISTEN, LOG_TEXT("address", sockets_name(relay->sockets, j)));
	return true;
}

static bool has_other_trust(void *arg, const struct entry *entry)
{
	const struct relay *relay = arg;
	const uint8_t *id = tail_issuer_id(entry->tail);
	const struct issuer *was = issuers_by_id(relay->old_issuers, id);
	const struct issuer *is = issuers_by_id(relay->rules->issuers, id);

	return was == NULL || is == NULL || !issuer_has_same_trust(was, is);
}

/* What was verified under trust that is gone must not outlive it. All threads have the new rules by
 * now, so no such answer comes any more; those in stores are verified when they are read. */
static void forget_untrusted(struct relay *relay)
{
	cache_remove_if(relay->common.cache, has_other_trust, relay);
	issuers_unref(relay->old_issuers);
	relay->old_issuers = NULL;
}

static void after_reload(struct relay *relay)
{
	forget_untrusted(relay);
	health_note(&relay->common, relay->rules->issuers, NULL, clock_mono_ms());
}

static void finish(struct errand *errand)
{
	loop_fn *done = errand->done;

	errand->done = NULL;
	if (done != NULL)
		done(errand->arg);
}

static void on_home(void *arg, struct message *message)
{
	struct relay *relay = arg;
	struct notice *notice = (struct notice *)message;
	struct errand *errand = &relay->errands[notice->kind];

	notice_free(notice);
	if (--errand->n_out > 0)
		return;
	if (errand == &relay->errands[NOTICE_RULES])
		after_reload(relay);
	finish(errand);
}

struct relay *relay_new(const struct relay_opts *opts)
{
	const struct settings *settings = opts->settings;
	struct relay *relay = calloc(1, sizeof(*relay));

	if (relay == NULL)
		return NULL;
	relay->loop = opts->loop;
	relay->common.main_mailbox = mailbox_new(opts->loop, 0, on_home, relay);
	relay->rules = rules_new(settings, opts->issuers);
	relay->n_copies = front_count(settings);
	relay->sockets =
	    sockets_open(&settings->top.listen, &(struct sockets_opts){.n_copies = relay->n_copies,
								       .mode = 0666,
								       .user = settings->top.user});
	if (relay->common.main_mailbox == NULL || relay->rules == NULL || relay->sockets == NULL ||
	    !make_tables(relay, opts)) {
		relay_free(relay);
		return NULL;
	}
	return relay;
}

err_t relay_start(struct relay *relay)
{
	const struct settings *settings = relay->rules->settings;
	struct common *common = &relay->common;

	if (!open_stores(relay, settings) || !make_threads(relay, settings) || !listen_all(relay))
		return ERR_NO_MEMORY;
	relay->desk = desk_new(common, relay->loop, relay->rules);
	relay->runways = runways_new(common, relay->loop, relay->rules);
	relay->rehearsals = rehearsals_new(common, relay->loop);
	if (relay->desk == NULL || relay->runways == NULL || relay->rehearsals == NULL)
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < relay->n_fronts + common->n_backs; i++) {
		bool is_front = i < relay->n_fronts;
		int failed =
		    is_front ? pthread_create(&relay->threads[i], NULL, front_run, relay->fronts[i])
			     : pthread_create(&relay->threads[i], NULL, back_run,
					      common->backs[i - relay->n_fronts]);

		if (failed)
			return ERR_SYSTEM;
		relay->n_threads++;
	}
	return OK;
}

/* n notices, none of them sent yet. False without memory for all. */
static bool make_notices(enum notice_kind kind, struct rules *rules, unsigned n, struct list *out)
{
	struct list *node;

	list_init(out);
	for (; n > 0; n--) {
		struct notice *notice = notice_new(kind, rules);

		if (notice == NULL) {
			while ((node = list_shift(out)) != NULL)
				notice_free(LIST_ENTRY(node, struct notice, message.link));
			return false;
		}
		list_append(out, &notice->message.link);
	}
	return true;
}

/* Mailboxes of notices are unbounded, so what has been made arrives. */
static void send_next(struct list *notices, struct mailbox *mailbox, struct errand *errand)
{
	struct notice *notice = LIST_ENTRY(list_shift(notices), struct notice, message.link);
	err_t err = mailbox_post(mailbox, &notice->message);

	assert(err == OK);
	(void)err;
	errand->n_out++;
}

/* One of the notices to each thread. */
static void send_all(struct relay *relay, struct list *notices, struct errand *errand,
		     struct errand begin)
{
	const struct common *common = &relay->common;

	*errand = begin;
	for (unsigned i = 0; i < relay->n_fronts; i++)
		send_next(notices, relay->fronts[i]->notices, errand);
	for (unsigned i = 0; i < common->n_backs; i++)
		send_next(notices, common->backs[i]->notices, errand);
}

err_t relay_reload(struct relay *relay, const struct settings *settings, struct issuers *issuers,
		   loop_fn *done, void *arg)
{
	const struct common *common = &relay->common;
	struct rules *rules = rules_new(settings, issuers);
	struct list notices;

	/* A thread that did not hear of it would go on with settings that are freed. */
	if (rules == NULL ||
	    !make_notices(NOTICE_RULES, rules, relay->n_fronts + common->n_backs, &notices)) {
		rules_unref(rules);
		return ERR_NO_MEMORY;
	}
	send_all(relay, &notices, &relay->errands[NOTICE_RULES],
		 (struct errand){.done = done, .arg = arg});
	for (size_t i = 0; i < common->n_stores; i++) {
		store_set_password(common->stores[i], STORE_PASSWORD, settings->redis_password);
		store_set_password(common->stores[i], STORE_SENTINEL_PASSWORD,
				   settings->sentinel_password);
	}
	relay->old_issuers = issuers_ref(relay->rules->issuers);
	rules_unref(relay->rules);
	relay->rules = rules;
	desk_set_rules(relay->desk, rules);
	runways_set_rules(relay->runways, rules);
	return OK;
}

err_t relay_pulse(struct relay *relay, loop_fn *done, void *arg)
{
	struct errand *errand = &relay->errands[NOTICE_PULSE];
	struct list notices;

	if (errand->n_out > 0)
		return OK;
	if (!make_notices(NOTICE_PULSE, NULL, relay->n_fronts + relay->common.n_backs, &notices))
		return ERR_NO_MEMORY;
	send_all(relay, &notices, errand, (struct errand){.done = done, .arg = arg});
	return OK;
}

static void on_drain_timeout(void *arg)
{
	struct relay *relay = arg;

	relay->drain_timer = NULL;
	finish(&relay->errands[NOTICE_DRAIN]);
}

void relay_drain(struct relay *relay, loop_fn *done, void *arg)
{
	struct list notices;

	if (relay->is_draining)
		return;
	relay->is_draining = true;
	relay->errands[NOTICE_DRAIN] = (struct errand){.done = done, .arg = arg};
	sockets_shut(relay->sockets);
	if (relay->n_fronts == 0 || !make_notices(NOTICE_DRAIN, NULL, relay->n_fronts, &notices)) {
		finish(&relay->errands[NOTICE_DRAIN]);
		return;
	}
	for (unsigned i = 0; i < relay->n_fronts; i++)
		send_next(&notices, relay->fronts[i]->notices, &relay->errands[NOTICE_DRAIN]);
	relay->drain_timer = timer_start(relay->loop, relay->rules->settings->limits.drain_timeout,
					 on_drain_timeout, relay);
}

/* In this order: no client waits any more when the fronts are gone, no flight writes to a store any
 * more when the backs are gone. */
void relay_free(struct relay *relay)
{
	struct common *common;

	if (relay == NULL)
		return;
	common = &relay->common;
	timer_cancel(relay->drain_timer);
	for (unsigned i = 0; i < relay->n_threads; i++)
		loop_stop(i < relay->n_fronts ? relay->fronts[i]->loop
					      : common->backs[i - relay->n_fronts]->loop);
	for (unsigned i = 0; i < relay->n_threads; i++)
		pthread_join(relay->threads[i], NULL);
	for (unsigned i = 0; relay->fronts != NULL && i < relay->n_fronts; i++)
		front_free(relay->fronts[i]);
	for (unsigned i = 0; common->backs != NULL && i < common->n_backs; i++)
		back_free(common->backs[i]);
	desk_free(relay->desk);
	runways_free(relay->runways);
	rehearsals_free(relay->rehearsals);
	for (size_t i = 0; i < common->n_stores; i++) {
		store_close(common->stores[i]);
		free(relay->store_urls[i]);
	}
	free(relay->store_urls);
	free(relay->fronts);
	free(common->backs);
	free(common->stores);
	free(relay->threads);
	sockets_close(relay->sockets);
	mailbox_free(common->main_mailbox, notice_drop, NULL);
	cache_free(common->cache);
	tails_free(common->tails);
	delegates_free(common->delegates);
	negative_free(common->negative);
	negative_free(common->asked_anew);
	pace_free(common->nonces);
	responders_free(common->responders);
	trouble_free(common->trouble);
	addresses_free(common->addresses);
	issuers_unref(relay->old_issuers);
	rules_unref(relay->rules);
	free(relay);
}

bool relay_is_draining(const struct relay *relay)
{
	return relay->is_draining;
}

size_t relay_listeners(const struct relay *relay)
{
	return sockets_count(relay->sockets);
}

struct cache *relay_cache(struct relay *relay)
{
	return relay->common.cache;
}

const struct issuers *relay_issuers(const struct relay *relay)
{
	return relay->rules->issuers;
}

struct responders *relay_responders(struct relay *relay)
{
	return relay->common.responders;
}

size_t relay_negative_count(struct relay *relay)
{
	return negative_count(relay->common.negative);
}

struct desk *relay_desk(struct relay *relay)
{
	return relay->desk;
}

struct runways *relay_runways(struct relay *relay)
{
	return relay->runways;
}

struct rehearsals *relay_rehearsals(struct relay *relay)
{
	return relay->rehearsals;
}

bool relay_is_issuer_down(const struct relay *relay, const struct issuer *issuer)
{
	return health_is_down(&relay->common, issuer, clock_mono_ms());
}

size_t relay_stores(const struct relay *relay)
{
	return relay->common.n_stores;
}

struct relay_store_status relay_store(const struct relay *relay, size_t i)
{
	return (struct relay_store_status){.name = relay->store_urls[i],
					   .is_up = store_is_up(relay->common.stores[i])};
}
