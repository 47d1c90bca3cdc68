/* SPDX-License-Identifier: ISC */
/*
 * POST /api/v1/rehearse: {"issuer": "NAME", "for": "2h"} begins a rehearsal of an outage, or has it
 * go on so long from now; {"issuer": "NAME", "stop": true} ends it.
 */
#include <jansson.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "ctl/admin_body.h"
#include "ctl/admin_pages.h"
#include "ctl/option_value.h"
#include "ctl/runway_json.h"
#include "relay/rehearsals.h"
#include "relay/relay.h"
#include "relay/selection.h"

#define MAX_TEXT 4096

struct wish {
	const struct issuer *issuer;
	int64_t ms; /* 0: not said */
	bool stop;
};

static const struct option_row length = {
    .name = "for", .type = OPTION_IS_TIME, .min = 1000, .max = 30 * 86400e3};

static err_t read_issuer(const struct issuers *issuers, const char *text, struct wish *wish,
			 struct buf *why)
{
	struct selection selection = {.has_issuer = false};

	if (selection_set_issuer(&selection, issuers, slice_text(text)) == OK)
		wish->issuer = issuers_by_id(issuers, selection.issuer_id);
	if (wish->issuer != NULL && wish->issuer->slot > 0)
		return OK;
	admin_body_no_issuer(issuers, text, why);
	return ERR_SYNTAX;
}

static err_t read_length(const char *word, struct wish *wish, struct buf *why)
{
	char *item = (char *)(uintptr_t)word;
	const struct text_list words = {.items = &item, .n = 1};
	err_t err;

	buf_text(why, "for: ");
	err = option_value_check(&length, word, why);
	if (err == OK)
		err = option_value_store(&length, &wish->ms, &words);
	return err;
}

static err_t read_member(const struct issuers *issuers, const char *name, json_t *value,
			 struct wish *wish, struct buf *why)
{
	buf_reset(why);
	if (strcmp(name, "issuer") == 0 && json_is_string(value))
		return read_issuer(issuers, json_string_value(value), wish, why);
	if (strcmp(name, "for") == 0 && json_is_string(value))
		return read_length(json_string_value(value), wish, why);
	if (strcmp(name, "stop") == 0 && json_is_boolean(value)) {
		wish->stop = json_is_true(value);
		return OK;
	}
	buf_printf(why,
		   "%s: not known, or of the wrong type; there are \"issuer\", \"for\" and "
		   "\"stop\": true",
		   name);
	return ERR_SYNTAX;
}

static err_t read_wish(struct evhttp_request *request, const struct issuers *issuers,
		       struct wish *wish, struct buf *why)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	json_t *root =
	    json_loadb((const char *)evbuffer_pullup(body, -1), len, JSON_REJECT_DUPLICATES, NULL);
	err_t err = OK;
	const char *name;
	json_t *value;

	json_object_foreach(root, name, value)
	{
		if (err == OK)
			err = read_member(issuers, name, value, wish, why);
	}
	json_decref(root);
	if (err != OK || (wish->issuer != NULL && wish->stop == (wish->ms == 0)))
		return err;
	buf_reset(why);
	buf_text(why, "a JSON object with \"issuer\" and either \"for\" or \"stop\": true is "
		      "wanted");
	return ERR_SYNTAX;
}

/* {"issuer":"NAME","on":true,"rehearsal":{...}} */
static err_t grant(struct rehearsals *rehearsals, const struct wish *wish, struct buf *out)
{
	struct rehearsal_status status;
	bool is_told = true;

	if (!wish->stop && rehearsals_begin(rehearsals, wish->issuer, wish->ms) != OK)
		return ERR_NO_MEMORY;
	if (wish->stop)
		is_told = rehearsals_stop(rehearsals, wish->issuer, &status);
	else
		is_told = rehearsals_get(rehearsals, wish->issuer, &status);
	buf_text(out, "{\"issuer\":\"");
	buf_json(out, slice_text(wish->issuer->label));
	buf_printf(out, "\",\"on\":%s,\"rehearsal\":", wish->stop ? "false" : "true");
	if (is_told)
		rehearsal_json(&status, out);
	else
		buf_text(out, "null");
	buf_text(out, "}\n");
	return OK;
}

void admin_rehearse(struct admin *admin, struct evhttp_request *request)
{
	struct relay *relay = admin->status.relay;
	struct wish wish = {.issuer = NULL};
	struct buf text;

	buf_init(&text, MAX_TEXT);
	if (read_wish(request, relay_issuers(relay), &wish, &text) != OK) {
		admin_refuse(request, HTTP_BADREQUEST, "%.*s", (int)text.len, (const char *)text.p);
	} else {
		buf_reset(&text);
		if (grant(relay_rehearsals(relay), &wish, &text) == OK)
			admin_send(request, HTTP_OK, TYPE_JSON, &text);
		else
			admin_refuse(request, HTTP_INTERNAL, "out of memory");
	}
	buf_fini(&text);
}
