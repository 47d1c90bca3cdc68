/* SPDX-License-Identifier: ISC */
/*
 * POST /api/v1/import: one bundle, as large as a body may be; a larger one is sent in several. What
 * became of its records is told at the end.
 */
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "base/bytes.h"
#include "base/log.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "ctl/entry_json.h"
#include "relay/desk.h"
#include "relay/importing.h"
#include "relay/relay.h"

#define MAX_ANSWER 67108864

struct import {
	struct admin *admin;
	struct admin_reply *reply;
	struct importing *importing;
	struct buf reasons; /* JSON objects with commas between them */
};

static void import_free(struct import *import)
{
	importing_cancel(import->importing);
	buf_fini(&import->reasons);
	free(import);
}

static void on_refused(void *arg, const struct cache_key *key, err_t err)
{
	struct import *import = arg;
	const char *text = err == ERR_SYNTAX ? "the bundle is damaged here" : err_row(err)->text;

	buf_text(&import->reasons, import->reasons.len > 0 ? ",{" : "{");
	if (key != NULL) {
		key_json(key, relay_issuers(import->admin->status.relay), &import->reasons);
		buf_text(&import->reasons, ",");
	}
	buf_printf(&import->reasons, "\"reason\":\"%s\",\"text\":\"%s\"}", err_row(err)->label,
		   text);
}

static void on_done(void *arg, const struct importing_count *count)
{
	struct import *import = arg;
	struct buf page;

	import->importing = NULL;
	LOG(ADMIN, LOG_TEXT("what", "import"), LOG_NUMBER("kept", count->n_kept),
	    LOG_NUMBER("refused", count->n_refused));
	buf_init(&page, MAX_ANSWER + 256);
	buf_printf(&page, "{\"kept\":%zu,\"older\":%zu,\"refused\":%zu,\"reasons\":[",
		   count->n_kept, count->n_older, count->n_refused);
	buf_append(&page, import->reasons.p, import->reasons.len);
	buf_text(&page, "]}\n");
	if (import->reasons.err != OK)
		page.err = import->reasons.err;
	admin_reply_whole(import->reply, HTTP_OK, TYPE_JSON, &page);
	buf_fini(&page);
	import_free(import);
}

static void on_gone(void *arg)
{
	import_free(arg);
}

static const char *why_not(err_t err)
{
	switch (err) {
	case ERR_SYNTAX:
		return "this is no bundle";
	case ERR_RECORD_VERSION:
		return "a bundle of an unknown version";
	default:
		return err_row(err)->text;
	}
}

void admin_import(struct admin *admin, struct evhttp_request *request)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	struct slice bundle = {.len = evbuffer_get_length(body)};
	struct import *import = calloc(1, sizeof(*import));
	err_t err = ERR_NO_MEMORY;

	if (import != NULL) {
		import->admin = admin;
		buf_init(&import->reasons, MAX_ANSWER);
		bundle.p = evbuffer_pullup(body, -1);
		err = importing_start(
		    relay_desk(admin->status.relay), bundle,
		    &(struct importing_ops){.refused = on_refused, .done = on_done, .arg = import},
		    &import->importing);
	}
	if (err != OK) {
		free(import);
		admin_refuse(request, err == ERR_NO_MEMORY ? HTTP_INTERNAL : HTTP_BADREQUEST, "%s",
			     why_not(err));
		return;
	}
	import->reply = admin_reply_new(&admin->replies, request,
					&(struct admin_reply_ops){.gone = on_gone, .arg = import});
	if (import->reply == NULL)
		import_free(import);
}
