/* SPDX-License-Identifier: ISC */
/* Bundle to parcels, parcels to counts. */
#include "relay/importing.h"

#include <stdlib.h>

#include "core/bundle.h"
#include "core/record.h"
#include "relay/back.h"
#include "relay/batch.h"
#include "relay/parcel.h"

#define MAX_OUT 64 /* parcels at once */

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

static struct parcel *make_parcel(struct importing *importing, const struct bundle_item *item)
{
	const struct desk *desk = importing->desk;
	struct parcel *parcel;
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
	ask = ask_from_key(ASK_SHARED, desk->rules->issuers, &key,
			   cache_hash(desk->common->cache, key_bytes(&key)));
	parcel = ask != NULL ? parcel_new(ask, item->record) : NULL;
	if (parcel == NULL) {
		ask_free(ask);
		refuse(importing, &key, ERR_NO_MEMORY);
	}
	return parcel;
}

static struct message *next_parcel(void *arg, struct mailbox *home, struct mailbox **out_to)
{
	struct importing *importing = arg;
	const struct common *common = importing->desk->common;
	struct bundle_item item;

	while (cut_item(importing, &item)) {
		struct parcel *parcel = make_parcel(importing, &item);

		if (parcel == NULL)
			continue;
		parcel->home = home;
		*out_to = common->backs[parcel->question->hash % common->n_backs]->parcels;
		return &parcel->message;
	}
	return NULL;
}

static void on_home(void *arg, struct message *message, err_t err)
{
	struct importing *importing = arg;
	struct parcel *parcel = (struct parcel *)message;

	if (err == OK)
		err = parcel->err;
	if (err != OK)
		refuse(importing, &parcel->question->key, err);
	else if (parcel->is_older)
		importing->count.n_older++;
	else
		importing->count.n_kept++;
	parcel_free(parcel);
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
				       &(struct batch_ops){.next = next_parcel,
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
