/* SPDX-License-Identifier: ISC */
/* Queues of what is due, one per issuer. */
#include "relay/refresher.h"

#include <stdlib.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "relay/back.h"
#include "relay/flight.h"
#include "relay/health.h"
#include "state/due.h"

#define MS_TICK	     250
#define MAX_TAKEN    4096 /* from the calendar, at each tick */
#define MS_PROBE_MIN 1000
#define MS_WATCH     60000 /* between looks whether all that is watched is there */
#define MAX_STARTED  1000  /* at a tick, those included that a store had */

/* What waits for its refresh, first come first served; and what is on its way. */
struct queue {
	struct due_item *items; /* a ring */
	size_t n, cap, first;
	unsigned n_out;
	bool is_waiting;     /* something was in it when what is watched was looked for */
	int64_t ms_probe_at; /* monotonic; while no responder works */
	int64_t ms_interval; /* between the last probe and the next; 0: all is well */
};

struct refresher {
	struct back *back;
	struct timer *tick;
	struct queue **queues; /* by the issuer's slot; NULL where there was none yet */
	unsigned n_queues;
	const struct issuers *watched_of; /* whose watched ones have been looked for, */
	int64_t ms_watch_at;		  /* and when to look again */
};

/* --- queues ----------------------------------------------------------------------------------- */

static struct queue *queue_of(struct refresher *refresher, const struct issuer *issuer)
{
	struct queue **grown;

	if (issuer->slot >= refresher->n_queues) {
		grown = realloc(refresher->queues, (issuer->slot + 1) * sizeof(struct queue *));
		if (grown == NULL)
			return NULL;
		refresher->queues = grown;
		while (refresher->n_queues <= issuer->slot)
			refresher->queues[refresher->n_queues++] = NULL;
	}
	if (refresher->queues[issuer->slot] == NULL)
		refresher->queues[issuer->slot] = calloc(1, sizeof(struct queue));
	return refresher->queues[issuer->slot];
}

static bool grow(struct queue *queue)
{
	size_t cap = 2 * queue->cap + 16;
	struct due_item *items = malloc(cap * sizeof(*items));

	if (items == NULL)
		return false;
	for (size_t i = 0; i < queue->n; i++)
		items[i] = queue->items[(queue->first + i) % queue->cap];
	free(queue->items);
	queue->items = items;
	queue->cap = cap;
	queue->first = 0;
	return true;
}

/* False without memory. */
static bool push(struct queue *queue, struct due_item item)
{
	if (queue == NULL || (queue->n == queue->cap && !grow(queue)))
		return false;
	queue->items[(queue->first + queue->n++) % queue->cap] = item;
	return true;
}

static struct due_item shift(struct queue *queue)
{
	struct due_item item = queue->items[queue->first];

	queue->first = (queue->first + 1) % queue->cap;
	queue->n--;
	return item;
}

/* --- items ------------------------------------------------------------------------------------ */

/* Never 0, which stands for what is missing. */
static uint32_t stamp_of(const struct entry *entry)
{
	uint32_t stamp = (uint32_t)entry->fetched_at;

	return stamp > 0 ? stamp : 1;
}

static struct due_item item_of(const struct entry *entry, uint64_t hash)
{
	return (struct due_item){.hash = hash, .stamp = stamp_of(entry)};
}

static const struct watched_cert *watched_of(const struct refresher *refresher, uint64_t hash)
{
	return watched_find(issuers_watched(refresher->back->rules->issuers), hash);
}

/* The entry that the item is about, one reference; NULL if another has taken its place, which has
 * an item of its own, or nobody wants it any more: who asks for it later plans it anew. */
static struct entry *entry_of(const struct refresher *refresher, struct due_item item)
{
	struct entry *entry = cache_peek_hash(refresher->back->common->cache, item.hash);

	if (entry != NULL && stamp_of(entry) == item.stamp) {
		if (clock_wall() < entry->hard_expiry &&
		    (entry_is_used(entry) || watched_of(refresher, item.hash) != NULL))
			return entry;
		entry_forget_plan(entry);
	}
	entry_unref(entry);
	return NULL;
}

/* In the calendar's time, which no change of the wall clock moves. */
static void plan_at(struct due *due, struct due_item item, int64_t at)
{
	due_add(due, item, clock_mono_ms() / 1000 + time_add(at, -clock_wall()));
}

static struct due *due_of(const struct common *common, uint64_t hash)
{
	return common->backs[hash % common->n_backs]->due;
}

static int64_t due_at(struct entry *entry)
{
	int64_t retry_at = entry_retry_at(entry);

	return retry_at > entry->refresh_at ? retry_at : entry->refresh_at;
}

void refresher_plan(const struct common *common, struct entry *entry)
{
	struct cache_key key;
	uint64_t hash;

	if (!entry_claim_plan(entry))
		return;
	entry_key(entry, &key);
	hash = cache_hash(common->cache, key_bytes(&key));
	plan_at(due_of(common, hash), item_of(entry, hash), due_at(entry));
}

static const struct issuer *issuer_of(const struct refresher *refresher, const struct entry *entry)
{
	return issuers_by_id(refresher->back->rules->issuers, tail_issuer_id(entry->tail));
}

/* Into the queue of its issuer. What cannot be kept in mind is planned anew by the next client that
 * asks (CL-07). */
static void enqueue(struct refresher *refresher, const struct issuer *issuer, struct due_item item)
{
	struct entry *entry;

	if (push(queue_of(refresher, issuer), item))
		return;
	entry = entry_of(refresher, item);
	if (entry != NULL)
		entry_forget_plan(entry);
	entry_unref(entry);
}

/* Out of the calendar and into its queue, if it is time, or back. */
static void sort(struct refresher *refresher, struct due_item item)
{
	struct entry *entry = entry_of(refresher, item);
	const struct issuer *issuer = entry != NULL ? issuer_of(refresher, entry) : NULL;

	if (issuer != NULL && clock_wall() < due_at(entry))
		plan_at(refresher->back->due, item, due_at(entry));
	else if (issuer != NULL && issuer->n_responders > 0)
		enqueue(refresher, issuer, item);
	else if (entry != NULL)
		entry_forget_plan(entry);
	entry_unref(entry);
}

/* --- refreshes -------------------------------------------------------------------------------- */

static bool ask_for(struct refresher *refresher, struct queue *queue, struct ask *ask,
		    struct due_item item)
{
	if (ask == NULL)
		return false;
	ask->is_background = true;
	ask->refresher = refresher;
	ask->stamp = item.stamp;
	queue->n_out++;
	flight_join(refresher->back, ask);
	return true;
}

/* False: there was nothing to do. */
static bool refresh(struct refresher *refresher, struct queue *queue, struct due_item item)
{
	struct entry *entry = entry_of(refresher, item);
	struct cache_key key;

	if (entry == NULL)
		return false;
	entry_key(entry, &key);
	entry_unref(entry);
	return ask_for(refresher, queue,
		       ask_from_key(ASK_REFRESH, refresher->back->rules->issuers, &key, item.hash),
		       item);
}

/* --- what is watched and missing ---------------------------------------------------------------
 */

static bool is_missing(struct due_item item)
{
	return item.stamp == 0;
}

/* The key, if it is watched and nothing valid is in memory. */
static const struct cache_key *missing_key(const struct refresher *refresher, uint64_t hash)
{
	const struct watched_cert *cert = watched_of(refresher, hash);
	struct entry *entry = cache_peek_hash(refresher->back->common->cache, hash);
	bool is_there = entry != NULL && clock_wall() < entry->hard_expiry;

	entry_unref(entry);
	return cert != NULL && !is_there ? &cert->key : NULL;
}

/* From the stores, or else from the responders. */
static bool fetch(struct refresher *refresher, struct queue *queue, struct due_item item)
{
	const struct cache_key *key = missing_key(refresher, item.hash);

	return key != NULL &&
	       ask_for(refresher, queue,
		       ask_from_key(ASK_SHARED, refresher->back->rules->issuers, key, item.hash),
		       item);
}

static bool start(struct refresher *refresher, struct queue *queue, struct due_item item)
{
	return is_missing(item) ? fetch(refresher, queue, item) : refresh(refresher, queue, item);
}

/* A queue whose issuer is configured no more is worked off by nobody. */
static void drop_orphans(struct refresher *refresher)
{
	const struct issuers *issuers = refresher->back->rules->issuers;

	for (unsigned slot = 0; slot < refresher->n_queues; slot++) {
		bool has_issuer = false;

		for (size_t i = 0; i < issuers_count(issuers) && !has_issuer; i++)
			has_issuer = issuers_at(issuers, i)->slot == slot;
		if (refresher->queues[slot] != NULL && !has_issuer)
			refresher->queues[slot]->n = 0;
	}
}

/* What is not in memory, at start, after a reload, or because it was evicted or purged. While a
 * queue waits for its responders everything missing is in it already. */
static void look_for_missing(struct refresher *refresher)
{
	const struct back *back = refresher->back;
	const struct issuers *issuers = back->rules->issuers;
	const struct watched *watched = issuers_watched(issuers);

	for (size_t i = 0; i < watched_count(watched); i++) {
		const struct watched_cert *cert = watched_at(watched, i);
		const struct issuer *issuer = issuers_by_id(issuers, cert->key.issuer_id);
		struct queue *queue = issuer != NULL ? queue_of(refresher, issuer) : NULL;

		if (queue != NULL && !queue->is_waiting &&
		    back->common->backs[cert->hash % back->common->n_backs] == back &&
		    missing_key(refresher, cert->hash) != NULL)
			push(queue, (struct due_item){.hash = cert->hash});
	}
	refresher->watched_of = issuers;
	refresher->ms_watch_at = clock_mono_ms() + MS_WATCH;
}

/* At once after a reload, and then now and then. */
static void watch(struct refresher *refresher)
{
	bool is_new = refresher->watched_of != refresher->back->rules->issuers;

	if (!is_new && clock_mono_ms() < refresher->ms_watch_at)
		return;
	if (is_new)
		drop_orphans(refresher);
	for (unsigned i = 0; i < refresher->n_queues; i++) {
		if (refresher->queues[i] != NULL)
			refresher->queues[i]->is_waiting = !is_new && refresher->queues[i]->n > 0;
	}
	look_for_missing(refresher);
}

/* --- what becomes of it ------------------------------------------------------------------------
 */

static bool is_down(const struct refresher *refresher, const struct issuer *issuer)
{
	return health_is_down(refresher->back->common, issuer, clock_mono_ms());
}

/* What a store had is planned by the client that asks for it; nobody may ask for this. */
static void plan_found(const struct refresher *refresher, struct due_item item)
{
	struct entry *entry = cache_peek_hash(refresher->back->common->cache, item.hash);

	if (entry != NULL)
		refresher_plan(refresher->back->common, entry);
	entry_unref(entry);
}

/* Whether it is still to be done. */
static bool is_left(const struct refresher *refresher, struct due_item item, int64_t *out_at)
{
	struct entry *entry;

	if (is_missing(item))
		return missing_key(refresher, item.hash) != NULL; /* sought again in a minute */
	entry = entry_of(refresher, item);
	if (entry != NULL)
		*out_at = due_at(entry);
	entry_unref(entry);
	return entry != NULL;
}

void refresher_end(struct refresher *refresher, const struct ask *ask)
{
	const struct due_item item = {.hash = ask->hash, .stamp = ask->stamp};
	struct queue *queue = queue_of(refresher, ask->issuer);
	int64_t at = 0;

	if (queue != NULL)
		queue->n_out--;
	if (is_missing(item))
		plan_found(refresher, item);
	if (!is_left(refresher, item, &at))
		return; /* its successor is planned */
	if (is_down(refresher, ask->issuer))
		enqueue(refresher, ask->issuer, item);
	else if (!is_missing(item))
		plan_at(refresher->back->due, item, at);
}

/* --- time ------------------------------------------------------------------------------------- */

/* Twice as long after each probe that failed, up to the issuer's limit; a little less for each
 * relay, so that a fleet does not come at once. */
static bool may_probe(struct queue *queue, const struct policy *policy)
{
	int64_t ms_now = clock_mono_ms(), ms;

	if (ms_now < queue->ms_probe_at)
		return false;
	ms = queue->ms_interval > 0 ? 2 * queue->ms_interval : MS_PROBE_MIN;
	queue->ms_interval = ms < policy->ms_probe ? ms : policy->ms_probe;
	ms = queue->ms_interval;
	queue->ms_probe_at = ms_now + ms - ms / 8 * (entropy_jitter() >> 16) / 65536;
	return true;
}

static void work_off(struct refresher *refresher, struct queue *queue, const struct issuer *issuer)
{
	unsigned share = issuer->policy.max_inflight / 4 / refresher->back->common->n_backs;
	unsigned n;

	if (is_down(refresher, issuer)) {
		if (queue->n_out == 0 && may_probe(queue, &issuer->policy)) {
			while (queue->n > 0 && !start(refresher, queue, shift(queue)))
				;
		}
		return;
	}
	queue->ms_interval = 0;
	queue->ms_probe_at = 0;
	if (share == 0)
		share = 1;
	/* what a store had is over at once and counts for nothing */
	for (n = 0; queue->n > 0 && queue->n_out < share && n < MAX_STARTED; n++)
		start(refresher, queue, shift(queue));
}

static void on_tick(void *arg)
{
	struct refresher *refresher = arg;
	const struct issuers *issuers = refresher->back->rules->issuers;
	struct due_item items[256];
	size_t n, n_taken = 0;

	do {
		n = due_take(refresher->back->due, clock_mono_ms() / 1000, items,
			     N_ELEMENTS(items));
		for (size_t i = 0; i < n; i++)
			sort(refresher, items[i]);
		n_taken += n;
	} while (n == N_ELEMENTS(items) && n_taken < MAX_TAKEN);
	watch(refresher);
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		if (issuer->slot < refresher->n_queues && refresher->queues[issuer->slot] != NULL &&
		    refresher->queues[issuer->slot]->n > 0)
			work_off(refresher, refresher->queues[issuer->slot], issuer);
	}
}

struct refresher *refresher_new(struct back *back)
{
	struct refresher *refresher = calloc(1, sizeof(*refresher));

	if (refresher == NULL)
		return NULL;
	refresher->back = back;
	refresher->tick = timer_every(back->loop, MS_TICK, on_tick, refresher);
	if (refresher->tick == NULL) {
		free(refresher);
		return NULL;
	}
	return refresher;
}

void refresher_free(struct refresher *refresher)
{
	if (refresher == NULL)
		return;
	timer_cancel(refresher->tick);
	for (unsigned i = 0; i < refresher->n_queues; i++) {
		if (refresher->queues[i] != NULL)
			free(refresher->queues[i]->items);
		free(refresher->queues[i]);
	}
	free(refresher->queues);
	free(refresher);
}
