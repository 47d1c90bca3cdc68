/* SPDX-License-Identifier: ISC */
/*
 * Over evhttp: a request whose connection has ended belongs to us until we end the reply, which
 * then only frees it.
 */
#include "ctl/admin_reply.h"

#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "ctl/admin_pages.h"

#define WRITE_TIMEOUT 60 /* seconds for a client to take anything of a part */

struct admin_reply {
	struct list link;
	struct evhttp_request *request;
	struct admin_reply_ops ops;
};

static void forget(struct admin_reply *reply)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(reply->request);

	if (connection != NULL)
		evhttp_connection_set_closecb(connection, NULL, NULL);
	list_remove(&reply->link);
	free(reply);
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
	struct admin_reply *reply = arg;
	struct evhttp_request *request = reply->request;
	struct admin_reply_ops ops = reply->ops;

	evhttp_connection_set_closecb(connection, NULL, NULL);
	list_remove(&reply->link);
	free(reply);
	if (evhttp_request_get_connection(request) == NULL)
		evhttp_send_reply_end(request);
	ops.gone(ops.arg);
}

/* Nothing is to be read while it is answered, however long that takes. */
static void wait_for_nothing(struct evhttp_connection *connection)
{
	const struct timeval write = {.tv_sec = WRITE_TIMEOUT};

	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), NULL, &write);
}

struct admin_reply *admin_reply_new(struct list *replies, struct evhttp_request *request,
				    const struct admin_reply_ops *ops)
{
	struct admin_reply *reply = calloc(1, sizeof(*reply));
	struct evhttp_connection *connection = evhttp_request_get_connection(request);

	if (reply == NULL) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return NULL;
	}
	reply->request = request;
	reply->ops = *ops;
	list_append(replies, &reply->link);
	evhttp_connection_set_closecb(connection, on_close, reply);
	wait_for_nothing(connection);
	return reply;
}

void admin_reply_whole(struct admin_reply *reply, int code, const char *type,
		       const struct buf *page)
{
	struct evhttp_request *request = reply->request;

	forget(reply);
	admin_send(request, code, type, page);
}

void admin_reply_begin(struct admin_reply *reply, const char *type)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(reply->request);

	evhttp_add_header(fields, "Content-Type", type);
	evhttp_add_header(fields, "Cache-Control", "no-store");
	evhttp_add_header(fields, "X-Content-Type-Options", "nosniff");
	evhttp_send_reply_start(reply->request, HTTP_OK, NULL);
}

static void on_sent(struct evhttp_connection *connection, void *arg)
{
	struct admin_reply *reply = arg;

	(void)connection;
	reply->ops.more(reply->ops.arg);
}

/* Without memory the reply ends here, and lacks what ends it in its own terms. */
void admin_reply_part(struct admin_reply *reply, const struct buf *part)
{
	struct evbuffer *octets = evbuffer_new();

	if (octets != NULL && part->err == OK && evbuffer_add(octets, part->p, part->len) == 0) {
		evhttp_send_reply_chunk_with_cb(reply->request, octets, on_sent, reply);
	} else {
		struct admin_reply_ops ops = reply->ops;

		admin_reply_end(reply);
		ops.gone(ops.arg);
	}
	if (octets != NULL)
		evbuffer_free(octets);
}

void admin_reply_end(struct admin_reply *reply)
{
	struct evhttp_request *request = reply->request;

	forget(reply);
	evhttp_send_reply_end(request);
}

void admin_replies_drop(struct list *replies)
{
	while (!list_is_empty(replies)) {
		struct admin_reply *reply = LIST_ENTRY(replies->next, struct admin_reply, link);
		struct admin_reply_ops ops = reply->ops;

		forget(reply);
		ops.gone(ops.arg);
	}
}
