/* SPDX-License-Identifier: ISC */
/*
 * GET /api/v1/export: a bundle of what is in memory and then in each store, or in one tier. Of what
 * is in memory the stores' copies are left out; what several stores have comes from each. No more
 * is read than the client has taken.
 */
#include <stdlib.h>

#include <event2/http.h>

#include "core/bundle.h"
#include "core/record.h"
#include "ctl/admin_body.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "io/clock.h"
#include "relay/desk.h"
#include "relay/relay.h"

#define PART	 65536
#define MAX_PART 33554432 /* holds the largest record that may be configured */
#define MAX_WHY	 4096

struct export
{
	struct desk *desk;
	struct admin_reply *reply;
	struct admin_query query;
	struct gathering gathering; /* memory */
	size_t i;		    /* of it */
	size_t store;		    /* the next to be walked */
	struct store_walk *walk;
	struct buf part, record;
	uint64_t n;
	bool is_sending, is_incomplete, has_end;
};

static void export_free(struct export *export)
{
	store_walk_cancel(export->walk);
	gathering_fini(&export->gathering);
	buf_fini(&export->part);
	buf_fini(&export->record);
	free(export);
}

static bool wants(const struct export *export, const char *tier)
{
	return export->query.tier[0] == '\0' || strcmp(export->query.tier, tier) == 0;
}

static void put(struct export *export, const struct cache_key *key, struct slice record)
{
	bundle_put_record(&export->part, key, record);
	export->n++;
}

static void put_entry(struct export *export, const struct entry *entry)
{
	struct record record = {.fetched_at = entry->fetched_at,
				.refresh_at = entry->refresh_at,
				.der = {.len = entry->der_len}};
	uint8_t header[RECORD_HEADER_LEN];
	struct cache_key key;

	entry_key(entry, &key);
	record_put_header(header, &record);
	buf_reset(&export->record);
	buf_append(&export->record, header, sizeof(header));
	buf_append(&export->record, entry_head(entry).p, entry_head(entry).len);
	buf_append(&export->record, entry_tail(entry).p, entry_tail(entry).len);
	if (export->record.err == OK)
		put(export, &key, buf_slice(&export->record));
	else
		export->is_incomplete = true;
}

static bool is_in_memory(const struct export *export, const struct cache_key *key)
{
	struct cache *cache = export->desk->common->cache;
	struct slice bytes = key_bytes(key);
	struct entry *entry = cache_peek(cache, bytes, cache_hash(cache, bytes));
	bool is = entry != NULL && entry->hard_expiry > clock_wall();

	entry_unref(entry);
	return is;
}

static void send_part(struct export *export)
{
	export->is_sending = true;
	admin_reply_part(export->reply, &export->part);
}

static void on_record(void *arg, struct slice bytes, struct slice record)
{
	struct export *export = arg;
	struct cache_key key;

	if (key_from_bytes(bytes, &key) != OK || !selection_has(&export->query.selection, &key) ||
	    (wants(export, "memory") && is_in_memory(export, &key)))
		return;
	put(export, &key, record);
	if (export->part.len >= PART) {
		store_walk_pause(export->walk);
		send_part(export);
	}
}

static void go_on(struct export *export);

static void on_walked(void *arg, err_t err, uint64_t n)
{
	struct export *export = arg;

	(void)n;
	export->walk = NULL;
	if (err != OK)
		export->is_incomplete = true;
	if (!export->is_sending)
		go_on(export);
}

/* True: the walk of a store has begun. */
static bool walk_next(struct export *export)
{
	const struct selection *selection = &export->query.selection;
	const struct slice prefix =
	    slice_of(selection->issuer_id, selection->has_issuer ? ISSUER_ID_LEN : 0);
	const struct store_walk_ops ops = {.see = on_record, .done = on_walked, .arg = export};

	while (export->store < export->desk->common->n_stores) {
		struct store *store = export->desk->stores[export->store++];

		if (!wants(export, store_name(store)))
			continue;
		if (store_walk(store, prefix, &ops, &export->walk) == OK)
			return true;
		export->is_incomplete = true;
	}
	return false;
}

/* While nothing is being sent and no store walked: what comes next. The end frees it. */
static void go_on(struct export *export)
{
	if (export->has_end) {
		admin_reply_end(export->reply);
		export_free(export);
		return;
	}
	while (export->i < export->gathering.n && export->part.len < PART)
		put_entry(export, export->gathering.entries[export->i++]);
	if (export->part.len < PART) {
		if (walk_next(export))
			return;
		bundle_put_end(&export->part, export->n, !export->is_incomplete);
		export->has_end = true;
	}
	send_part(export);
}

static void on_taken(void *arg)
{
	struct export *export = arg;

	export->is_sending = false;
	buf_reset(&export->part);
	if (export->walk != NULL)
		store_walk_resume(export->walk);
	else
		go_on(export);
}

static void on_gone(void *arg)
{
	export_free(arg);
}

static bool is_tier(const struct desk *desk, const char *tier)
{
	for (size_t i = 0; i < desk->common->n_stores; i++) {
		if (strcmp(store_name(desk->stores[i]), tier) == 0)
			return true;
	}
	return tier[0] == '\0' || strcmp(tier, "memory") == 0;
}

static err_t read_query(struct admin *admin, struct evhttp_request *request,
			struct admin_query *out, struct buf *why)
{
	err_t err = admin_query_read(request, relay_issuers(admin->status.relay), out, why);

	if (err != OK)
		return err;
	if (is_tier(relay_desk(admin->status.relay), out->tier))
		return OK;
	if (strcmp(out->tier, "disk") == 0 || strcmp(out->tier, "redis") == 0)
		buf_printf(why, "tier: no %s is configured as a store", out->tier);
	else
		buf_text(why, "tier: memory, disk or redis");
	return ERR_SYNTAX;
}

static struct export *export_new(struct admin *admin, const struct admin_query *query)
{
	struct export *export = calloc(1, sizeof(*export));
	const int64_t now = clock_wall();

	if (export == NULL)
		return NULL;
	export->desk = relay_desk(admin->status.relay);
	export->query = *query;
	buf_init(&export->part, MAX_PART);
	buf_init(&export->record, MAX_PART);
	if (wants(export, "memory") &&
	    selection_gather(&query->selection, export->desk->common->cache, now, INT64_MAX,
			     &export->gathering) != OK) {
		export_free(export);
		return NULL;
	}
	return export;
}

void admin_export(struct admin *admin, struct evhttp_request *request)
{
	struct admin_query query;
	struct export *export = NULL;
	struct buf why;

	buf_init(&why, MAX_WHY);
	if (read_query(admin, request, &query, &why) != OK)
		admin_refuse(request, HTTP_BADREQUEST, "%.*s", (int)why.len, (const char *)why.p);
	else if ((export = export_new(admin, &query)) == NULL)
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
	buf_fini(&why);
	if (export == NULL)
		return;
	export->reply = admin_reply_new(
	    &admin->replies, request,
	    &(struct admin_reply_ops){.more = on_taken, .gone = on_gone, .arg = export});
	if (export->reply == NULL) {
		export_free(export);
		return;
	}
	admin_reply_begin(export->reply, TYPE_BUNDLE);
	bundle_put_head(&export->part);
	go_on(export);
}
