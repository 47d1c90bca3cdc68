/* SPDX-License-Identifier: ISC */
/*
 * The admin listener on evhttp: a table of paths. evhttp is good enough here: few requests, from
 * those who run the relay, never on a client's path.
 */
#include "ctl/admin.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "base/log.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "ctl/history.h"
#include "ctl/metrics.h"
#include "ctl/recent.h"
#include "ctl/runway_json.h"
#include "ctl/status_page.h"
#include "io/clock.h"
#include "io/sockets.h"
#include "relay/relay.h"

#define MAX_PAGE     67108864
#define MAX_BODY     1048576 /* of a bundle in parts; and one record more */
#define IDLE_TIMEOUT 10	     /* seconds */

static int healthz(struct admin *admin, struct buf *page)
{
	(void)admin;
	buf_text(page, "ok\n");
	return HTTP_OK;
}

static int readyz(struct admin *admin, struct buf *page)
{
	if (relay_is_draining(admin->status.relay)) {
		buf_text(page, "draining\n");
		return HTTP_SERVUNAVAIL;
	}
	buf_text(page, "ready\n");
	return HTTP_OK;
}

static void metrics(struct admin *admin, struct evhttp_request *request)
{
	const struct evkeyvalq *fields = evhttp_request_get_input_headers(request);
	const struct metrics_opts opts = {
	    .relay = admin->status.relay,
	    .format = exposition_choose(evhttp_find_header(fields, "Accept")),
	    .started_at = admin->status.started_at};
	struct buf page;

	buf_init(&page, MAX_PAGE);
	metrics_page(&opts, &page);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Vary", "Accept");
	admin_send(request, HTTP_OK, exposition_type(opts.format), &page);
	buf_fini(&page);
}

static int runway(struct admin *admin, struct buf *page)
{
	runway_json(admin->status.relay, page);
	return HTTP_OK;
}

static int status(struct admin *admin, struct buf *page)
{
	status_json(&admin->status, page);
	return HTTP_OK;
}

static int expiring(struct admin *admin, struct buf *page)
{
	status_expiring_json(&admin->status, page);
	return HTTP_OK;
}

static int history(struct admin *admin, struct buf *page)
{
	history_json(admin->status.history, clock_wall(), page);
	return HTTP_OK;
}

static int events(struct admin *admin, struct buf *page)
{
	recent_json(admin->opts.recent, page);
	return HTTP_OK;
}

static int root(struct admin *admin, struct buf *page)
{
	struct slice html = status_page_html(admin->page);

	buf_append(page, html.p, html.len);
	return HTTP_OK;
}

/* Fills page; the HTTP status. */
typedef int fill_fn(struct admin *admin, struct buf *page);

static const struct page {
	const char *path;
	enum evhttp_cmd_type method;
	enum admin_ask ask;
	const char *type; /* of the answer of fill; or of the body that is wanted */
	fill_fn *fill;
	admin_page_fn *serve;
} pages[] = {
    {"/", EVHTTP_REQ_GET, ADMIN_READ, TYPE_HTML, root, NULL},
    {"/healthz", EVHTTP_REQ_GET, ADMIN_PUBLIC, TYPE_TEXT, healthz, NULL},
    {"/readyz", EVHTTP_REQ_GET, ADMIN_PUBLIC, TYPE_TEXT, readyz, NULL},
    {"/metrics", EVHTTP_REQ_GET, ADMIN_PUBLIC, NULL, NULL, metrics},
    {"/api/v1/status", EVHTTP_REQ_GET, ADMIN_READ, TYPE_JSON, status, NULL},
    {"/api/v1/runway", EVHTTP_REQ_GET, ADMIN_READ, TYPE_JSON, runway, NULL},
    {"/api/v1/expiring", EVHTTP_REQ_GET, ADMIN_READ, TYPE_JSON, expiring, NULL},
    {"/api/v1/history", EVHTTP_REQ_GET, ADMIN_READ, TYPE_JSON, history, NULL},
    {"/api/v1/events", EVHTTP_REQ_GET, ADMIN_READ, TYPE_JSON, events, NULL},
    {"/api/v1/entries", EVHTTP_REQ_GET, ADMIN_READ, NULL, NULL, admin_entries},
    {"/api/v1/explain", EVHTTP_REQ_GET, ADMIN_READ, NULL, NULL, admin_explain},
    {"/api/v1/export", EVHTTP_REQ_GET, ADMIN_READ, NULL, NULL, admin_export},
    {"/api/v1/purge", EVHTTP_REQ_POST, ADMIN_CHANGE, TYPE_JSON, NULL, admin_purge},
    {"/api/v1/refresh", EVHTTP_REQ_POST, ADMIN_CHANGE, TYPE_JSON, NULL, admin_refresh},
    {"/api/v1/warm", EVHTTP_REQ_POST, ADMIN_CHANGE, TYPE_PEM, NULL, admin_warm},
    {"/api/v1/import", EVHTTP_REQ_POST, ADMIN_CHANGE, TYPE_BUNDLE, NULL, admin_import},
    {"/api/v1/rehearse", EVHTTP_REQ_POST, ADMIN_CHANGE, TYPE_JSON, NULL, admin_rehearse},
    {"/api/v1/reload", EVHTTP_REQ_POST, ADMIN_CHANGE, TYPE_JSON, NULL, admin_reload},
};

void admin_send(struct evhttp_request *request, int code, const char *type, const struct buf *page)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || page->err != OK || evbuffer_add(body, page->p, page->len) != 0) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	} else {
		evhttp_add_header(fields, "Content-Type", type);
		evhttp_add_header(fields, "Cache-Control", "no-store");
		evhttp_add_header(fields, "X-Content-Type-Options", "nosniff");
		evhttp_add_header(fields, "Cross-Origin-Resource-Policy", "same-origin");
		evhttp_send_reply(request, code, NULL, body);
	}
	if (body != NULL)
		evbuffer_free(body);
}

void admin_refuse(struct evhttp_request *request, int code, const char *fmt, ...)
{
	char text[512];
	struct buf page;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_init(&page, 8 * sizeof(text));
	buf_text(&page, "{\"error\":\"");
	buf_json(&page, slice_text(text));
	buf_text(&page, "\"}\n");
	admin_send(request, code, TYPE_JSON, &page);
	buf_fini(&page);
}

/* What comes at once and whole. */
static bool has_head(const struct page *page)
{
	return page->fill != NULL || page->serve == metrics;
}

static bool is_for(const struct page *page, enum evhttp_cmd_type command)
{
	return command == page->method || (has_head(page) && command == EVHTTP_REQ_HEAD);
}

/* What the status page may do in a browser; it tells nobody where it came from. */
static void allow_page(struct admin *admin, struct evhttp_request *request)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);

	evhttp_add_header(fields, "Content-Security-Policy", status_page_policy(admin->page));
	evhttp_add_header(fields, "Referrer-Policy", "no-referrer");
	evhttp_add_header(fields, "Cross-Origin-Opener-Policy", "same-origin");
}

static void serve(struct admin *admin, const struct page *page, struct evhttp_request *request)
{
	const struct admin_refusal *refusal =
	    admin_guard(&admin->door, page->ask, page->type, request);
	struct buf body;
	int code;

	if (refusal != NULL) {
		admin_refuse(request, refusal->code, "%s", refusal->text);
	} else if (page->serve != NULL) {
		page->serve(admin, request);
	} else {
		buf_init(&body, MAX_PAGE);
		code = page->fill(admin, &body);
		if (page->fill == root)
			allow_page(admin, request);
		admin_send(request, code, page->type, &body);
		buf_fini(&body);
	}
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct admin *admin = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	size_t i = 0;

	while (i < N_ELEMENTS(pages) && (path == NULL || strcmp(path, pages[i].path) != 0))
		i++;
	if (i == N_ELEMENTS(pages)) {
		admin_refuse(request, HTTP_NOTFOUND, "not found");
	} else if (is_for(&pages[i], evhttp_request_get_command(request))) {
		serve(admin, &pages[i], request);
	} else {
		const char *allow = has_head(&pages[i])			? "GET, HEAD"
				    : pages[i].method == EVHTTP_REQ_GET ? "GET"
									: "POST";

		evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", allow);
		admin_refuse(request, HTTP_BADMETHOD, "only %s", allow);
	}
}

void admin_put_store(struct admin *admin, size_t i, struct buf *out)
{
	buf_text(out, "{\"store\":\"");
	buf_json(out, slice_text(relay_store(admin->status.relay, i).name));
	buf_text(out, "\"");
}

struct admin *admin_open(const struct admin_opts *opts)
{
	const struct settings *settings = opts->settings;
	struct admin *admin = calloc(1, sizeof(*admin));
	char *item = strdup(settings->top.admin);
	const struct text_list addresses = {.items = &item, .n = 1};
	const struct sockets_opts how = {.n_copies = 1, .mode = 0660, .user = settings->top.user};

	if (admin == NULL || item == NULL)
		goto fail;
	list_init(&admin->replies);
	list_init(&admin->purgings);
	list_init(&admin->reloads_next);
	list_init(&admin->reloads);
	admin->opts = *opts;
	if (*item != '\0') {
		admin->sockets = sockets_open(&addresses, &how);
		if (admin->sockets == NULL)
			goto fail;
	}
	admin->address = item;
	admin_set_settings(admin, settings);
	return admin;
fail:
	free(item);
	free(admin);
	return NULL;
}

err_t admin_serve(struct admin *admin, struct relay *relay)
{
	size_t max_record = admin->opts.settings->limits.max_upstream_response;

	admin->status.relay = relay;
	admin->status.started_at = clock_wall();
	if (admin->sockets == NULL)
		return OK;
	admin->http = evhttp_new(loop_base(admin->opts.loop));
	admin->page = status_page_new();
	admin->status.history = history_new(admin->opts.loop);
	if (admin->http == NULL || admin->page == NULL || admin->status.history == NULL)
		return ERR_NO_MEMORY;
	/* All that are to be refused by us: to others evhttp says 501. */
	evhttp_set_allowed_methods(admin->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(admin->http, 16384);
	evhttp_set_max_body_size(admin->http, (ev_ssize_t)(MAX_BODY + max_record));
	evhttp_set_timeout(admin->http, IDLE_TIMEOUT);
	evhttp_set_gencb(admin->http, on_request, admin);
	for (size_t i = 0; i < sockets_count(admin->sockets); i++) {
		/* evhttp closes what it is given; ours stays the sockets' */
		int fd = fcntl(sockets_fd(admin->sockets, i, 0), F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return ERR_SYSTEM;
		if (evhttp_accept_socket_with_handle(admin->http, fd) == NULL) {
			close(fd);
			return ERR_NO_MEMORY;
		}
		LOG(LISTEN, LOG_TEXT("address", sockets_name(admin->sockets, i)),
		    LOG_TEXT("for", "admin"));
	}
	return OK;
}

/* The address stays as it was opened. */
void admin_set_settings(struct admin *admin, const struct settings *settings)
{
	admin->opts.settings = settings;
	admin->status.settings = settings;
	admin->door =
	    (struct admin_door){.address = admin->address, .token = settings->admin_token};
}

void admin_close(struct admin *admin)
{
	if (admin == NULL)
		return;
	admin_replies_drop(&admin->replies);
	admin_purgings_drop(admin);
	if (admin->http != NULL)
		evhttp_free(admin->http);
	status_page_free(admin->page);
	history_free(admin->status.history);
	sockets_close(admin->sockets);
	free(admin->address);
	free(admin);
}
