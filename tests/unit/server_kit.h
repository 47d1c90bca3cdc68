/* SPDX-License-Identifier: ISC */
/*
 * A server on loopback with a tiny door, and its clients, all on one thread: whoever waits runs the
 * loop until what it waits for has happened.
 *
 * The door answers "<METHOD target body>", with a "$" before the ">" when the connection is going
 * to close. Targets with a meaning: /hold is answered by kit_release, /entry is followed by the
 * octets of kit.entry. A refusal is answered "<!status>", and "<!status+>" when the request was
 * understood.
 */
#ifndef OCSPRELAY_TESTS_SERVER_KIT_H
#define OCSPRELAY_TESTS_SERVER_KIT_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "entries.h"
#include "io/clock.h"
#include "io/connection.h"
#include "io/server.h"

#define KIT_PATIENCE_MS 20000 /* then a test has failed */

struct client {
	int fd;
	char *in; /* with a NUL behind it */
	size_t len;
	bool is_closed; /* the server has ended its side */
	bool is_reset;
};

static struct {
	struct loop *loop;
	struct settings_limits limits;
	struct networks *allow;
	struct addresses *addresses;
	struct tails *tails;
	struct entry *entry; /* behind answers to /entry */
	struct server *server;
	int listening;
	unsigned n_requests, n_gone, n_drained;
	struct connection *held[1200];
	unsigned n_held;
	void *gone_context;
	char peer[64];				/* of the last request */
	void (*on_request)(const char *target); /* called before the answer; may be NULL */
	void (*on_answer)(const char *target);	/* and behind it */
} kit;

/* --- the door -------------------------------------------------------------------------------- */

static inline void kit_answer(struct connection *connection, struct entry *entry, const char *text)
{
	bool close = connection_will_close(connection);
	char *room = connection_reply_buffer(connection);
	int len = snprintf(room, MAX_REPLY_ERROR, "<%s%s>", text, close ? "$" : "");

	cr_assert_lt(len, MAX_REPLY_ERROR);
	connection_reply(connection, (size_t)len, entry, close);
}

static inline void kit_release(unsigned i)
{
	char text[32];

	snprintf(text, sizeof(text), "HELD %u", i);
	kit_answer(kit.held[i], NULL, text);
}

static inline void kit_on_request(void *arg, struct connection *connection,
				  const struct http_request *request, struct slice body)
{
	static const char *const methods[] = {"GET", "HEAD", "POST"};
	char target[64], text[1400];

	cr_assert_eq(arg, &kit);
	kit.n_requests++;
	snprintf(kit.peer, sizeof(kit.peer), "%s", connection_peer(connection));
	snprintf(target, sizeof(target), "%.*s", (int)request->target.len, request->target.p);
	snprintf(text, sizeof(text), "%s %s%s%.*s", methods[request->method], target,
		 body.len > 0 ? " " : "", body.len > 1000 ? 1000 : (int)body.len, body.p);
	if (kit.on_request)
		kit.on_request(target);
	if (strcmp(target, "/hold") == 0) {
		cr_assert_lt(kit.n_held, N_ELEMENTS(kit.held));
		connection_set_context(connection, &kit.held[kit.n_held]);
		kit.held[kit.n_held++] = connection;
		return;
	}
	kit_answer(connection, strcmp(target, "/entry") == 0 ? entry_ref(kit.entry) : NULL, text);
	if (kit.on_answer)
		kit.on_answer(target);
}

static inline void kit_on_refuse(void *arg, struct connection *connection, err_t err,
				 const struct http_request *request)
{
	char text[32];

	cr_assert_eq(arg, &kit);
	snprintf(text, sizeof(text), "!%u%s", err_row(err)->http, request ? "+" : "");
	kit_answer(connection, NULL, text);
}

static inline void kit_on_gone(void *arg, struct connection *connection, void *context)
{
	(void)arg;
	(void)connection;
	kit.n_gone++;
	kit.gone_context = context;
}

static inline void kit_on_drained(void *arg)
{
	(void)arg;
	kit.n_drained++;
}

/* --- the server ------------------------------------------------------------------------------ */

static inline void kit_open(void)
{
	static char *everybody[] = {(char *)(uintptr_t) "0.0.0.0/0", (char *)(uintptr_t) "::/0"};
	size_t bad;

	kit.limits = (struct settings_limits){
	    .max_request_line = 8192,
	    .max_header_bytes = 16384,
	    .max_headers = 64,
	    .max_request_body = 16384,
	    .max_connections = 4096,
	    .max_connections_per_address = 256,
	    .max_requests_per_connection = 1000,
	    .header_timeout = 5000,
	    .body_timeout = 5000,
	    .idle_timeout = 30000,
	    .write_timeout = 10000,
	};
	kit.loop = loop_new();
	kit.addresses = addresses_new(entries_hash_key);
	kit.tails = tails_new(entries_hash_key);
	cr_assert_eq(networks_new(&(struct text_list){everybody, 2}, &kit.allow, &bad), OK);
	kit.entry =
	    entry_of(kit.tails, &(struct entry_spec){.own_len = 500, .tail = slice_text("TAIL")});
	kit.listening = -1;
}

static inline void kit_listen(int domain, const struct sockaddr *address, socklen_t len)
{
	kit.listening = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_geq(kit.listening, 0);
	cr_assert_eq(bind(kit.listening, address, len), 0);
	cr_assert_eq(listen(kit.listening, 1024), 0);
	cr_assert_eq(server_listen(kit.server, kit.listening), OK);
}

/* With kit.limits as they are now. */
static inline void kit_start(void)
{
	struct sockaddr_in loopback = {.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct server_opts opts = {.loop = kit.loop,
				   .door = {.request = kit_on_request,
					    .refuse = kit_on_refuse,
					    .gone = kit_on_gone,
					    .drained = kit_on_drained,
					    .arg = &kit},
				   .limits = &kit.limits,
				   .allow = kit.allow,
				   .addresses = kit.addresses};

	kit.server = server_new(&opts);
	cr_assert_not_null(kit.server);
	kit_listen(AF_INET, (struct sockaddr *)&loopback, sizeof(loopback));
}

static inline void kit_close(void)
{
	server_free(kit.server);
	cr_expect_eq(addresses_total(kit.addresses), 0, "every connection was counted out");
	cr_expect_eq(atomic_load(&kit.entry->n_refs), 1, "no reference to the entry was lost");
	entry_unref(kit.entry);
	tails_free(kit.tails);
	addresses_free(kit.addresses);
	networks_free(kit.allow);
	if (kit.listening >= 0)
		close(kit.listening);
	loop_free(kit.loop);
}

/* One turn of the loop; the server's own timer ends it at the latest. */
static inline void kit_turn(void)
{
	static int64_t ms_first;

	if (ms_first == 0)
		ms_first = clock_mono_ms();
	cr_assert_lt(clock_mono_ms(), ms_first + KIT_PATIENCE_MS, "nothing happens any more");
	event_base_loop(loop_base(kit.loop), EVLOOP_ONCE);
}

/* --- clients --------------------------------------------------------------------------------- */

static inline struct client client_new(void)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct client client = {.in = calloc(1, 1)};
	int one = 1;

	cr_assert_eq(getsockname(kit.listening, (struct sockaddr *)&address, &len), 0);
	client.fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(client.fd, 0);
	cr_assert_eq(connect(client.fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
	(void)setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return client;
}

static inline void client_end(struct client *client)
{
	close(client->fd);
	free(client->in);
}

/* Sends all, running the loop while the socket is full. False: the connection is gone. */
static inline bool client_send(struct client *client, const void *octets, size_t len)
{
	const char *p = octets;

	while (len > 0) {
		ssize_t n = send(client->fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			kit_turn();
		else
			p += n, len -= (size_t)n;
	}
	return true;
}

static inline void client_say(struct client *client, const char *text)
{
	cr_assert(client_send(client, text, strlen(text)));
}

/* Takes what has arrived. */
static inline void client_pull(struct client *client)
{
	char octets[65536];
	ssize_t n;

	while ((n = recv(client->fd, octets, sizeof(octets), 0)) > 0) {
		client->in = realloc(client->in, client->len + (size_t)n + 1);
		memcpy(client->in + client->len, octets, (size_t)n);
		client->len += (size_t)n;
		client->in[client->len] = '\0';
	}
	client->is_closed |= n == 0;
	client->is_reset |= n < 0 && errno != EAGAIN;
}

/* Waits for exactly this text as the next that the server says. */
static inline void client_expect(struct client *client, const char *text)
{
	size_t len = strlen(text);

	for (client_pull(client); client->len < len && !client->is_closed && !client->is_reset;
	     client_pull(client))
		kit_turn();
	cr_assert_geq(client->len, len, "wanted %s, got %s and the end", text, client->in);
	cr_assert_eq(memcmp(client->in, text, len), 0, "wanted %s, got %s", text, client->in);
	client->len -= len;
	memmove(client->in, client->in + len, client->len + 1);
}

/* Waits until the server has ended its side, in order and without a further octet. */
static inline void client_expect_close(struct client *client)
{
	for (client_pull(client); !client->is_closed && !client->is_reset; client_pull(client))
		kit_turn();
	cr_assert_not(client->is_reset, "the answer may have been destroyed");
	cr_assert_str_eq(client->in, "");
}

/* The connection is still good: another request is answered. */
static inline void client_expect_open(struct client *client)
{
	client_say(client, "GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
	client_expect(client, "<GET /open>");
}

#endif
