/* SPDX-License-Identifier: ISC */
/*
 * A redisContext around a socket of our own making, with events of our own. Octets that have come
 * for one reply are counted: hiredis takes a reply apart while it arrives, so the room that its
 * buffer takes says nothing. The members of an array are counted before they are allocated.
 */
#include "io/redis_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/event.h"
#include "io/redis_tls.h"

#define MAX_MEMBERS 20000	      /* of an array: more than a cluster has ranges of slots */
#define MAX_QUEUED  ((size_t)8 << 20) /* octets not yet sent */
#define MAX_ROUNDS  16		      /* reads in a row, of 16 KB each */

#if HIREDIS_MAJOR >= 1
typedef size_t members_t;
#else
typedef int members_t;
#endif

struct redis_wire {
	redisContext *context;
	struct event readable, writable;
	struct event flush; /* made active by hand: at the end of this turn */
	struct redis_wire_ops ops;
	redisReplyObjectFunctions functions; /* hiredis' own, but for arrays */
	void *(*create_array)(const redisReadTask *task, members_t n);
	size_t max_reply, n_come;    /* octets for the reply at hand */
	size_t n_queued;	     /* octets, at most */
	const struct redis_tls *tls; /* or NULL */
	const char *host;
	struct redis_tls_session *session; /* once it is connected */
	bool is_connected, is_over;
	bool is_busy, is_closed; /* closed from inside a callback */
};

static void wire_free(struct redis_wire *wire)
{
	redisFree(wire->context);
	free(wire);
}

static void stop(struct redis_wire *wire)
{
	event_del(&wire->readable);
	event_del(&wire->writable);
	event_del(&wire->flush);
}

static void end(struct redis_wire *wire, const char *reason)
{
	if (wire->is_over || wire->is_closed)
		return;
	wire->is_over = true;
	stop(wire);
	wire->ops.ended(wire->ops.arg, reason);
}

static const char *reason_of(const struct redis_wire *wire)
{
	const redisContext *context = wire->context;
	const char *fault = wire->session ? redis_tls_fault(wire->session) : NULL;

	if (fault)
		return fault;
	if (context->err == REDIS_ERR_EOF)
		return "connection closed by the server";
	return context->err == REDIS_ERR_IO && !wire->session ? strerror(errno) : context->errstr;
}

/* Callbacks run between enter and leave. */
static void enter(struct redis_wire *wire)
{
	wire->is_busy = true;
}

static void leave(struct redis_wire *wire)
{
	wire->is_busy = false;
	if (wire->is_closed)
		wire_free(wire);
}

/* --- out -------------------------------------------------------------------------------------- */

static void write_out(struct redis_wire *wire)
{
	int is_done = 0;

	if (redisBufferWrite(wire->context, &is_done) != REDIS_OK)
		end(wire, reason_of(wire));
	else if (is_done)
		wire->n_queued = 0;
	else if (!wire->session || redis_tls_is_ready(wire->session))
		(void)event_add(&wire->writable, NULL);
	/* else it goes on when something has come */
}

static bool finish_connecting(struct redis_wire *wire)
{
	int fault = 0;
	socklen_t len = sizeof(fault);

	if (getsockopt(wire->context->fd, SOL_SOCKET, SO_ERROR, &fault, &len) != 0)
		fault = errno;
	if (fault != 0) {
		end(wire, strerror(fault));
		return false;
	}
	if (wire->tls && !(wire->session = redis_tls_start(wire->tls, wire->context, wire->host))) {
		end(wire, wire->context->err ? wire->context->errstr : "TLS cannot begin");
		return false;
	}
	wire->is_connected = true;
	(void)event_add(&wire->readable, NULL);
	wire->ops.connected(wire->ops.arg);
	return !wire->is_closed && !wire->is_over;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct redis_wire *wire = arg;

	(void)fd;
	(void)what;
	enter(wire);
	if (wire->is_connected || finish_connecting(wire))
		write_out(wire);
	leave(wire);
}

err_t redis_wire_send(struct redis_wire *wire, struct slice command)
{
	if (wire->is_over || wire->n_queued + command.len > MAX_QUEUED)
		return ERR_TOO_LONG;
	if (redisAppendFormattedCommand(wire->context, (const char *)command.p, command.len) !=
	    REDIS_OK)
		return ERR_NO_MEMORY;
	if (wire->n_queued == 0 && wire->is_connected)
		event_active(&wire->flush, EV_WRITE, 1);
	wire->n_queued += command.len;
	return OK;
}

void redis_wire_break(struct redis_wire *wire)
{
	(void)shutdown(wire->context->fd, SHUT_RDWR);
}

/* --- in --------------------------------------------------------------------------------------- */

static void *create_array(const redisReadTask *task, members_t n)
{
	const struct redis_wire *wire = task->privdata;

	/* Without an object hiredis gives up, as without memory. */
	return n > MAX_MEMBERS ? NULL : wire->create_array(task, n);
}

static void bound_arrays(struct redis_wire *wire)
{
	redisReader *reader = wire->context->reader;

	wire->functions = *reader->fn;
	wire->create_array = wire->functions.createArray;
	wire->functions.createArray = create_array;
	reader->fn = &wire->functions;
	reader->privdata = wire;
}

static void end_protocol(struct redis_wire *wire)
{
	const redisReader *reader = wire->context->reader;
	char reason[160];

	snprintf(reason, sizeof(reason), "not the protocol of Redis: %s", reader->errstr);
	end(wire, reader->err == REDIS_ERR_OOM ? "a reply has too many members" : reason);
}

/* The replies that are complete. */
static void take_replies(struct redis_wire *wire)
{
	redisReader *reader = wire->context->reader;

	while (!wire->is_closed && !wire->is_over) {
		void *reply = NULL;

		if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
			end_protocol(wire);
			return;
		}
		if (!reply)
			return;
		wire->n_come = 0;
		wire->ops.reply(wire->ops.arg, reply);
		reader->fn->freeObject(reply);
	}
}

/* What has come, once; whether there may be more. */
static bool read_once(struct redis_wire *wire)
{
	redisReader *reader = wire->context->reader;
	size_t before = reader->len, n;

	errno = 0;
	if (redisBufferRead(wire->context) != REDIS_OK) {
		end(wire, reason_of(wire));
		return false;
	}
	n = reader->len - before;
	wire->n_come += n;
	if (n > 0)
		take_replies(wire);
	if (!wire->is_closed && !wire->is_over && wire->n_come > wire->max_reply)
		end(wire, "a reply is too long");
	return n == REDIS_READER_MAX_BUF && !wire->is_closed && !wire->is_over;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct redis_wire *wire = arg;
	int n = 0;

	(void)fd;
	(void)what;
	enter(wire);
	while (read_once(wire) && ++n < MAX_ROUNDS)
		;
	if (wire->session && wire->n_queued > 0 && !wire->is_closed && !wire->is_over)
		write_out(wire);
	leave(wire);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static int open_socket(const struct sockaddr *address, socklen_t len)
{
	int one = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (address->sa_family != AF_UNIX) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	if (connect(fd, address, len) != 0 && errno != EINPROGRESS) {
		int fault = errno;

		close(fd);
		errno = fault;
		return -1;
	}
	return fd;
}

struct redis_wire *redis_wire_open(const struct redis_wire_opts *opts)
{
	struct redis_wire *wire = calloc(1, sizeof(*wire));
	struct event_base *base = loop_base(opts->loop);
	int fd;

	if (!wire)
		return NULL;
	fd = open_socket(opts->address, opts->address_len);
	wire->context = fd >= 0 ? redisConnectFd(fd) : NULL;
	if (!wire->context) {
		int fault = errno;

		if (fd >= 0)
			close(fd);
		free(wire);
		errno = fault;
		return NULL;
	}
	wire->context->flags &= ~REDIS_BLOCK;
	wire->ops = opts->ops;
	wire->max_reply = opts->max_reply;
	bound_arrays(wire);
	wire->tls = opts->tls;
	wire->host = opts->host;
	if (event_assign(&wire->readable, base, fd, EV_READ | EV_PERSIST, on_readable, wire) != 0 ||
	    event_assign(&wire->writable, base, fd, EV_WRITE, on_writable, wire) != 0 ||
	    event_assign(&wire->flush, base, -1, 0, on_writable, wire) != 0 ||
	    event_add(&wire->writable, NULL) != 0) {
		wire_free(wire);
		return NULL;
	}
	return wire;
}

void redis_wire_close(struct redis_wire *wire)
{
	if (!wire || wire->is_closed)
		return;
	stop(wire);
	wire->is_closed = true;
	if (!wire->is_busy)
		wire_free(wire);
}
