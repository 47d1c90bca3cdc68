/* SPDX-License-Identifier: ISC */
/* Purge and reload: what operators have done at once, and are told of when it is through. */
#include <inttypes.h>
#include <stdlib.h>

#include <event2/http.h>

#include "base/log.h"
#include "ctl/admin_body.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "relay/desk.h"
#include "relay/purge.h"
#include "relay/relay.h"

#define MAX_WHY	   4096
#define MAX_ANSWER 65536

bool admin_selection(struct admin *admin, struct evhttp_request *request,
		     struct selection *selection)
{
	struct buf why;
	err_t err;

	buf_init(&why, MAX_WHY);
	err = admin_body_read(request, relay_issuers(admin->status.relay), selection, &why);
	if (err != OK)
		admin_refuse(request, HTTP_BADREQUEST, "%.*s", (int)why.len, (const char *)why.p);
	buf_fini(&why);
	return err == OK;
}

/* --- purge ------------------------------------------------------------------------------------ */

struct purging {
	struct list link; /* in admin->purgings */
	struct admin *admin;
	struct selection selection;
	struct purge *purge;
	struct admin_reply *reply; /* NULL: the client is gone; the purge goes on */
};

static void put_purged(const struct purging *purging, const struct purge_result *result,
		       struct buf *out)
{
	const struct relay *relay = purging->admin->status.relay;

	buf_printf(out, "{\"entries\":%" PRIu64 ",\"failures\":%" PRIu64 ",\"stores\":[",
		   result->n_entries, result->n_failures);
	for (size_t i = 0; i < relay_stores(relay); i++) {
		const struct purge_store *store = &result->stores[i];

		buf_text(out, i ? "," : "");
		admin_put_store(purging->admin, i, out);
		if (purging->selection.serial_len == 0)
			buf_printf(out, ",\"removed\":%" PRIu64, store->n);
		buf_printf(out, ",\"ok\":%s}", store->err == OK ? "true" : "false");
	}
	buf_text(out, "]}\n");
}

static void on_purged(void *arg, const struct purge_result *result)
{
	struct purging *purging = arg;
	struct buf page;

	purging->purge = NULL;
	desk_announce_purge(relay_desk(purging->admin->status.relay), &purging->selection);
	LOG(ADMIN, LOG_TEXT("what", "purge"), LOG_NUMBER("entries", result->n_entries));
	buf_init(&page, MAX_ANSWER);
	put_purged(purging, result, &page);
	if (purging->reply != NULL)
		admin_reply_whole(purging->reply, HTTP_OK, TYPE_JSON, &page);
	buf_fini(&page);
	list_remove(&purging->link);
	free(purging);
}

static void on_purger_gone(void *arg)
{
	struct purging *purging = arg;

	purging->reply = NULL;
}

void admin_purge(struct admin *admin, struct evhttp_request *request)
{
	struct relay *relay = admin->status.relay;
	struct desk *desk = relay_desk(relay);
	const struct purge_opts opts = {.common = desk->common,
					.loop = desk->loop,
					.stores = desk->stores,
					.issuers = relay_issuers(relay)};
	struct purging *purging = calloc(1, sizeof(*purging));

	if (purging == NULL) {
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	if (!admin_selection(admin, request, &purging->selection)) {
		free(purging);
		return;
	}
	purging->admin = admin;
	purging->purge = purge_start(&opts, &purging->selection, on_purged, purging);
	if (purging->purge == NULL) {
		free(purging);
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	list_append(&admin->purgings, &purging->link);
	purging->reply =
	    admin_reply_new(&admin->replies, request,
			    &(struct admin_reply_ops){.gone = on_purger_gone, .arg = purging});
}

void admin_purgings_drop(struct admin *admin)
{
	struct list *link;

	while ((link = list_shift(&admin->purgings)) != NULL) {
		struct purging *purging = LIST_ENTRY(link, struct purging, link);

		purge_cancel(purging->purge);
		free(purging);
	}
}

/* --- reload ----------------------------------------------------------------------------------- */

struct reloading {
	struct list link; /* in admin->reloads_next or admin->reloads */
	struct admin_reply *reply;
};

static void on_reloader_gone(void *arg)
{
	struct reloading *reloading = arg;

	list_remove(&reloading->link);
	free(reloading);
}

void admin_reload(struct admin *admin, struct evhttp_request *request)
{
	struct reloading *reloading = calloc(1, sizeof(*reloading));

	if (reloading == NULL) {
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	reloading->reply =
	    admin_reply_new(&admin->replies, request,
			    &(struct admin_reply_ops){.gone = on_reloader_gone, .arg = reloading});
	if (reloading->reply == NULL) {
		free(reloading);
		return;
	}
	list_append(&admin->reloads_next, &reloading->link);
	admin->opts.reload(admin->opts.arg);
}

void admin_reload_begins(struct admin *admin)
{
	struct list *link;

	while ((link = list_shift(&admin->reloads_next)) != NULL)
		list_append(&admin->reloads, link);
}

void admin_reloaded(struct admin *admin, int code, const struct buf *report)
{
	struct list *link;

	while ((link = list_shift(&admin->reloads)) != NULL) {
		struct reloading *reloading = LIST_ENTRY(link, struct reloading, link);

		admin_reply_whole(reloading->reply, code, TYPE_JSON, report);
		free(reloading);
	}
}
