/* SPDX-License-Identifier: ISC */
/* Making and ending relays. */
#include "house.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "authority.h"
#include "base/bytes.h"
#include "base/counters.h"
#include "relay/rehearsals.h"
#include "relay/relay.h"
#include "responder.h"
#include "settings.h"
#include "shelf.h"
#include "stage.h"
#include "stage_clients.h"

#define MAX_STORES 4

static struct house {
	struct settings settings; /* of all, but for the stores */
	struct policy policy;
	bool is_set;
	struct dweller {
		char name[24];
		size_t shelves[MAX_STORES], n_shelves;
		char *urls[MAX_STORES];
		struct settings settings;
		struct loop *loop;
		struct relay *relay; /* NULL: not running */
		struct server *server;
	} dwellers[MAX_RELAYS];
	size_t n_dwellers;
} house;

/* --- settings --------------------------------------------------------------------------------- */

enum kind {
	KIND_NUMBER, /* of 64 bits */
	KIND_SIZE,
	KIND_TIME, /* milliseconds */
	KIND_FLAG,
	KIND_UNSIGNED,
	KIND_SECONDS,
	KIND_RATIO,
	KIND_METHOD,
	KIND_NONCE
};

static const struct setting {
	const char *name;
	enum kind kind;
	size_t at; /* in struct house */
	const char *value;
} settings[] = {
#define OPTION(name, type, def, min, max, help) \
	{#name, KIND_##type, offsetof(struct house, settings.limits.name), def},
#define OPTIONS_LIMITS
#include "tbl/options.h"
#undef OPTIONS_LIMITS
#undef OPTION
#define OPTION(name, type, def, min, max, help) \
	{#name, KIND_##type, offsetof(struct house, settings.cache.name), def},
#define OPTIONS_CACHE
#include "tbl/options.h"
#undef OPTIONS_CACHE
#undef OPTION
#define POLICY(name, kind, member)                                             \
	{                                                                      \
		name, KIND_##kind, offsetof(struct house, policy.member), NULL \
	}
    POLICY("method", METHOD, method),
    POLICY("nonce", NONCE, nonce),
    POLICY("refresh_ratio", RATIO, refresh_ratio),
    POLICY("min_refresh_interval", SECONDS, min_refresh_interval),
    POLICY("max_refresh_interval", SECONDS, max_refresh_interval),
    POLICY("expiry_margin", SECONDS, expiry_margin),
    POLICY("clock_skew", SECONDS, clock_skew),
    POLICY("no_next_update_ttl", SECONDS, no_next_update_ttl),
    POLICY("unknown_max_ttl", SECONDS, unknown_max_ttl),
    POLICY("neg_ttl_unauthorized", SECONDS, neg_ttl_unauthorized),
    POLICY("neg_ttl_error", SECONDS, neg_ttl_error),
    POLICY("max_inflight", UNSIGNED, max_inflight),
    POLICY("connect_timeout", TIME, ms_connect),
    POLICY("attempt_timeout", TIME, ms_attempt),
    POLICY("request_deadline", TIME, ms_deadline),
    POLICY("probe_interval", TIME, ms_probe),
};

static int choose(const char *value, const char *const *words, int n)
{
	for (int i = 0; i < n; i++) {
		if (strcmp(words[i], value) == 0)
			return i;
	}
	script_fail("'%s' is no choice", value);
}

static void put(const struct setting *setting, const char *value)
{
	static const char *const methods[] = {"auto", "get", "post"};
	static const char *const nonces[] = {"auto", "ignore", "forward", "reject"};
	void *to = (char *)&house + setting->at;

	switch (setting->kind) {
	case KIND_NUMBER:
	case KIND_SIZE:
		*(uint64_t *)to = (uint64_t)script_number(value);
		break;
	case KIND_TIME:
		*(int64_t *)to = script_duration(value);
		break;
	case KIND_SECONDS:
		*(int64_t *)to = script_duration(value) / 1000;
		break;
	case KIND_FLAG:
		*(bool *)to = strcmp(value, "on") == 0;
		break;
	case KIND_UNSIGNED:
		*(unsigned *)to = (unsigned)script_number(value);
		break;
	case KIND_RATIO:
		*(double *)to = strtod(value, NULL);
		break;
	case KIND_METHOD:
		*(enum upstream_method *)to =
		    (enum upstream_method)choose(value, methods, N_ELEMENTS(methods));
		break;
	case KIND_NONCE:
		*(enum nonce_policy *)to =
		    (enum nonce_policy)choose(value, nonces, N_ELEMENTS(nonces));
		break;
	}
}

/* The defaults, before anything else is said. */
static void set_defaults(void)
{
	if (house.is_set)
		return;
	house.is_set = true;
	house.policy = policy_default;
	for (size_t i = 0; i < N_ELEMENTS(settings); i++) {
		if (settings[i].value != NULL)
			put(&settings[i], settings[i].value);
	}
}

void house_set(struct words *words)
{
	const char *name = words_next(words, "an option"), *value = words_next(words, "a value");

	set_defaults();
	words_end(words);
	for (size_t i = 0; i < N_ELEMENTS(settings); i++) {
		if (strcmp(settings[i].name, name) == 0) {
			put(&settings[i], value);
			return;
		}
	}
	script_fail("there is no option '%s'", name);
}

/* --- relays ----------------------------------------------------------------------------------- */

void house_add(const char *name)
{
	if (house.n_dwellers == MAX_RELAYS)
		script_fail("too many relays");
	snprintf(house.dwellers[house.n_dwellers++].name, sizeof(house.dwellers[0].name), "%s",
		 name);
}

void house_add_store(size_t relay, size_t shelf)
{
	struct dweller *dweller = &house.dwellers[relay];

	if (dweller->n_shelves == MAX_STORES)
		script_fail("too many stores");
	dweller->urls[dweller->n_shelves] = (char *)(uintptr_t)shelf_url(shelf);
	dweller->shelves[dweller->n_shelves++] = shelf;
}

bool house_find(const char *name, size_t *out)
{
	for (size_t i = 0; i < house.n_dwellers; i++) {
		if (strcmp(house.dwellers[i].name, name) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

size_t house_count(void)
{
	return house.n_dwellers;
}

const char *house_name(size_t relay)
{
	return house.dwellers[relay].name;
}

static void check(err_t err)
{
	if (err != OK)
		script_fail("a relay cannot be made: %s", err_row(err)->label);
}

static struct issuers *make_issuers(struct hash_key key)
{
	struct issuers *issuers = issuers_new(key);
	char labels[96];

	for (size_t i = 0; i < authority.n_issuers; i++) {
		const struct authority_issuer *from = &authority.issuers[i];
		struct issuer *issuer = NULL;

		check(issuer_new(from->cert, from->name, &issuer));
		issuer->policy = house.policy;
		snprintf(labels, sizeof(labels), "issuer=\"%s\"", from->name);
		issuer->slot = counter_slot(SCOPE_ISSUER, labels);
		for (size_t j = 0; j < from->n_responders; j++) {
			check(issuer_add_responder(issuer, from->responders[j]));
			snprintf(labels, sizeof(labels), "issuer=\"%s\",responder=\"%s\"",
				 from->name, from->responders[j]);
			issuer->responders[j].slot = counter_slot(SCOPE_RESPONDER, labels);
		}
		check(issuers_add(issuers, issuer));
	}
	check(issuers_seal(issuers));
	return issuers;
}

void house_start(size_t relay)
{
	static char *everybody[] = {(char *)(uintptr_t) "0.0.0.0/0"};
	struct dweller *dweller = &house.dwellers[relay];
	struct relay_opts opts = {.settings = &dweller->settings,
				  .hash_key = {.k0 = 1 + relay, .k1 = 2}};

	set_defaults();
	dweller->settings = house.settings;
	dweller->settings.top.allow = (struct text_list){.items = everybody, .n = 1};
	dweller->settings.top.threads = dweller->settings.top.back_threads = 1;
	dweller->settings.top.store =
	    (struct text_list){.items = dweller->urls, .n = dweller->n_shelves};
	opts.loop = dweller->loop = loop_new();
	opts.issuers = make_issuers(opts.hash_key);
	dweller->relay = relay_new(&opts);
	issuers_unref(opts.issuers);
	if (dweller->relay == NULL)
		check(ERR_NO_MEMORY);
	check(relay_start(dweller->relay));
	dweller->server = stage_newest_server();
}

void house_stop(size_t relay)
{
	struct dweller *dweller = &house.dwellers[relay];

	relay_free(dweller->relay);
	loop_free(dweller->loop);
	dweller->relay = NULL;
	dweller->server = NULL;
}

bool house_is_running(size_t relay)
{
	return house.dwellers[relay].relay != NULL;
}

bool house_has_memory(size_t relay)
{
	const struct dweller *dweller = &house.dwellers[relay];

	for (size_t i = 0; i < dweller->n_shelves; i++) {
		if (!shelf_has_failed(dweller->shelves[i]))
			return true;
	}
	return false;
}

struct server *house_server(size_t relay)
{
	if (!house_is_running(relay))
		script_fail("the relay '%s' is not running", house_name(relay));
	return house.dwellers[relay].server;
}

uint64_t house_entries(struct words *words)
{
	struct cache_stats stats;
	size_t relay = 0;

	if (words->n > 0 && house_find(words->word[0], &relay))
		words_next(words, "a relay");
	cache_stats(relay_cache(house.dwellers[relay].relay), &stats);
	return stats.n_entries;
}

static void rehearse_at(const struct dweller *dweller, const char *name, int64_t ms)
{
	const struct issuers *issuers = relay_issuers(dweller->relay);

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		if (strcmp(issuer->label, name) == 0) {
			check(rehearsals_begin(relay_rehearsals(dweller->relay), issuer, ms));
			return;
		}
	}
	script_fail("there is no issuer '%s'", name);
}

void house_rehearse(struct words *words)
{
	const char *name = words_next(words, "an issuer");
	int64_t ms;

	if (!words_take(words, "for"))
		script_fail("'rehearse ca for 2h' is meant");
	ms = words_duration(words);
	words_end(words);
	for (size_t i = 0; i < house.n_dwellers; i++) {
		if (house_is_running(i))
			rehearse_at(&house.dwellers[i], name, ms);
	}
}
