/* SPDX-License-Identifier: ISC */
/*
 * Who may connect, for how long, and the end of it. Time limits cost nothing per request: entering
 * a phase notes the time and appends to the phase's list, and one timer looks at the lists' fronts.
 *
 * What cannot be done where it is found necessary (freeing a connection that callers still stand
 * on, looking at octets read ahead, telling the door that all are gone) is done by the event later,
 * which runs in the same turn of the loop after what is active already.
 */
#include "io/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"
#include "io/connection.h"

#define MAX_ACCEPTS 64	/* per turn of the loop and listening socket */
#define MAX_TICK_MS 250 /* also how long accepting pauses at most when descriptors run out */
#define MIN_TICK_MS 5

struct listener {
	struct list link; /* in the server's listeners */
	struct server *server;
	struct event event;
};

static struct connection *first_in(struct server *server, enum phase phase)
{
	struct list *list = &server->phases[phase];

	return list_is_empty(list) ? NULL : LIST_ENTRY(list->next, struct connection, link);
}

/* --- time limits ------------------------------------------------------------------------------ */

/* -1: none. */
static int64_t time_limit(const struct settings_limits *limits, enum phase phase)
{
	switch (phase) {
	case PHASE_IDLE:
		return limits->idle_timeout;
	case PHASE_HEAD:
		return limits->header_timeout;
	case PHASE_BODY:
		return limits->body_timeout;
	case PHASE_WRITING:
		return limits->write_timeout;
	case PHASE_LINGERING:
		return LINGER_MS;
	case PHASE_WAITING: /* the door always answers */
	case PHASE_READY:
	case PHASE_DEAD:
	case N_PHASES:
		break;
	}
	return -1;
}

static void expire(struct connection *connection)
{
	if (connection->phase == PHASE_HEAD || connection->phase == PHASE_BODY)
		connection_refuse(connection, ERR_HTTP_TIMEOUT);
	else
		connection_drop(connection);
}

static void watch_listeners(struct server *server, bool is_accepting)
{
	for (struct list *node = server->listeners.next; node != &server->listeners;
	     node = node->next) {
		struct event *event = &LIST_ENTRY(node, struct listener, link)->event;

		if (!is_accepting)
			event_del(event);
		else if (event_add(event, NULL) != 0)
			return; /* the next tick tries again */
	}
	server->is_paused = !is_accepting;
}

static void on_tick(void *arg)
{
	struct server *server = arg;
	int64_t now = clock_tick_ms();

	for (enum phase phase = 0; phase < N_PHASES; phase++) {
		int64_t limit = time_limit(server->limits, phase);
		struct connection *connection;

		/* Whatever expires goes to another list, or to the end of this one. */
		while (limit >= 0 && (connection = first_in(server, phase)) &&
		       now - connection->ms_entered >= limit)
			expire(connection);
	}
	if (server->is_paused)
		watch_listeners(server, true);
}

static int64_t tick_ms(const struct settings_limits *limits)
{
	int64_t ms = MAX_TICK_MS;

	for (enum phase phase = 0; phase < N_PHASES; phase++) {
		int64_t limit = time_limit(limits, phase);

		if (limit >= 0 && limit / 4 < ms)
			ms = limit / 4;
	}
	return ms > MIN_TICK_MS ? ms : MIN_TICK_MS;
}

/* --- later ------------------------------------------------------------------------------------ */

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	struct connection *connection;

	(void)fd;
	(void)what;
	while ((connection = first_in(server, PHASE_READY)))
		connection_resume(connection);
	while ((connection = first_in(server, PHASE_DEAD)))
		connection_free(connection);
	if (server->is_draining && server->n_connections == 0 && !server->has_drained) {
		server->has_drained = true;
		server->door.drained(server->door.arg);
	}
}

void server_look_later(struct server *server)
{
	event_active(&server->later, EV_TIMEOUT, 0);
}

/* --- accepting -------------------------------------------------------------------------------- */

/* The client's address in 4 or 16 octets, borrowed; none of a Unix socket. */
static struct slice address_of(const struct sockaddr_storage *storage)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;

	if (storage->ss_family == AF_INET)
		return slice_of(&v4->sin_addr, 4);
	if (storage->ss_family != AF_INET6)
		return slice_of(NULL, 0);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return slice_of(v6->sin6_addr.s6_addr + 12, 4);
	return slice_of(&v6->sin6_addr, 16);
}

/* Makes room for a new connection at the cost of the one that misses it least. */
static bool evict(struct server *server)
{
	struct connection *victim = first_in(server, PHASE_LINGERING);

	if (!victim)
		victim = first_in(server, PHASE_IDLE);
	if (!victim)
		return false;
	connection_drop(victim);
	return true;
}

static bool may_enter(struct server *server, struct slice address)
{
	const struct settings_limits *limits = server->limits;
	enum addresses_result result;

	do
		result = addresses_enter(server->addresses, address, server->max_connections,
					 limits->max_connections_per_address);
	while (result == ADDRESSES_FULL && evict(server));
	return result == ADDRESSES_OK;
}

static void admit(struct server *server, int fd, const struct sockaddr_storage *storage)
{
	struct slice address = address_of(storage);
	int one = 1;

	if (!networks_has(server->allow, (const struct sockaddr *)storage) ||
	    !may_enter(server, address)) {
		close(fd);
		counter_add(METRIC_CONNECTIONS_REFUSED, 0, 0, 0, 1);
		return;
	}
	/* Answers are written whole: nothing is gained by waiting for more. */
	if (address.len > 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!connection_new(server, fd, address)) {
		addresses_leave(server->addresses, address);
		close(fd);
		counter_add(METRIC_CONNECTIONS_REFUSED, 0, 0, 0, 1);
		return;
	}
	server->n_connections++;
	counter_add(METRIC_CONNECTIONS, 0, 0, 0, 1);
	counter_add(METRIC_CONNECTIONS_TOTAL, 0, 0, 0, 1);
}

static void on_acceptable(evutil_socket_t listening, short what, void *arg)
{
	struct listener *listener = arg;
	struct server *server = listener->server;

	(void)what;
	for (unsigned i = 0; i < MAX_ACCEPTS; i++) {
		struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(storage);
		int fd = accept4(listening, (struct sockaddr *)&storage, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(server, fd, &storage);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			/* No descriptors or memory: the event would come again at once. EINVAL:
			 * shut, we are about to be drained. */
			if (errno != EINVAL)
				LOG(SYSTEM, LOG_TEXT("call", "accept"),
				    LOG_TEXT("error", strerror(errno)));
			watch_listeners(server, false);
			return;
		}
	}
}

err_t server_listen(struct server *server, int fd)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return ERR_NO_MEMORY;
	listener->server = server;
	if (event_assign(&listener->event, loop_base(server->loop), fd, EV_READ | EV_PERSIST,
			 on_acceptable, listener) != 0 ||
	    event_add(&listener->event, NULL) != 0) {
		free(listener);
		return ERR_SYSTEM;
	}
	list_append(&server->listeners, &listener->link);
	return OK;
}

static void end_listening(struct server *server)
{
	struct list *node;

	while ((node = list_shift(&server->listeners))) {
		struct listener *listener = LIST_ENTRY(node, struct listener, link);

		event_del(&listener->event);
		free(listener);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

/* As many descriptors as may be had, a quarter of which is not for clients: without any left, no
 * responder could be asked and no store be opened, and nobody idle would be closed in favour of who
 * comes. */
static size_t clients_at_most(size_t max_connections)
{
	struct rlimit limit;
	rlim_t n;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return max_connections;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	n = limit.rlim_cur - limit.rlim_cur / 4;
	return n < max_connections ? (size_t)n : max_connections;
}

static void take_limits(struct server *server, const struct settings_limits *limits,
			const struct networks *allow)
{
	server->limits = limits;
	server->allow = allow;
	server->max_connections = clients_at_most(limits->max_connections);
	server->http.max_request_line = limits->max_request_line;
	server->http.max_header_bytes = limits->max_header_bytes;
	server->http.max_headers = (unsigned)limits->max_headers;
	server->http.max_request_body = limits->max_request_body;
}

struct server *server_new(const struct server_opts *opts)
{
	/* Not calloc: most of it is buffers, whose pages come when they are used. */
	struct server *server = malloc(sizeof(*server));

	if (!server)
		return NULL;
	memset(server, 0, offsetof(struct server, outbox));
	server->loop = opts->loop;
	server->door = opts->door;
	server->addresses = opts->addresses;
	server->http.own_via = slice_text(opts->pseudonym);
	take_limits(server, opts->limits, opts->allow);
	list_init(&server->listeners);
	for (enum phase phase = 0; phase < N_PHASES; phase++)
		list_init(&server->phases[phase]);
	outbox_init(&server->outbox);
	if (event_assign(&server->later, loop_base(opts->loop), -1, 0, on_later, server) != 0)
		goto out;
	server->tick = timer_every(opts->loop, tick_ms(opts->limits), on_tick, server);
	if (!server->tick)
		goto out;
	return server;
out:
	free(server);
	return NULL;
}

void server_free(struct server *server)
{
	struct connection *connection;

	if (!server)
		return;
	end_listening(server);
	timer_cancel(server->tick);
	for (enum phase phase = 0; phase < PHASE_DEAD; phase++) {
		while ((connection = first_in(server, phase)))
			connection_drop(connection);
	}
	while ((connection = first_in(server, PHASE_DEAD)))
		connection_free(connection);
	event_del(&server->later);
	free(server);
}

void server_set_limits(struct server *server, const struct settings_limits *limits,
		       const struct networks *allow)
{
	struct timer *tick;

	take_limits(server, limits, allow);
	/* Without memory the old pace stays: limits are then kept less exactly. */
	tick = timer_every(server->loop, tick_ms(limits), on_tick, server);
	if (!tick)
		return;
	timer_cancel(server->tick);
	server->tick = tick;
}

/* Whether the start of a request is here that has not been read yet. */
static bool has_unread(const struct connection *connection)
{
	uint8_t octet;

	return recv(connection->fd, &octet, 1, MSG_PEEK) > 0;
}

void server_drain(struct server *server)
{
	struct list *idle = &server->phases[PHASE_IDLE];

	server->is_draining = true;
	end_listening(server);
	for (struct list *node = idle->next, *next; node != idle; node = next) {
		struct connection *connection = LIST_ENTRY(node, struct connection, link);

		next = node->next;
		if (connection != server->turn && !has_unread(connection))
			connection_drop(connection);
	}
	server_look_later(server);
}
