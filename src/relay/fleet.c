/* SPDX-License-Identifier: ISC */
/* News of other relays: what was stored, what was purged, and what was said while we did not hear.
 */
#include "relay/fleet.h"

#include <stdlib.h>

#include "core/news.h"
#include "io/clock.h"
#include "relay/back.h"
#include "relay/flight.h"
#include "relay/purge.h"
#include "relay/selection.h"
#include "relay/taking.h"

#define MAX_PURGES  64	  /* at once: each of them looks at everything, */
#define MAX_KEYS    65536 /* but for those of one key */
#define MS_FLIGHT   150
#define MS_CATCH_UP 100
#define CATCH_UP    64 /* keys at once */

struct fleet {
	struct back *back;
	struct takings *takings;
	struct list purges;
	size_t n_purges;
	int64_t
	    since; /* wall clock: no news was missed from then on; INT64_MAX: we do not listen */
	uint64_t *missed; /* hashes of keys of which there may have been news before */
	size_t n_missed, cap_missed;
	struct timer *catch_up;
};

/* What another relay has purged, on its way through our own stores. */
struct purging {
	struct list link;
	struct fleet *fleet;
	struct purge *purge;
};

/* Whether one of our own stores has the key. They answer at once. */
static bool is_in_own(const struct back *back, struct slice key)
{
	for (size_t i = 0; i < back->common->n_stores; i++) {
		struct store_read *read;
		struct slice record;

		if (!store_is_shared(back->stores[i]) &&
		    store_get(back->stores[i], key, NULL, NULL, &record, &read) == OK)
			return true;
	}
	return false;
}

/* Taken is what replaces something: what nobody here has asked for is none of our business. */
static void hear_stored(struct fleet *fleet, const struct news *news)
{
	struct back *back = fleet->back;
	const struct common *common = back->common;
	struct slice key = key_bytes(&news->key);
	struct taking_opts opts = {.key = &news->key,
				   .hash = cache_hash(common->cache, key),
				   .this_update = news->this_update,
				   .produced_at = news->produced_at};
	struct entry *entry;
	bool is_newer;

	if (common->backs[opts.hash % common->n_backs] != back)
		return;
	if (flight_hear(back, key)) {
		opts.ms = MS_FLIGHT; /* it may have looked into the store too early */
		taking_start(fleet->takings, &opts);
		return;
	}
	entry = cache_peek(common->cache, key, opts.hash);
	if (entry == NULL)
		is_newer = is_in_own(back, key);
	else
		is_newer = (news->this_update != entry->this_update ||
			    news->produced_at != entry->produced_at) &&
			   freshness_may_replace(entry->this_update, entry->produced_at,
						 news->this_update, news->produced_at);
	if (is_newer)
		taking_start(fleet->takings, &opts);
	entry_unref(entry);
}

static void purging_free(struct purging *purging)
{
	list_remove(&purging->link);
	purging->fleet->n_purges--;
	free(purging);
}

static void on_purged(void *arg, const struct purge_result *result)
{
	(void)result;
	purging_free(arg);
}

/* One back thread does it for all. */
static void hear_purge(struct fleet *fleet, const struct news *news)
{
	struct back *back = fleet->back;
	const struct purge_opts opts = {.common = back->common,
					.loop = back->loop,
					.stores = back->stores,
					.issuers = back->rules->issuers,
					.spare_shared = true};
	struct selection selection;
	struct purging *purging;

	if (back != back->common->backs[0] ||
	    fleet->n_purges >= (news->kind == NEWS_PURGE_KEY ? MAX_KEYS : MAX_PURGES) ||
	    !selection_of_news(news, &selection) || (purging = calloc(1, sizeof(*purging))) == NULL)
		return;
	purging->fleet = fleet;
	list_append(&fleet->purges, &purging->link);
	fleet->n_purges++;
	purging->purge = purge_start(&opts, &selection, on_purged, purging);
	if (purging->purge == NULL)
		purging_free(purging);
}

/* --- news that was missed ----------------------------------------------------------------------
 */

bool fleet_may_have_missed(const struct fleet *fleet, int64_t fetched_at)
{
	return fleet->back->shared != NULL && fetched_at <= fleet->since;
}

static void remember(void *arg, struct entry *entry)
{
	struct fleet *fleet = arg;
	struct back *back = fleet->back;
	struct cache_key key;
	uint64_t hash;

	if (!fleet_may_have_missed(fleet, entry->fetched_at))
		return;
	entry_key(entry, &key);
	hash = cache_hash(back->common->cache, key_bytes(&key));
	if (back->common->backs[hash % back->common->n_backs] == back &&
	    fleet->n_missed < fleet->cap_missed)
		fleet->missed[fleet->n_missed++] = hash;
}

/* What memory holds is looked for in the store, some at a time. */
static void on_catch_up(void *arg)
{
	struct fleet *fleet = arg;

	for (unsigned i = 0; i < CATCH_UP && fleet->n_missed > 0; i++) {
		struct taking_opts opts;
		struct cache_key key;
		struct entry *entry;

		if (!takings_are_few(fleet->takings))
			return;
		opts = (struct taking_opts){.key = &key, .hash = fleet->missed[--fleet->n_missed]};
		entry = cache_peek_hash(fleet->back->common->cache, opts.hash);
		if (entry == NULL)
			continue;
		entry_key(entry, &key);
		entry_unref(entry);
		taking_start(fleet->takings, &opts);
	}
	if (fleet->n_missed > 0)
		return;
	timer_cancel(fleet->catch_up);
	fleet->catch_up = NULL;
	free(fleet->missed);
	fleet->missed = NULL;
}

/* From now on we listen. */
static void catch_up(struct fleet *fleet)
{
	struct cache *cache = fleet->back->common->cache;
	struct cache_stats stats;

	fleet->since = clock_wall();
	timer_cancel(fleet->catch_up);
	fleet->catch_up = NULL;
	free(fleet->missed);
	cache_stats(cache, &stats);
	fleet->n_missed = 0;
	fleet->cap_missed = stats.n_entries;
	fleet->missed = stats.n_entries > 0 ? calloc(stats.n_entries, sizeof(uint64_t)) : NULL;
	if (fleet->missed == NULL)
		return;
	cache_each(cache, remember, fleet);
	fleet->catch_up = timer_every(fleet->back->loop, MS_CATCH_UP, on_catch_up, fleet);
}

/* What copies of the store may not have yet; purges go over many keys. Our own come back, too. */
static void note(const struct fleet *fleet, const struct news *news)
{
	struct slice all = slice_of(NULL, 0);

	store_note(fleet->back->shared, news->kind == NEWS_STORED ? key_bytes(&news->key) : all);
}

static void on_news(void *arg, enum store_news what, struct slice message)
{
	struct fleet *fleet = arg;
	struct news news;

	if (what == STORE_NEWS_BACK)
		catch_up(fleet);
	else if (what == STORE_NEWS_LOST)
		fleet->since = INT64_MAX;
	if (what != STORE_NEWS_MESSAGE || news_read(message, &news) != OK)
		return;
	note(fleet, &news);
	if (slice_eq(news.sender, slice_text(fleet->back->common->pseudonym)))
		return;
	if (news.kind == NEWS_STORED)
		hear_stored(fleet, &news);
	else
		hear_purge(fleet, &news);
}

void fleet_tell(struct fleet *fleet, const struct entry *entry)
{
	struct back *back = fleet->back;
	struct news news = {.kind = NEWS_STORED,
			    .sender = slice_text(back->common->pseudonym),
			    .this_update = entry->this_update,
			    .produced_at = entry->produced_at};
	char text[NEWS_MAX];

	if (back->shared == NULL)
		return;
	entry_key(entry, &news.key);
	/* best effort: whoever does not hear it finds it at his next refresh */
	(void)!store_publish(back->shared, slice_of(text, news_write(text, &news)));
}

struct fleet *fleet_new(struct back *back)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));

	if (fleet == NULL)
		return NULL;
	fleet->back = back;
	fleet->since = INT64_MAX;
	list_init(&fleet->purges);
	fleet->takings = takings_new(back);
	if (fleet->takings == NULL ||
	    (back->shared != NULL && store_subscribe(back->shared, on_news, fleet) != OK)) {
		fleet_free(fleet);
		return NULL;
	}
	return fleet;
}

void fleet_free(struct fleet *fleet)
{
	if (fleet == NULL)
		return;
	while (!list_is_empty(&fleet->purges)) {
		struct purging *purging = LIST_ENTRY(fleet->purges.next, struct purging, link);

		purge_cancel(purging->purge);
		purging_free(purging);
	}
	timer_cancel(fleet->catch_up);
	free(fleet->missed);
	takings_free(fleet->takings);
	free(fleet);
}
