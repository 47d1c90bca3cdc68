/* SPDX-License-Identifier: ISC */
/* Entries to asks, answers to counts. */
#include "relay/refreshing.h"

#include <stdlib.h>

#include "io/clock.h"
#include "relay/ask.h"
#include "relay/back.h"
#include "relay/batch.h"

#define MAX_OUT 16 /* fetches at once: few enough to leave room for those of clients */

struct refreshing {
	const struct desk *desk;
	struct gathering gathering;
	size_t i_next;
	struct refreshing_ops ops; /* zeros after refreshing_cancel */
	struct refreshing_count count;
	struct batch *batch;
};

static void note_failure(struct refreshing *refreshing, const struct cache_key *key, err_t err)
{
	refreshing->count.n_failed++;
	if (refreshing->ops.failed != NULL)
		refreshing->ops.failed(refreshing->ops.arg, key, err);
}

/* The reference to the entry goes here, so that memory does not hold the old ones to the end. */
static struct message *next_ask(void *arg, struct mailbox *home, struct mailbox **out_to)
{
	struct refreshing *refreshing = arg;
	const struct common *common = refreshing->desk->common;
	struct issuers *issuers = refreshing->desk->rules->issuers;

	while (refreshing->i_next < refreshing->gathering.n) {
		struct entry **place = &refreshing->gathering.entries[refreshing->i_next++];
		struct cache_key key;
		struct ask *ask;
		uint64_t hash;

		entry_key(*place, &key);
		entry_unref(*place);
		*place = NULL;
		hash = cache_hash(common->cache, key_bytes(&key));
		ask = ask_from_key(ASK_REFRESH, issuers, &key, hash);
		if (ask != NULL) {
			ask->home = home;
			*out_to = common->backs[hash % common->n_backs]->asks;
			return &ask->message;
		}
		note_failure(refreshing, &key,
			     issuers_by_id(issuers, key.issuer_id) ? ERR_NO_MEMORY
								   : ERR_ISSUER_UNKNOWN);
	}
	return NULL;
}

/* A flight that failed brings what is still valid instead, which is then a hit. */
static void on_home(void *arg, struct message *message, err_t err)
{
	struct refreshing *refreshing = arg;
	struct ask *ask = (struct ask *)message;

	if (err == OK)
		err = ask->err;
	if (err == OK && ask->verdict == REPLY_HIT)
		err = ERR_NOT_FETCHED;
	if (err == OK)
		refreshing->count.n_fetched++;
	else
		note_failure(refreshing, &ask->key, err);
	ask_free(ask);
}

static void on_done(void *arg)
{
	struct refreshing *refreshing = arg;

	refreshing->ops.done(refreshing->ops.arg, &refreshing->count);
}

static void release(void *arg)
{
	struct refreshing *refreshing = arg;

	gathering_fini(&refreshing->gathering);
	free(refreshing);
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

struct refreshing *refreshing_start(struct desk *desk, const struct selection *selection,
				    const struct refreshing_ops *ops)
{
	struct refreshing *refreshing = calloc(1, sizeof(*refreshing));

	if (refreshing == NULL)
		return NULL;
	refreshing->desk = desk;
	refreshing->ops = *ops;
	if (selection_gather(selection, desk->common->cache, clock_wall(), INT64_MAX,
			     &refreshing->gathering) != OK)
		goto fail;
	refreshing->count.n_all = refreshing->gathering.n;
	refreshing->batch = batch_start(&desk->batches, desk->loop,
					&(struct batch_ops){.next = next_ask,
							    .home = on_home,
							    .done = on_done,
							    .release = release,
							    .arg = refreshing,
							    .window = window(desk)});
	if (refreshing->batch == NULL)
		goto fail;
	return refreshing;
fail:
	release(refreshing);
	return NULL;
}

struct refreshing_count refreshing_count(const struct refreshing *refreshing)
{
	return refreshing->count;
}

void refreshing_cancel(struct refreshing *refreshing)
{
	if (refreshing == NULL)
		return;
	refreshing->ops = (struct refreshing_ops){.failed = NULL};
	batch_cancel(refreshing->batch);
}
