/* SPDX-License-Identifier: ISC */
/* News of other relays, and taking what they stored. */
#include "relay/fleet.h"

#include <stdlib.h>

#include "core/news.h"
#include "relay/back.h"
#include "relay/flight.h"
#include "relay/landing.h"
#include "relay/lookup.h"
#include "relay/purge.h"
#include "relay/selection.h"

#define MAX_PURGES  64	  /* at once: each of them looks at everything, */
#define MAX_KEYS    65536 /* but for those of one key */
#define MAX_TAKINGS 1024  /* at once; what is not taken is found at the next refresh */
#define MAX_TRIES   5	  /* the news may be faster than the record */
#define MS_TRY	    150

struct fleet {
	struct back *back;
	struct list takings, purges;
	size_t n_takings, n_purges;
};

/* What another relay has purged, on its way through our own stores. */
struct purging {
	struct list link;
	struct fleet *fleet;
	struct purge *purge;
};

/* One newer response on its way from the shared store into memory, and into our own stores. */
struct taking {
	struct list link;
	struct fleet *fleet;
	struct ask *question;
	struct lookup lookup;
	struct timer *again;
	unsigned n_tries;
	int64_t this_update, produced_at; /* as announced */
};

static void taking_free(struct taking *taking)
{
	lookup_cancel(&taking->lookup);
	timer_cancel(taking->again);
	list_remove(&taking->link);
	taking->fleet->n_takings--;
	ask_free(taking->question);
	free(taking);
}

static void look(void *arg);

static void on_again(void *arg)
{
	struct taking *taking = arg;

	taking->again = NULL;
	look(taking);
}

/* Whether what memory holds is as new as what was announced. */
static bool is_there(const struct taking *taking, const struct entry *entry)
{
	return !freshness_may_replace(entry->this_update, entry->produced_at, taking->this_update,
				      taking->produced_at) ||
	       (entry->this_update == taking->this_update &&
		entry->produced_at == taking->produced_at);
}

static void check(void *arg)
{
	struct taking *taking = arg;
	struct back *back = taking->fleet->back;
	struct entry *entry;
	const char *name;
	bool is_done = false;

	if (lookup_check(&taking->lookup, &entry, &name)) {
		is_done = is_there(taking, entry);
		entry_unref(entry);
	}
	if (!is_done && ++taking->n_tries < MAX_TRIES)
		taking->again = timer_start(back->loop, MS_TRY, on_again, taking);
	if (taking->again == NULL)
		taking_free(taking);
}

static bool is_in_memory(const struct taking *taking)
{
	const struct ask *question = taking->question;
	struct entry *entry = cache_peek(taking->fleet->back->common->cache,
					 key_bytes(&question->key), question->hash);
	bool is_new = entry != NULL && is_there(taking, entry);

	entry_unref(entry);
	return is_new;
}

static void look(void *arg)
{
	struct taking *taking = arg;

	if (is_in_memory(taking)) {
		taking_free(taking);
		return;
	}
	lookup_rewind(&taking->lookup);
	if (lookup_ask(&taking->lookup) == STEP_NEXT)
		check(taking);
}

/* ms: until then somebody else may have it. */
static void take(struct fleet *fleet, const struct news *news, uint64_t hash, int64_t ms)
{
	struct taking *taking;

	if (fleet->n_takings >= MAX_TAKINGS || (taking = calloc(1, sizeof(*taking))) == NULL)
		return;
	taking->question = ask_from_key(ASK_SHARED, fleet->back->rules->issuers, &news->key, hash);
	if (taking->question == NULL) {
		free(taking);
		return;
	}
	taking->fleet = fleet;
	taking->this_update = news->this_update;
	taking->produced_at = news->produced_at;
	lookup_init(&taking->lookup, fleet->back, taking->question, check, taking);
	list_append(&fleet->takings, &taking->link);
	fleet->n_takings++;
	if (ms == 0)
		look(taking);
	else if ((taking->again = timer_start(fleet->back->loop, ms, on_again, taking)) == NULL)
		taking_free(taking);
}

/* What only our own stores hold is not looked at now; it must not come back later as if nothing had
 * happened. */
static void forget_own(const struct back *back, struct slice key)
{
	for (size_t i = 0; i < back->common->n_stores; i++) {
		if (!store_is_shared(back->stores[i]))
			store_delete(back->stores[i], key);
	}
}

static void hear_stored(struct fleet *fleet, const struct news *news)
{
	struct back *back = fleet->back;
	const struct common *common = back->common;
	struct slice key = key_bytes(&news->key);
	uint64_t hash = cache_hash(common->cache, key);
	struct entry *entry;

	if (common->backs[hash % common->n_backs] != back)
		return;
	if (flight_hear(back, key)) {
		/* which may have looked into the store too early */
		take(fleet, news, hash, MS_TRY);
		return;
	}
	entry = cache_peek(common->cache, key, hash);
	if (entry == NULL)
		forget_own(back, key);
	else if ((news->this_update != entry->this_update ||
		  news->produced_at != entry->produced_at) &&
		 freshness_may_replace(entry->this_update, entry->produced_at, news->this_update,
				       news->produced_at))
		take(fleet, news, hash, 0);
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

static void on_news(void *arg, enum store_news what, struct slice message)
{
	struct fleet *fleet = arg;
	struct news news;

	if (what != STORE_NEWS_MESSAGE || news_read(message, &news) != OK ||
	    slice_eq(news.sender, slice_text(fleet->back->common->pseudonym)))
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
	list_init(&fleet->takings);
	list_init(&fleet->purges);
	if (back->shared != NULL && store_subscribe(back->shared, on_news, fleet) != OK) {
		free(fleet);
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
	while (!list_is_empty(&fleet->takings))
		taking_free(LIST_ENTRY(fleet->takings.next, struct taking, link));
	free(fleet);
}
