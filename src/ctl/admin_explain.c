/* SPDX-License-Identifier: ISC */
/*
 * GET /api/v1/explain?key=KEY: all that the relay knows about one certificate: what each tier
 * holds, the failure that it remembers, and how the responders of its issuer are. It looks, and
 * changes nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "base/bytes.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "ctl/entry_json.h"
#include "ctl/json_member.h"
#include "io/clock.h"
#include "relay/attempts.h"
#include "relay/inspecting.h"
#include "relay/relay.h"

#define MAX_PAGE 1048576

struct explain_page {
	struct admin *admin;
	struct admin_reply *reply; /* NULL: not yet */
	struct cache_key key;
	struct inspecting *inspecting;
};

static void page_free(struct explain_page *page)
{
	inspecting_free(page->inspecting);
	free(page);
}

static void on_gone(void *arg)
{
	page_free(arg);
}

/* --- rendering -------------------------------------------------------------------------------- */

static void put_reason(struct buf *out, err_t err)
{
	json_member_text(out, "reason", err_row(err)->label);
	buf_text(out, ",");
	json_member_text(out, "text", err_row(err)->text);
}

/* As the response says it, which the entry does not keep. */
static void put_next_update(const struct entry *entry, struct buf *out)
{
	uint8_t *der = malloc(entry->der_len);
	struct cache_key key;
	struct response response;
	struct single single;
	struct der cursor;

	entry_key(entry, &key);
	if (der == NULL)
		return;
	entry_copy_der(entry, der);
	if (response_parse(slice_of(der, entry->der_len), &response) == OK) {
		cursor = der_of(response.singles);
		while (response_next_single(&cursor, &single) == OK) {
			if (single.has_next_update &&
			    slice_eq(single.certid.serial, slice_of(key.serial, key.serial_len))) {
				buf_text(out, ",");
				json_member_time(out, "next_update", single.next_update);
				break;
			}
		}
	}
	free(der);
}

static void put_tier(struct explain_page *page, const struct inspected *tier, size_t i,
		     struct buf *out)
{
	struct relay *relay = page->admin->status.relay;
	int64_t retry_at;

	buf_text(out, i ? ",\n{" : "\n{");
	json_member_text(out, "tier", tier->tier);
	if (i > 0) {
		buf_text(out, ",");
		json_member_text(out, "store", relay_store(relay, i - 1).name);
		buf_printf(out, ",\"up\":%s", relay_store(relay, i - 1).is_up ? "true" : "false");
	}
	buf_printf(out, ",\"held\":%s", tier->err == OK ? "true" : "false");
	if (tier->err == OK) {
		buf_text(out, ",");
		entry_json(tier->entry, relay_issuers(relay), out);
		put_next_update(tier->entry, out);
		retry_at = entry_retry_at(tier->entry);
		if (i == 0 && retry_at > clock_wall()) {
			buf_text(out, ",");
			json_member_time(out, "retry_at", retry_at);
		}
		if (i == 0)
			buf_printf(out, ",\"in_use\":%s",
				   entry_is_used(tier->entry) ? "true" : "false");
	} else if (tier->err != ERR_NOT_FOUND) {
		buf_text(out, ",");
		put_reason(out, tier->err);
	}
	buf_text(out, "}");
}

static void put_failure(struct explain_page *page, struct buf *out)
{
	const struct common *common = relay_desk(page->admin->status.relay)->common;
	int64_t ms_left = 0;
	err_t err =
	    negative_look(common->negative, key_bytes(&page->key), clock_mono_ms(), &ms_left);

	buf_text(out, "\"failure\":");
	if (err == OK) {
		buf_text(out, "null");
		return;
	}
	buf_text(out, "{");
	put_reason(out, err);
	buf_printf(out, ",\"seconds_left\":%" PRId64 "}", (ms_left + 999) / 1000);
}

static void put_responder(const struct common *common, const char *url, struct buf *out)
{
	int64_t ms_now = clock_mono_ms();
	struct responder_state state = responder_get(common->responders, url, ms_now);

	json_member_text(out, "url", url);
	buf_printf(out,
		   ",\"asked\":%s,\"up\":%s,\"failures\":%u,\"seconds_down\":%" PRId64
		   ",\"left_out\":%s,\"seconds_closed\":%" PRId64
		   ",\"wants_post\":%s,\"skips_nonce\":%s",
		   state.is_asked ? "true" : "false", state.is_down ? "false" : "true",
		   state.n_failures, state.is_down ? (ms_now - state.ms_down_since) / 1000 : 0,
		   attempts_is_broken(&state) ? "true" : "false",
		   state.ms_not_before > ms_now ? (state.ms_not_before - ms_now + 999) / 1000 : 0,
		   state.wants_post ? "true" : "false", state.skips_nonce ? "true" : "false");
}

static void put_issuer(struct explain_page *page, const struct issuer *issuer, struct buf *out)
{
	const struct common *common = relay_desk(page->admin->status.relay)->common;

	buf_text(out, "{");
	json_member_text(out, "name", issuer->label);
	buf_printf(out, ",\"rehearsal_seconds_left\":%" PRId64 ",\"responders\":[",
		   trouble_rehearsal_left(common->trouble, issuer->slot, clock_mono_ms()) / 1000);
	for (size_t i = 0; i < issuer->n_responders; i++) {
		buf_text(out, i ? ",{" : "{");
		put_responder(common, issuer->responders[i].url, out);
		buf_text(out, "}");
	}
	buf_text(out, "]}");
}

static void render(struct explain_page *page, struct buf *out)
{
	struct relay *relay = page->admin->status.relay;
	const struct issuers *issuers = relay_issuers(relay);
	const struct issuer *issuer = issuers_by_id(issuers, page->key.issuer_id);
	const struct watched_cert *watched = watched_find(
	    issuers_watched(issuers), cache_hash(relay_cache(relay), key_bytes(&page->key)));
	char text[KEY_TEXT_SIZE];

	key_text(text, &page->key);
	buf_text(out, "{");
	json_member_text(out, "version", PACKAGE_VERSION);
	buf_text(out, ",");
	json_member_text(out, "key", text);
	buf_printf(out, ",\"draining\":%s,\"watched\":%s,\"issuer\":",
		   relay_is_draining(relay) ? "true" : "false", watched ? "true" : "false");
	if (issuer != NULL)
		put_issuer(page, issuer, out);
	else
		buf_text(out, "null");
	buf_text(out, ",\"tiers\":[");
	for (size_t i = 0; i < inspecting_count(page->inspecting); i++)
		put_tier(page, inspecting_at(page->inspecting, i), i, out);
	buf_text(out, "],");
	put_failure(page, out);
	buf_text(out, "}\n");
}

/* --- the request ------------------------------------------------------------------------------ */

static void on_seen(void *arg)
{
	struct explain_page *page = arg;
	struct buf out;

	buf_init(&out, MAX_PAGE);
	render(page, &out);
	admin_reply_whole(page->reply, HTTP_OK, TYPE_JSON, &out);
	buf_fini(&out);
	page_free(page);
}

static bool read_key(struct evhttp_request *request, struct cache_key *out)
{
	const char *text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request)), *key;
	struct evkeyvalq pairs;
	bool is_read;

	if (text == NULL || evhttp_parse_query_str(text, &pairs) != 0)
		return false;
	key = evhttp_find_header(&pairs, "key");
	is_read = key != NULL && key_from_text(slice_text(key), out) == OK;
	evhttp_clear_headers(&pairs);
	return is_read;
}

void admin_explain(struct admin *admin, struct evhttp_request *request)
{
	struct explain_page *page;
	struct cache_key key;

	if (!read_key(request, &key)) {
		admin_refuse(request, HTTP_BADREQUEST,
			     "key: needed, as issuer-id:s1:serial, in hexadecimal");
		return;
	}
	page = calloc(1, sizeof(*page));
	if (page != NULL)
		page->inspecting = inspecting_new(relay_desk(admin->status.relay), &key);
	if (page == NULL || page->inspecting == NULL) {
		free(page);
		admin_refuse(request, HTTP_INTERNAL, "%s", err_row(ERR_NO_MEMORY)->text);
		return;
	}
	page->admin = admin;
	page->key = key;
	page->reply = admin_reply_new(&admin->replies, request,
				      &(struct admin_reply_ops){.gone = on_gone, .arg = page});
	if (page->reply == NULL)
		page_free(page);
	else if (inspecting_run(page->inspecting, on_seen, page))
		on_seen(page);
}
