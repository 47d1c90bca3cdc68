/* SPDX-License-Identifier: ISC */
/*
 * One connection: reading, framing, answering. The usual request is read whole into the thread's
 * buffer, answered from there by the door before it returns, and written at the end of the turn:
 * nothing is copied or allocated, no event is added or removed.
 *
 * All that happens to a connection ends in settle, which alone decides what comes next. Nothing is
 * dropped elsewhere: whoever finds it broken in the middle of something says so in is_broken. A
 * turn is never inside another one: connection_reply from inside the door's request only adds to
 * the outbox, and from elsewhere it makes the connection READY.
 *
 * What a client can make us keep: an incomplete request (the limits, and less than 64 KiB of it
 * doubly while it grows), or MAX_AHEAD octets behind an open one; and the answers of one outbox
 * that the socket did not take, since no further request is looked at before they are gone.
 */
#include "io/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "io/clock.h"

#define MIN_SAVED 512 /* octets allocated at least */

static void on_event(evutil_socket_t fd, short what, void *arg);

static void watch(struct connection *c, short what)
{
	if (c->watched == what)
		return;
	if (c->watched != 0)
		event_del(&c->event);
	c->watched = what;
	if (what == 0)
		return;
	if (event_assign(&c->event, loop_base(c->server->loop), c->fd, (short)(what | EV_PERSIST),
			 on_event, c) != 0 ||
	    event_add(&c->event, NULL) != 0) {
		c->watched = 0;
		c->is_broken = true;
	}
}

static void enter(struct connection *c, enum phase phase)
{
	list_remove(&c->link);
	list_append(&c->server->phases[phase], &c->link);
	c->phase = (uint8_t)phase;
	c->ms_entered = clock_tick_ms();
}

void connection_drop(struct connection *c)
{
	struct server *server = c->server;

	if (c->phase == PHASE_DEAD)
		return;
	watch(c, 0);
	close(c->fd);
	enter(c, PHASE_DEAD);
	addresses_leave(server->addresses, connection_address(c));
	counter_add(METRIC_CONNECTIONS, 0, 0, 0, -1);
	server->n_connections--;
	server_look_later(server);
	if (c->is_open) {
		c->is_open = false;
		server->door.gone(server->door.arg, c, c->context);
	}
}

void connection_free(struct connection *c)
{
	list_remove(&c->link);
	free(c->saved);
	outbox_rest_free(c->rest);
	free(c);
}

/* --- what comes next ------------------------------------------------------------------------ */

static enum phase next_phase(const struct connection *c)
{
	if (c->rest)
		return PHASE_WRITING;
	if (c->is_open)
		return PHASE_WAITING;
	if (c->is_closing)
		return c->has_eof ? PHASE_DEAD : PHASE_LINGERING;
	if (c->saved && !c->saved->is_partial)
		return PHASE_READY;
	if (c->has_eof)
		return PHASE_DEAD;
	if (c->saved)
		return c->saved->framing.head_len > 0 ? PHASE_BODY : PHASE_HEAD;
	return c->server->is_draining ? PHASE_LINGERING : PHASE_IDLE;
}

static short what_to_watch(const struct connection *c, enum phase phase)
{
	if (phase == PHASE_WRITING)
		return EV_WRITE;
	/* Only the answer leads on from here. Until then the death of the client goes unseen. */
	if (phase == PHASE_WAITING && (c->has_eof || (c->saved && c->saved->len >= MAX_AHEAD)))
		return 0;
	return EV_READ;
}

/* has_progressed: a request was completed or answered, so the time of a phase starts anew. */
static void settle(struct connection *c, bool has_progressed)
{
	enum phase phase = c->is_broken ? PHASE_DEAD : next_phase(c);

	if (phase != PHASE_DEAD)
		watch(c, what_to_watch(c, phase));
	if (phase == PHASE_DEAD || c->is_broken) {
		connection_drop(c);
		return;
	}
	if (phase == PHASE_LINGERING && c->phase != PHASE_LINGERING)
		shutdown(c->fd, SHUT_WR);
	if (phase == PHASE_READY)
		server_look_later(c->server);
	if (phase != c->phase || has_progressed)
		enter(c, phase);
}

/* --- octets that must wait ------------------------------------------------------------------ */

static err_t reserve(struct connection *c, size_t len)
{
	size_t cap = MIN_SAVED;
	struct saved *saved;

	if (c->saved && len <= c->saved->cap)
		return OK;
	if (len > MAX_SAVED)
		return ERR_TOO_LONG;
	while (cap < len)
		cap *= 2;
	saved = realloc(c->saved, sizeof(*saved) + cap);
	if (!saved)
		return ERR_NO_MEMORY;
	if (!c->saved)
		*saved = (struct saved){0};
	saved->cap = cap;
	c->saved = saved;
	return OK;
}

/* Adds octets behind those that are saved. */
static void save(struct connection *c, struct octets octets)
{
	if (reserve(c, (c->saved ? c->saved->len : 0) + octets.len) != OK) {
		c->is_broken = true;
		return;
	}
	memcpy(c->saved->bytes + c->saved->len, octets.p, octets.len);
	c->saved->len += octets.len;
}

/* What a turn has left over, instead of what was saved. */
static void save_rest(struct connection *c, struct octets rest, bool is_partial)
{
	if (rest.len == 0 || c->is_closing) {
		free(c->saved);
		c->saved = NULL;
		return;
	}
	if (c->saved)
		c->saved->len = 0;
	save(c, rest);
	if (c->is_broken)
		return;
	c->saved->is_partial = is_partial;
	c->saved->framing = c->server->framing;
}

/* Puts the saved octets at the start of the thread's buffer. They also stay where they are. */
static struct octets load(struct connection *c)
{
	struct server *server = c->server;
	struct octets in = {.p = server->in, .len = 0};

	server->framing = (struct framing){0};
	if (c->saved) {
		in.len = c->saved->len;
		memcpy(in.p, c->saved->bytes, in.len);
		server->framing = c->saved->framing;
	}
	return in;
}

/* --- a turn: the requests in the thread's buffer -------------------------------------------- */

static void send_answers(struct connection *c)
{
	struct outbox *outbox = &c->server->outbox;

	if (c->is_broken)
		outbox_clear(outbox);
	else if (outbox_send(outbox, c->fd, &c->rest) != OK)
		c->is_broken = true;
}

/* Room in the outbox for one more answer of c, whatever it takes. */
static char *make_room(struct connection *c)
{
	struct server *server = c->server;
	char *room;

	/* Between turns the outbox is empty: others than the turn's connection send at once. */
	if (server->turn && server->turn != c)
		send_answers(server->turn);
	room = outbox_room(&server->outbox);
	if (!room) {
		send_answers(c);
		room = outbox_room(&server->outbox);
	}
	return room;
}

static void open_request(struct connection *c, bool wants_close)
{
	c->is_open = true;
	c->context = NULL;
	c->wants_close = wants_close;
	c->n_requests++;
}

/* After a refusal the connection goes on only if the message ends with its head. A POST without any
 * body may have come from a client that does not say how long its body is. */
static bool must_close(err_t e, const struct framed *framed)
{
	const struct http_request *request = &framed->request;

	return !framed->has_request || !(request->flags & HTTP_KEEP_ALIVE) ||
	       (e != OK && (request->method == HTTP_POST || request->content_length > 0 ||
			    request->flags & HTTP_CHUNKED));
}

/* Cuts one message off in and has it answered. ERR_AGAIN: there is no whole one. */
static err_t take_message(struct connection *c, struct octets *in)
{
	struct server *server = c->server;
	const struct server_door *door = &server->door;
	struct framed framed;
	err_t e = framing_next(&server->framing, &server->http, in, &framed);

	if (e == ERR_AGAIN) {
		if (server->framing.is_continue_due) {
			server->framing.is_continue_due = false;
			make_room(c);
			outbox_add_static(&server->outbox, reply_continue());
		}
		return e;
	}
	if (e == OK && framed.request.method == HTTP_POST && framed.body.len == 0)
		e = ERR_REQ_EMPTY;
	open_request(c, must_close(e, &framed));
	if (e == OK) {
		door->request(door->arg, c, &framed.request, framed.body);
	} else {
		door->refuse(door->arg, c, e, framed.has_request ? &framed.request : NULL);
		assert(!c->is_open);
	}
	in->p += framed.len;
	in->len -= framed.len;
	return OK;
}

static bool may_go_on(const struct connection *c)
{
	return !c->is_open && !c->is_closing && !c->is_broken && !c->rest;
}

/* in lies in the thread's buffer, which the server's framing belongs to. */
static void take_turn(struct connection *c, struct octets in)
{
	bool has_progressed = false;
	err_t e = OK;

	c->server->turn = c;
	while (in.len > 0 && may_go_on(c)) {
		e = take_message(c, &in);
		if (e != OK)
			break;
		has_progressed = true;
	}
	send_answers(c);
	c->server->turn = NULL;
	save_rest(c, in, e == ERR_AGAIN);
	settle(c, has_progressed);
}

void connection_resume(struct connection *c)
{
	take_turn(c, load(c));
}

/* --- events ---------------------------------------------------------------------------------- */

/* Appends what the socket has, at most room octets, to in. False: nothing, and c is settled. */
static bool receive(struct connection *c, struct octets *in, size_t room)
{
	ssize_t n = recv(c->fd, in->p + in->len, room, 0);

	if (n > 0) {
		in->len += (size_t)n;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return false;
	if (n == 0)
		c->has_eof = true;
	else
		c->is_broken = true;
	settle(c, false);
	return false;
}

static void read_requests(struct connection *c)
{
	struct octets in = load(c);

	if (receive(c, &in, READ_SIZE))
		take_turn(c, in);
}

static void read_ahead(struct connection *c)
{
	struct octets in = {.p = c->server->in, .len = 0};

	if (!receive(c, &in, MAX_AHEAD - (c->saved ? c->saved->len : 0)))
		return;
	save(c, in);
	settle(c, false);
}

static void linger(struct connection *c)
{
	struct octets in = {.p = c->server->in, .len = 0};

	if (!receive(c, &in, READ_SIZE))
		return;
	c->n_lingered += (unsigned)in.len;
	if (c->n_lingered > LINGER_OCTETS)
		connection_drop(c);
}

static void write_rest(struct connection *c)
{
	if (outbox_rest_send(&c->rest, c->fd) != OK)
		c->is_broken = true;
	settle(c, false);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	switch ((enum phase)c->phase) {
	case PHASE_IDLE:
	case PHASE_HEAD:
	case PHASE_BODY:
		read_requests(c);
		break;
	case PHASE_WAITING:
		read_ahead(c);
		break;
	case PHASE_WRITING:
		write_rest(c);
		break;
	case PHASE_LINGERING:
		linger(c);
		break;
	case PHASE_READY: /* comes to it in this turn of the loop */
	case PHASE_DEAD:
	case N_PHASES:
		break;
	}
}

struct connection *connection_new(struct server *server, int fd, struct slice address)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->server = server;
	c->fd = fd;
	c->address_len = (uint8_t)address.len;
	if (address.len > 0)
		memcpy(c->address, address.p, address.len);
	list_init(&c->link);
	watch(c, EV_READ);
	if (c->is_broken) {
		free(c);
		return NULL;
	}
	enter(c, PHASE_IDLE);
	return c;
}

/* --- the door's calls ------------------------------------------------------------------------ */

char *connection_reply_buffer(struct connection *c)
{
	assert(c->is_open);
	return make_room(c);
}

void connection_reply(struct connection *c, size_t head_len, struct entry *entry, bool close)
{
	struct server *server = c->server;

	assert(c->is_open);
	outbox_add(&server->outbox, head_len, entry);
	c->is_closing = close || connection_will_close(c);
	c->is_open = false;
	if (server->turn == c)
		return;
	send_answers(c);
	settle(c, true);
}

void connection_refuse(struct connection *c, err_t err)
{
	const struct server_door *door = &c->server->door;

	free(c->saved);
	c->saved = NULL;
	open_request(c, true);
	door->refuse(door->arg, c, err, NULL);
	assert(!c->is_open);
}

bool connection_will_close(const struct connection *c)
{
	return c->wants_close || c->n_requests >= c->server->limits->max_requests_per_connection ||
	       c->server->is_draining;
}

void connection_set_context(struct connection *c, void *context)
{
	c->context = context;
}

struct slice connection_address(const struct connection *c)
{
	return slice_of(c->address, c->address_len);
}

const char *connection_peer(struct connection *c)
{
	if (c->address_len == 0)
		return "unix";
	return inet_ntop(c->address_len == 4 ? AF_INET : AF_INET6, c->address, c->server->peer,
			 sizeof(c->server->peer));
}
