/* SPDX-License-Identifier: ISC */
/* Setting the desk up and clearing it. */
#include "relay/desk.h"

#include <stdlib.h>

#include "relay/batch.h"

struct desk *desk_new(const struct common *common, struct loop *loop, struct rules *rules)
{
	struct desk *desk = calloc(1, sizeof(*desk));

	if (desk == NULL)
		return NULL;
	desk->common = common;
	desk->loop = loop;
	desk->rules = rules_ref(rules);
	list_init(&desk->batches);
	desk->stores = calloc(common->n_stores + 1, sizeof(struct store *));
	if (desk->stores == NULL)
		goto fail;
	for (size_t i = 0; i < common->n_stores; i++) {
		desk->stores[i] = store_attach(common->stores[i], loop);
		if (desk->stores[i] == NULL)
			goto fail;
	}
	return desk;
fail:
	desk_free(desk);
	return NULL;
}

void desk_set_rules(struct desk *desk, struct rules *rules)
{
	struct rules *old = desk->rules;

	desk->rules = rules_ref(rules);
	rules_unref(old);
}

/* Best effort: who does not hear it has what is purged until it is refreshed or ends. */
static void announce(struct desk *desk, struct news *news)
{
	char text[NEWS_MAX];

	news->sender = slice_text(desk->common->pseudonym);
	for (size_t i = 0; i < desk->common->n_stores; i++) {
		if (store_is_shared(desk->stores[i]))
			(void)!store_publish(desk->stores[i],
					     slice_of(text, news_write(text, news)));
	}
}

struct announcement {
	struct desk *desk;
	const struct selection *selection;
};

/* Once for an issuer: whoever hears of one key purges its other forms, too (selection_of_news). */
static void announce_key(void *arg, const struct cache_key *key)
{
	const struct announcement *announcement = arg;

	if (key->alg == HASH_SHA1 && key->serial_len == announcement->selection->serial_len)
		announce(announcement->desk, &(struct news){.kind = NEWS_PURGE_KEY, .key = *key});
}

void desk_announce_purge(struct desk *desk, const struct selection *selection)
{
	struct announcement announcement = {.desk = desk, .selection = selection};
	struct news news = {.kind = selection->has_issuer ? NEWS_PURGE_ISSUER : NEWS_PURGE_ALL};

	memcpy(news.key.issuer_id, selection->issuer_id, ISSUER_ID_LEN);
	if (selection->serial_len > 0)
		selection_each_key(selection, desk->rules->issuers, announce_key, &announcement);
	else
		announce(desk, &news);
}

void desk_free(struct desk *desk)
{
	if (desk == NULL)
		return;
	batches_drop(&desk->batches);
	for (size_t i = 0; desk->stores != NULL && i < desk->common->n_stores; i++)
		store_detach(desk->stores[i]);
	free(desk->stores);
	rules_unref(desk->rules);
	free(desk);
}
