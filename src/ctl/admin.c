/* SPDX-License-Identifier: ISC */
/*
 * The admin listener on evhttp: a table of paths. evhttp is good enough here: few requests, from
 * those who run the relay, never on a client's path.
 */
#include "ctl/admin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "base/buf.h"
#include "base/log.h"
#include "ctl/metrics.h"
#include "ctl/status.h"
#include "io/clock.h"
#include "io/sockets.h"
#include "relay/relay.h"

#define MAX_PAGE     67108864
#define IDLE_TIMEOUT 10 /* seconds */
#define PLAIN_TEXT   "text/plain; charset=utf-8"

struct admin {
	struct loop *loop;
	struct sockets *sockets; /* NULL: no listener was wanted */
	struct evhttp *http;
	struct status_context status;
};

/* Fills page; the HTTP status. */
typedef int page_fn(struct admin *admin, struct buf *page);

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

static int metrics(struct admin *admin, struct buf *page)
{
	metrics_page(admin->status.relay, page);
	return HTTP_OK;
}

static int status(struct admin *admin, struct buf *page)
{
	status_json(&admin->status, page);
	return HTTP_OK;
}

static const struct {
	const char *path, *type;
	page_fn *fn;
} pages[] = {
    {"/healthz", PLAIN_TEXT, healthz},
    {"/readyz", PLAIN_TEXT, readyz},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics},
    {"/api/v1/status", "application/json", status},
};

static bool may_ask(struct evhttp_request *request)
{
	enum evhttp_cmd_type command = evhttp_request_get_command(request);

	return command == EVHTTP_REQ_GET || command == EVHTTP_REQ_HEAD;
}

/* What no row of the table answers. */
static int refuse(struct evhttp_request *request, struct buf *page)
{
	if (may_ask(request)) {
		buf_text(page, "not found\n");
		return HTTP_NOTFOUND;
	}
	evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
	buf_text(page, "only GET and HEAD\n");
	return HTTP_BADMETHOD;
}

static void send_page(struct evhttp_request *request, int code, const char *type,
		      const struct buf *page)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || page->err != OK || evbuffer_add(body, page->p, page->len) != 0) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	} else {
		evhttp_add_header(fields, "Content-Type", type);
		evhttp_add_header(fields, "Cache-Control", "no-store");
		evhttp_add_header(fields, "X-Content-Type-Options", "nosniff");
		evhttp_send_reply(request, code, NULL, body);
	}
	if (body != NULL)
		evbuffer_free(body);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct admin *admin = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct buf page;
	size_t i = 0;
	int code;

	while (i < N_ELEMENTS(pages) && (path == NULL || strcmp(path, pages[i].path) != 0))
		i++;
	buf_init(&page, MAX_PAGE);
	if (i < N_ELEMENTS(pages) && may_ask(request)) {
		code = pages[i].fn(admin, &page);
		send_page(request, code, pages[i].type, &page);
	} else {
		code = refuse(request, &page);
		send_page(request, code, PLAIN_TEXT, &page);
	}
	buf_fini(&page);
}

struct admin *admin_open(struct loop *loop, const char *address, const char *user)
{
	struct admin *admin = calloc(1, sizeof(*admin));
	char *item = strdup(address);
	const struct text_list addresses = {.items = &item, .n = 1};
	const struct sockets_opts opts = {.n_copies = 1, .mode = 0660, .user = user};

	if (admin == NULL || item == NULL)
		goto fail;
	admin->loop = loop;
	if (*address != '\0') {
		admin->sockets = sockets_open(&addresses, &opts);
		if (admin->sockets == NULL)
			goto fail;
	}
	free(item);
	return admin;
fail:
	free(item);
	free(admin);
	return NULL;
}

err_t admin_serve(struct admin *admin, struct relay *relay, const struct settings *settings)
{
	admin->status = (struct status_context){
	    .relay = relay, .settings = settings, .started_at = clock_wall()};
	if (admin->sockets == NULL)
		return OK;
	admin->http = evhttp_new(loop_base(admin->loop));
	if (admin->http == NULL)
		return ERR_NO_MEMORY;
	/* All that are to be refused by us: to others evhttp says 501. */
	evhttp_set_allowed_methods(admin->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_max_headers_size(admin->http, 16384);
	evhttp_set_max_body_size(admin->http, 16384);
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

void admin_set_settings(struct admin *admin, const struct settings *settings)
{
	admin->status.settings = settings;
}

void admin_close(struct admin *admin)
{
	if (admin == NULL)
		return;
	if (admin->http != NULL)
		evhttp_free(admin->http);
	sockets_close(admin->sockets);
	free(admin);
}
