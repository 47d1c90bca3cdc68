/* SPDX-License-Identifier: ISC */
/* In front of the relay: the stand-ins of server.h, networks.h and sockets.h. */
#include "stage_clients.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/sockets.h"
#include "stage.h"

/* --- server.h --------------------------------------------------------------------------------- */

struct server {
	struct server_opts opts;
	struct list clients;
	bool is_draining;
	struct timer *drained;
	char *room; /* of connection_reply_buffer; NULL: not valid any more */
};

static struct server *newest_server;

struct connection {
	struct list link;
	struct server *server;
	void *context;
	bool is_open, wants_close, is_closed;
	unsigned n_answers;
	char *text; /* of the last answer, a NUL behind it */
	size_t len;
	struct slice address;
	void (*on_answer)(void *arg);
	void *arg;
};

struct server *server_new(const struct server_opts *opts)
{
	struct server *server = stage_new(sizeof(*server));

	if (server == NULL)
		return NULL;
	server->opts = *opts;
	list_init(&server->clients);
	newest_server = server;
	return server;
}

struct server *stage_newest_server(void)
{
	return newest_server;
}

void stage_hang_up(struct connection *client)
{
	const struct server_door *door = &client->server->opts.door;

	client->is_closed = true;
	if (!client->is_open)
		return;
	client->is_open = false;
	door->gone(door->arg, client, client->context);
}

void server_free(struct server *server)
{
	struct list *node;

	if (server == NULL)
		return;
	timer_cancel(server->drained);
	free(server->room);
	while ((node = list_shift(&server->clients)) != NULL) {
		struct connection *client = LIST_ENTRY(node, struct connection, link);

		stage_hang_up(client);
		free(client->text);
		free(client);
	}
	stage_free(server);
}

err_t server_listen(struct server *server, int fd)
{
	(void)server;
	(void)fd;
	return OK;
}

void server_set_limits(struct server *server, const struct settings_limits *limits,
		       const struct networks *allow)
{
	server->opts.limits = limits;
	server->opts.allow = allow;
}

const struct settings_limits *stage_limits(const struct server *server)
{
	return server->opts.limits;
}

static void on_drained(void *arg)
{
	struct server *server = arg;

	server->drained = NULL;
	server->opts.door.drained(server->opts.door.arg);
}

/* The last open request of a server that drains has been answered, or there was none. */
static void look_whether_drained(struct server *server)
{
	if (!server->is_draining)
		return;
	for (struct list *node = server->clients.next; node != &server->clients;
	     node = node->next) {
		if (LIST_ENTRY(node, struct connection, link)->is_open)
			return;
	}
	if (server->drained == NULL)
		server->drained = timer_start(server->opts.loop, 0, on_drained, server);
}

void server_drain(struct server *server)
{
	server->is_draining = true;
	look_whether_drained(server);
}

static void spoil_room(struct server *server)
{
	free(server->room);
	server->room = NULL;
}

char *connection_reply_buffer(struct connection *client)
{
	cr_assert(client->is_open, "answered twice");
	spoil_room(client->server);
	client->server->room = stage_take(MAX_REPLY_ERROR);
	return client->server->room;
}

static void append(struct connection *client, struct slice octets)
{
	client->text = realloc(client->text, client->len + octets.len + 1);
	cr_assert_not_null(client->text);
	if (octets.len > 0)
		memcpy(client->text + client->len, octets.p, octets.len);
	client->len += octets.len;
	client->text[client->len] = '\0';
}

void connection_reply(struct connection *client, size_t head_len, struct entry *entry, bool close)
{
	cr_assert(client->is_open, "answered twice");
	cr_assert_not_null(client->server->room);
	client->is_open = false;
	client->is_closed = close;
	client->n_answers++;
	client->len = 0;
	append(client, slice_of(client->server->room, head_len));
	cr_expect_eq(close, strstr(client->text, "\r\nConnection: close\r\n") != NULL);
	if (entry != NULL) {
		append(client, entry_head(entry));
		append(client, entry_tail(entry));
	}
	entry_unref(entry);
	look_whether_drained(client->server);
	if (client->on_answer != NULL)
		client->on_answer(client->arg);
}

bool connection_will_close(const struct connection *client)
{
	return client->wants_close || client->server->is_draining;
}

void connection_set_context(struct connection *client, void *context)
{
	client->context = context;
}

struct slice connection_address(const struct connection *client)
{
	return client->address;
}

const char *connection_peer(struct connection *client)
{
	spoil_room(client->server);
	return "192.0.2.7";
}

struct connection *stage_connect(struct server *server)
{
	struct connection *client = stage_take(sizeof(*client));

	client->server = server;
	client->address = slice_of("\xc0\0\2\7", 4);
	list_append(&server->clients, &client->link);
	return client;
}

void stage_on_answer(struct connection *client, void (*fn)(void *arg), void *arg)
{
	client->on_answer = fn;
	client->arg = arg;
}

void stage_move(struct connection *client, struct slice address)
{
	client->address = address;
}

static void open_request(struct connection *client, const struct http_request *http)
{
	cr_assert_not(client->is_open, "the former request is still open");
	client->is_open = true;
	client->context = NULL;
	client->wants_close = http == NULL || !(http->flags & HTTP_KEEP_ALIVE);
}

void stage_ask(struct connection *client, const struct http_request *http, struct slice body)
{
	const struct server_door *door = &client->server->opts.door;
	struct http_request *copied = stage_take(sizeof(*copied));
	struct slice target = stage_copy(http->target);

	open_request(client, http);
	body = stage_copy(body);
	*copied = *http;
	copied->target = target;
	door->request(door->arg, client, copied, body);
	stage_release(target);
	stage_release(body);
	free(copied);
}

void stage_refuse(struct connection *client, err_t err, const struct http_request *http)
{
	const struct server_door *door = &client->server->opts.door;

	open_request(client, http);
	door->refuse(door->arg, client, err, http);
	cr_assert_not(client->is_open, "a refusal is answered at once");
}

unsigned stage_answers(const struct connection *client)
{
	return client->n_answers;
}

unsigned stage_status(const struct connection *client)
{
	return client->n_answers > 0 ? (unsigned)atoi(client->text + strlen("HTTP/1.1 ")) : 0;
}

struct slice stage_body(const struct connection *client)
{
	const char *end = client->n_answers > 0 ? strstr(client->text, "\r\n\r\n") : NULL;
	size_t head_len;

	cr_assert_not_null(end, "there is no answer yet");
	head_len = (size_t)(end + 4 - client->text);
	return slice_of(client->text + head_len, client->len - head_len);
}

const char *stage_field(const struct connection *client, const char *name)
{
	static char value[MAX_REPLY_ERROR];
	struct slice body = stage_body(client);
	size_t name_len = strlen(name);

	for (const char *line = strstr(client->text, "\r\n") + 2; line + 2 < (const char *)body.p;
	     line = strstr(line, "\r\n") + 2) {
		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		line += name_len + 2;
		snprintf(value, sizeof(value), "%.*s", (int)(strstr(line, "\r\n") - line), line);
		return value;
	}
	return "";
}

bool stage_is_closed(const struct connection *client)
{
	return client->is_closed;
}

/* --- networks.h, sockets.h -------------------------------------------------------------------- */

struct networks {
	size_t n;
};

err_t networks_new(const struct text_list *items, struct networks **out, size_t *out_bad)
{
	struct networks *networks = stage_new(sizeof(*networks));

	(void)out_bad;
	if (networks == NULL)
		return ERR_NO_MEMORY;
	networks->n = items->n;
	*out = networks;
	return OK;
}

void networks_free(struct networks *networks)
{
	stage_free(networks);
}

struct sockets {
	const struct text_list *addresses;
};

struct sockets *sockets_open(const struct text_list *addresses, const struct sockets_opts *opts)
{
	struct sockets *sockets = stage_new(sizeof(*sockets));

	(void)opts;
	if (sockets != NULL)
		sockets->addresses = addresses;
	return sockets;
}

void sockets_shut(struct sockets *sockets)
{
	(void)sockets;
}

void sockets_close(struct sockets *sockets)
{
	stage_free(sockets);
}

size_t sockets_count(const struct sockets *sockets)
{
	return sockets->addresses->n;
}

int sockets_fd(const struct sockets *sockets, size_t i, unsigned copy_number)
{
	(void)sockets;
	(void)i;
	(void)copy_number;
	return -1;
}

const char *sockets_name(const struct sockets *sockets, size_t i)
{
	return sockets->addresses->items[i];
}
