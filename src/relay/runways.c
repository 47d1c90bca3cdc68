/* SPDX-License-Identifier: ISC */
/* Looking at the cache, now and then. */
#include "relay/runways.h"

#include <stdlib.h>

#include "base/log.h"
#include "io/clock.h"
#include "io/loop.h"
#include "relay/health.h"

#define MS_TICK	   1000
#define MS_BETWEEN 5000 /* two looks, at least; */
#define SHARE	   100	/* and so many times as long as one took */
#define N_TAILS	   256	/* a power of two */

struct runways {
	const struct common *common;
	struct rules *rules;
	struct timer *tick;
	struct runway *runway; /* NULL: there was no look yet */
	struct soonest soonest;
	uint64_t n_expired;
	int64_t ms_looked, ms_again;
	bool has_warned[TROUBLE_SLOTS]; /* in this outage; by the issuer's slot */
};

/* --- the look --------------------------------------------------------------------------------- */

/* Whose issuer a tail is of, for those met last: few tails are those of many entries. */
struct known_tail {
	const struct tail *tail;
	const struct issuer *issuer; /* NULL: of none any more */
};

struct look {
	const struct issuers *issuers;
	struct runway *runway;
	struct soonest soonest;
	uint64_t n_expired;
	int64_t now;
	struct known_tail tails[N_TAILS];
};

static const struct issuer *issuer_of(struct look *look, const struct tail *tail)
{
	struct known_tail *known = &look->tails[((uintptr_t)tail >> 5) & (N_TAILS - 1)];

	if (known->tail != tail) {
		known->tail = tail;
		known->issuer = issuers_by_id(look->issuers, tail_issuer_id(tail));
	}
	return known->issuer;
}

static void count(void *arg, struct entry *entry)
{
	struct look *look = arg;
	const struct issuer *issuer;

	if (entry->hard_expiry <= look->now) {
		look->n_expired++;
		return;
	}
	soonest_offer(&look->soonest, entry);
	if (!entry_is_used(entry) || (issuer = issuer_of(look, entry->tail)) == NULL)
		return;
	runway_add(look->runway, issuer->slot, entry->hard_expiry - look->now);
}

/* Those that clients have not asked for since they came. */
static void count_watched(struct look *look, struct cache *cache)
{
	const struct watched *watched = issuers_watched(look->issuers);

	for (size_t i = 0; i < watched_count(watched); i++) {
		struct entry *entry = cache_peek_hash(cache, watched_at(watched, i)->hash);
		const struct issuer *issuer;

		if (entry != NULL && !entry_is_used(entry) && entry->hard_expiry > look->now &&
		    (issuer = issuer_of(look, entry->tail)) != NULL)
			runway_add(look->runway, issuer->slot, entry->hard_expiry - look->now);
		entry_unref(entry);
	}
}

/* A tail that ends while we look may leave its place to another one's: what is known is forgotten
 * with each look, and within one the error is a few answers of the wrong issuer. */
static void look(struct runways *runways)
{
	struct look look = {
	    .issuers = runways->rules->issuers, .runway = runway_new(), .now = clock_wall()};
	int64_t us_start = clock_mono_us(), ms_between;

	if (look.runway == NULL)
		return;
	cache_each(runways->common->cache, count, &look);
	count_watched(&look, runways->common->cache);
	runway_free(runways->runway);
	runways->runway = look.runway;
	soonest_fini(&runways->soonest);
	runways->soonest = look.soonest;
	runways->n_expired = look.n_expired;
	ms_between = (clock_mono_us() - us_start) * SHARE / 1000;
	runways->ms_looked = clock_mono_ms();
	runways->ms_again =
	    runways->ms_looked + (ms_between > MS_BETWEEN ? ms_between : MS_BETWEEN);
}

static void look_when_due(struct runways *runways)
{
	if (runways->runway == NULL || clock_mono_ms() >= runways->ms_again)
		look(runways);
}

uint64_t runways_expired(struct runways *runways)
{
	look_when_due(runways);
	return runways->n_expired;
}

const struct soonest *runways_soonest(struct runways *runways)
{
	look_when_due(runways);
	return &runways->soonest;
}

static int64_t less(int64_t seconds, int64_t by)
{
	return seconds > by ? seconds - by : 0;
}

struct runway_of runways_get(struct runways *runways, const struct issuer *issuer)
{
	int64_t age;
	struct runway_of of;

	look_when_due(runways);
	if (runways->runway == NULL)
		return (struct runway_of){.n = 0};
	age = (clock_mono_ms() - runways->ms_looked) / 1000;
	of = runway_of(runways->runway, issuer->slot);
	of.first = less(of.first, age);
	of.median = less(of.median, age);
	of.last = less(of.last, age);
	return of;
}

/* --- warnings --------------------------------------------------------------------------------- */

static void watch(struct runways *runways, const struct issuer *issuer)
{
	bool *has_warned = &runways->has_warned[issuer->slot];
	struct runway_of of;

	if (!health_is_down(runways->common, issuer, clock_mono_ms())) {
		*has_warned = false;
		return;
	}
	if (*has_warned)
		return;
	of = runways_get(runways, issuer);
	if (of.n == 0 || of.first >= issuer->policy.runway_warning)
		return;
	*has_warned = true;
	LOG(RUNWAY_SHORT, LOG_TEXT("issuer", issuer->label), LOG_NUMBER("answers", of.n),
	    LOG_NUMBER("first", of.first), LOG_NUMBER("median", of.median),
	    LOG_NUMBER("last", of.last));
}

static void on_tick(void *arg)
{
	struct runways *runways = arg;
	const struct issuers *issuers = runways->rules->issuers;

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		if (issuers_at(issuers, i)->policy.runway_warning > 0)
			watch(runways, issuers_at(issuers, i));
	}
}

/* --- wiring ----------------------------------------------------------------------------------- */

struct runways *runways_new(const struct common *common, struct loop *loop, struct rules *rules)
{
	struct runways *runways = calloc(1, sizeof(*runways));

	if (runways == NULL)
		return NULL;
	runways->common = common;
	runways->rules = rules_ref(rules);
	runways->tick = timer_every(loop, MS_TICK, on_tick, runways);
	if (runways->tick == NULL) {
		runways_free(runways);
		return NULL;
	}
	return runways;
}

void runways_free(struct runways *runways)
{
	if (runways == NULL)
		return;
	timer_cancel(runways->tick);
	runway_free(runways->runway);
	soonest_fini(&runways->soonest);
	rules_unref(runways->rules);
	free(runways);
}

/* What is known is by slots, which stay. */
void runways_set_rules(struct runways *runways, struct rules *rules)
{
	struct rules *old = runways->rules;

	runways->rules = rules_ref(rules);
	rules_unref(old);
}
