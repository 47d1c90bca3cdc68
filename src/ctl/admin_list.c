/* SPDX-License-Identifier: ISC */
/* GET /api/v1/entries: what is in memory, what expires first at first, in parts. */
#include <stdlib.h>

#include <event2/http.h>

#include "base/bytes.h"
#include "ctl/admin_body.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "ctl/entry_json.h"
#include "io/clock.h"
#include "relay/relay.h"

#define PART	 65536
#define MAX_PART (PART + 4096)
#define MAX_WHY	 4096

struct list_page {
	struct admin *admin;
	struct admin_reply *reply;
	struct gathering gathering;
	size_t i, n; /* n: as many as the limit lets */
	bool has_end;
};

static void page_free(struct list_page *page)
{
	gathering_fini(&page->gathering);
	free(page);
}

static void on_gone(void *arg)
{
	page_free(arg);
}

/* The next part; or the end, which frees it. */
static void give(struct list_page *page)
{
	const struct issuers *issuers = relay_issuers(page->admin->status.relay);
	struct buf part;

	if (page->has_end) {
		admin_reply_end(page->reply);
		page_free(page);
		return;
	}
	buf_init(&part, MAX_PART);
	if (page->i == 0)
		buf_printf(&part, "{\"matching\":%zu,\"entries\":[", page->gathering.n);
	while (page->i < page->n && part.len < PART) {
		buf_text(&part, page->i ? ",\n{" : "\n{");
		entry_json(page->gathering.entries[page->i++], issuers, &part);
		buf_text(&part, "}");
	}
	page->has_end = page->i == page->n;
	if (page->has_end)
		buf_text(&part, "\n]}\n");
	admin_reply_part(page->reply, &part); /* without memory this was the end of page */
	buf_fini(&part);
}

static void on_taken(void *arg)
{
	give(arg);
}

static err_t gather(const struct admin_query *query, struct relay *relay, struct gathering *out)
{
	int64_t now = clock_wall(), until = INT64_MAX;

	if (query->ms_expiring != INT64_MAX)
		until = time_add(now, query->ms_expiring / 1000 + 1);
	return selection_gather(&query->selection, relay_cache(relay), now, until, out);
}

void admin_entries(struct admin *admin, struct evhttp_request *request)
{
	struct relay *relay = admin->status.relay;
	struct list_page *page = calloc(1, sizeof(*page));
	struct admin_query query;
	struct buf why;
	err_t err = ERR_NO_MEMORY;

	buf_init(&why, MAX_WHY);
	if (page != NULL)
		err = admin_query_read(request, relay_issuers(relay), &query, &why);
	if (err == OK)
		err = gather(&query, relay, &page->gathering);
	if (err != OK) {
		free(page);
		admin_refuse(request, err == ERR_SYNTAX ? HTTP_BADREQUEST : HTTP_INTERNAL, "%.*s",
			     (int)why.len, why.len > 0 ? (const char *)why.p : "");
		buf_fini(&why);
		return;
	}
	buf_fini(&why);
	page->admin = admin;
	page->n = page->gathering.n < query.limit ? page->gathering.n : (size_t)query.limit;
	page->reply = admin_reply_new(
	    &admin->replies, request,
	    &(struct admin_reply_ops){.more = on_taken, .gone = on_gone, .arg = page});
	if (page->reply == NULL) {
		page_free(page);
		return;
	}
	admin_reply_begin(page->reply, TYPE_JSON);
	give(page);
}
