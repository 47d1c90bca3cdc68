/* SPDX-License-Identifier: ISC */
/*
 * POST /api/v1/refresh: a line of JSON now and then that says how far it is, one for each failure,
 * and a last one with "done". A client that goes away ends it.
 */
#include <stdlib.h>

#include <event2/http.h>

#include "base/log.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "ctl/entry_json.h"
#include "relay/desk.h"
#include "relay/refreshing.h"
#include "relay/relay.h"

#define MAX_UNSENT  65536 /* of failures that a client has not taken; further ones only count */
#define MAX_LINE    4096
#define MS_PROGRESS 250

struct refresh {
	struct admin *admin;
	struct admin_reply *reply;
	struct refreshing *refreshing; /* NULL: done */
	struct refreshing_count count; /* then */
	struct timer *tick;
	struct buf lines; /* to be sent next; evhttp has copied the ones before */
	bool is_sending, is_ended;
};

static void refresh_free(struct refresh *refresh)
{
	timer_cancel(refresh->tick);
	refreshing_cancel(refresh->refreshing);
	buf_fini(&refresh->lines);
	free(refresh);
}

static void put_count(struct refresh *refresh)
{
	const struct refreshing_count count =
	    refresh->refreshing ? refreshing_count(refresh->refreshing) : refresh->count;

	buf_printf(&refresh->lines, "{\"all\":%zu,\"fetched\":%zu,\"failed\":%zu,\"done\":%s}\n",
		   count.n_all, count.n_fetched, count.n_failed,
		   refresh->refreshing ? "false" : "true");
}

/* What is to be told, if the client has taken what was told before. The end may free it. */
static void tell(struct refresh *refresh)
{
	struct buf part;

	if (refresh->is_sending)
		return;
	if (refresh->is_ended) {
		admin_reply_end(refresh->reply);
		refresh_free(refresh);
		return;
	}
	put_count(refresh);
	part = refresh->lines;
	buf_init(&refresh->lines, MAX_UNSENT + 2 * MAX_LINE);
	refresh->is_ended = refresh->refreshing == NULL;
	refresh->is_sending = true;
	/* which may be the end, and free it */
	admin_reply_part(refresh->reply, &part);
	buf_fini(&part);
}

static void on_taken(void *arg)
{
	struct refresh *refresh = arg;

	refresh->is_sending = false;
	if (refresh->refreshing == NULL)
		tell(refresh);
}

static void on_tick(void *arg)
{
	tell(arg);
}

static void on_failed(void *arg, const struct cache_key *key, err_t err)
{
	struct refresh *refresh = arg;

	if (refresh->lines.len > MAX_UNSENT)
		return;
	buf_text(&refresh->lines, "{");
	key_json(key, relay_issuers(refresh->admin->status.relay), &refresh->lines);
	buf_printf(&refresh->lines, ",\"reason\":\"%s\",\"text\":\"%s\"}\n", err_row(err)->label,
		   err_row(err)->text);
}

static void on_done(void *arg, const struct refreshing_count *count)
{
	struct refresh *refresh = arg;

	refresh->refreshing = NULL;
	refresh->count = *count;
	timer_cancel(refresh->tick);
	refresh->tick = NULL;
	LOG(ADMIN, LOG_TEXT("what", "refresh"), LOG_NUMBER("entries", count->n_all),
	    LOG_NUMBER("fetched", count->n_fetched), LOG_NUMBER("failed", count->n_failed));
	tell(refresh);
}

static void on_gone(void *arg)
{
	refresh_free(arg);
}

void admin_refresh(struct admin *admin, struct evhttp_request *request)
{
	struct refresh *refresh;
	struct selection selection;

	if (!admin_selection(admin, request, &selection))
		return;
	refresh = calloc(1, sizeof(*refresh));
	if (refresh == NULL) {
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	refresh->admin = admin;
	buf_init(&refresh->lines, MAX_UNSENT + 2 * MAX_LINE);
	refresh->tick = timer_every(admin->opts.loop, MS_PROGRESS, on_tick, refresh);
	refresh->refreshing = refreshing_start(
	    relay_desk(admin->status.relay), &selection,
	    &(struct refreshing_ops){.failed = on_failed, .done = on_done, .arg = refresh});
	if (refresh->tick == NULL || refresh->refreshing == NULL) {
		refresh_free(refresh);
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	refresh->reply = admin_reply_new(
	    &admin->replies, request,
	    &(struct admin_reply_ops){.more = on_taken, .gone = on_gone, .arg = refresh});
	if (refresh->reply == NULL)
		refresh_free(refresh);
	else
		admin_reply_begin(refresh->reply, TYPE_LINES);
}
