/* SPDX-License-Identifier: ISC */
/* Keys to asks, answers to counts. */
#include "relay/fetching.h"

#include <stdlib.h>

#include "io/clock.h"
#include "relay/ask.h"
#include "relay/back.h"
#include "relay/batch.h"

#define MAX_OUT 16 /* fetches at once: few enough to leave room for those of clients */

struct fetching {
	const struct desk *desk;
	enum ask_kind kind;
	struct gathering gathering; /* ASK_REFRESH: whose keys */
	struct cache_key *keys;	    /* ASK_SHARED */
	size_t i_next;
	struct fetching_ops ops; /* zeros after fetching_cancel */
	struct fetching_count count;
	struct batch *batch;
};

static void note_failure(struct fetching *fetching, size_t i, const struct cache_key *key,
			 err_t err)
{
	fetching->count.n_failed++;
	if (fetching->ops.failed != NULL)
		fetching->ops.failed(fetching->ops.arg, i, key, err);
}

/* The reference to an entry goes here, so that memory does not hold the old ones to the end. */
static void take_key(struct fetching *fetching, size_t i, struct cache_key *out)
{
	if (fetching->kind == ASK_SHARED) {
		*out = fetching->keys[i];
		return;
	}
	entry_key(fetching->gathering.entries[i], out);
	entry_unref(fetching->gathering.entries[i]);
	fetching->gathering.entries[i] = NULL;
}

static struct message *next_ask(void *arg, struct mailbox *home, struct mailbox **out_to)
{
	struct fetching *fetching = arg;
	const struct common *common = fetching->desk->common;
	struct issuers *issuers = fetching->desk->rules->issuers;

	while (fetching->i_next < fetching->count.n_all) {
		size_t i = fetching->i_next++;
		struct cache_key key;
		struct ask *ask;
		uint64_t hash;

		take_key(fetching, i, &key);
		hash = cache_hash(common->cache, key_bytes(&key));
		ask = ask_from_key(fetching->kind, issuers, &key, hash);
		if (ask != NULL) {
			ask->is_background = true;
			ask->home = home;
			ask->stamp = (uint32_t)i;
			*out_to = common->backs[hash % common->n_backs]->asks;
			return &ask->message;
		}
		note_failure(fetching, i, &key,
			     issuers_by_id(issuers, key.issuer_id) ? ERR_NO_MEMORY
								   : ERR_ISSUER_UNKNOWN);
	}
	return NULL;
}

/* An older answer than the one in memory is not kept, and nothing is missing then. */
static bool is_in_memory(const struct fetching *fetching, const struct ask *ask)
{
	struct entry *entry =
	    cache_peek(fetching->desk->common->cache, key_bytes(&ask->key), ask->hash);

	entry_unref(entry);
	return entry != NULL;
}

/* How a good answer counts. A flight that failed brings what is still valid instead, which is then
 * a hit. */
static err_t note_answer(struct fetching *fetching, const struct ask *ask)
{
	bool is_hit = ask->verdict == REPLY_HIT;

	if (fetching->kind == ASK_REFRESH && is_hit)
		return ERR_NOT_FETCHED;
	if (fetching->kind == ASK_SHARED && !is_hit && !ask->is_stored &&
	    !is_in_memory(fetching, ask))
		return ERR_NOT_KEPT;
	if (is_hit)
		fetching->count.n_there++;
	else
		fetching->count.n_fetched++;
	return OK;
}

static void on_home(void *arg, struct message *message, err_t err)
{
	struct fetching *fetching = arg;
	struct ask *ask = (struct ask *)message;

	if (err == OK)
		err = ask->err;
	if (err == OK)
		err = note_answer(fetching, ask);
	if (err != OK)
		note_failure(fetching, ask->stamp, &ask->key, err);
	ask_free(ask);
}

static void on_done(void *arg)
{
	struct fetching *fetching = arg;

	fetching->ops.done(fetching->ops.arg, &fetching->count);
}

static void release(void *arg)
{
	struct fetching *fetching = arg;

	gathering_fini(&fetching->gathering);
	free(fetching->keys);
	free(fetching);
}

/* Not more than the strictest of the gates lets wait. */
static unsigned window(const struct desk *desk)
{
	const struct issuers *issuers = desk->rules->issuers;
	unsigned least = MAX_OUT;

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		unsigned share =
		    issuers_at(issuers, i)->policy.max_inflight / desk->common->n_backs;

		if (share < least)
			least = share;
	}
	return least > 0 ? least : 1;
}

/* with: what it begins with; taken unless this fails. */
static struct fetching *start(struct desk *desk, const struct fetching *with,
			      const struct fetching_ops *ops)
{
	struct fetching *fetching = malloc(sizeof(*fetching));

	if (fetching == NULL)
		return NULL;
	*fetching = *with;
	fetching->desk = desk;
	fetching->ops = *ops;
	fetching->batch = batch_start(&desk->batches, desk->loop,
				      &(struct batch_ops){.next = next_ask,
							  .home = on_home,
							  .done = on_done,
							  .release = release,
							  .arg = fetching,
							  .window = window(desk)});
	if (fetching->batch != NULL)
		return fetching;
	free(fetching);
	return NULL;
}

struct fetching *fetching_refresh(struct desk *desk, const struct selection *selection,
				  const struct fetching_ops *ops)
{
	struct fetching with = {.kind = ASK_REFRESH}, *fetching;

	if (selection_gather(selection, desk->common->cache, clock_wall(), INT64_MAX,
			     &with.gathering) != OK)
		return NULL;
	with.count.n_all = with.gathering.n;
	fetching = start(desk, &with, ops);
	if (fetching == NULL)
		gathering_fini(&with.gathering);
	return fetching;
}

struct fetching *fetching_warm(struct desk *desk, const struct cache_key *keys, size_t n,
			       const struct fetching_ops *ops)
{
	struct fetching with = {.kind = ASK_SHARED, .count.n_all = n}, *fetching;

	with.keys = calloc(n + 1, sizeof(*keys));
	if (with.keys == NULL)
		return NULL;
	if (n > 0)
		memcpy(with.keys, keys, n * sizeof(*keys));
	fetching = start(desk, &with, ops);
	if (fetching == NULL)
		free(with.keys);
	return fetching;
}

struct fetching_count fetching_count(const struct fetching *fetching)
{
	return fetching->count;
}

void fetching_cancel(struct fetching *fetching)
{
	if (fetching == NULL)
		return;
	fetching->ops = (struct fetching_ops){.failed = NULL};
	batch_cancel(fetching->batch);
}
