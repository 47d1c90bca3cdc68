/* SPDX-License-Identifier: ISC */
/* Bundle to asks that bring their answers, asks to counts. */
#include "relay/importing.h"

#include <stdlib.h>

#include "core/bundle.h"
#include "core/record.h"
#include "relay/ask.h"
#include "relay/back.h"
#include "relay/batch.h"

#define MAX_OUT 64 /* asks at once */

struct importing {
	const struct desk *desk;
	struct importing_ops ops; /* zeros after importing_cancel */
	struct importing_count count;
	struct batch *batch;
	struct slice rest; /* of octets */
	bool has_end;
	uint8_t octets[];
};

static void refuse(struct importing *importing, const struct cache_key *key, err_t err)
{
	importing->count.n_refused++;
	if (importing->ops.refused != NULL)
		importing->ops.refused(importing->ops.arg, key, err);
}

/* The next item; false: there are no more. What is damaged is told and passed over. */
static bool cut_item(struct importing *importing, struct bundle_item *out)
{
	const size_t max =
	    RECORD_HEADER_LEN + importing->desk->rules->settings->limits.max_upstream_response;
	err_t err;

	while (!importing->has_end) {
		err = bundle_read(&importing->rest, max, out);
		if (err == OK) {
			importing->has_end = out->is_end;
			return !out->is_end;
		}
		refuse(importing, NULL, err == ERR_AGAIN ? ERR_SYNTAX : err);
		importing->has_end = !bundle_skip(&importing->rest);
	}
	return false;
}

static struct ask *make_ask(struct importing *importing, const struct bundle_item *item)
{
	const struct desk *desk = importing->desk;
	struct cache_key key;
	struct ask *ask;

	if (key_from_text(item->key, &key) != OK) {
		refuse(importing, NULL, ERR_SYNTAX);
		return NULL;
	}
	if (issuers_by_id(desk->rules->issuers, key.issuer_id) == NULL) {
		refuse(importing, &key, ERR_ISSUER_UNKNOWN);
		return NULL;
	}
	ask = ask_from_key(ASK_GIVEN, desk->rules->issuers, &key,
			   cache_hash(desk->common->cache, key_bytes(&key)));
	if (ask == NULL || !ask_give(ask, item->record)) {
		ask_free(ask);
		refuse(importing, &key, ERR_NO_MEMORY);
		return NULL;
	}
	return ask;
}

static struct message *next_ask(void *arg, struct mailbox *home, struct mailbox **out_to)
{
	struct importing *importing = arg;
	const struct common *common = importing->desk->common;
	struct bundle_item item;

	while (cut_item(importing, &item)) {
		struct ask *ask = make_ask(importing, &item);

		if (ask == NULL)
			continue;
		ask->home = home;
		*out_to = common->backs[ask->hash % common->n_backs]->asks;
		return &ask->message;
	}
	return NULL;
}

static void on_home(void *arg, struct message *message, err_t err)
{
	struct importing *importing = arg;
	struct ask *ask = (struct ask *)message;

	if (err == OK)
		err = ask->err;
	if (err != OK)
		refuse(importing, &ask->key, err);
	else if (ask->is_stored)
		importing->count.n_kept++;
	else
		importing->count.n_older++;
	ask_free(ask);
}

static void on_done(void *arg)
{
	struct importing *importing = arg;

	importing->ops.done(importing->ops.arg, &importing->count);
}

err_t importing_start(struct desk *desk, struct slice bundle, const struct importing_ops *ops,
		      struct importing **out)
{
	err_t err = bundle_read_head(&bundle);
	struct importing *importing;

	if (err != OK)
		return err == ERR_AGAIN ? ERR_SYNTAX : err;
	importing = malloc(sizeof(*importing) + bundle.len);
	if (importing == NULL)
		return ERR_NO_MEMORY;
	*importing = (struct importing){.desk = desk, .ops = *ops};
	if (bundle.len > 0)
		memcpy(importing->octets, bundle.p, bundle.len);
	importing->rest = slice_of(importing->octets, bundle.len);
	importing->batch = batch_start(&desk->batches, desk->loop,
				       &(struct batch_ops){.next = next_ask,
							   .home = on_home,
							   .done = on_done,
							   .release = free,
							   .arg = importing,
							   .window = MAX_OUT});
	if (importing->batch == NULL) {
		free(importing);
		return ERR_NO_MEMORY;
	}
	*out = importing;
	return OK;
}

void importing_cancel(struct importing *importing)
{
	if (importing == NULL)
		return;
	importing->ops = (struct importing_ops){.refused = NULL};
	batch_cancel(importing->batch);
}
