/* SPDX-License-Identifier: ISC */
/*
 * The HTTP front of one front thread: accepts, reads, frames, hands whole requests to the door,
 * writes answers. Raw libevent events on non-blocking sockets; one read buffer and one output
 * buffer per thread, so that an idle connection owns neither. A connection has one open request at
 * a time: pipelined ones wait, in order, inside a bounded read-ahead (HS-19).
 *
 * Everything here belongs to the front thread. Octets are looked at only from the loop: no call
 * below ever leads to the door, except server_free to gone. What dies is freed when the turn of the
 * loop ends, so a pointer to a connection is good for the rest of the callback it was found in.
 */
#ifndef OCSPRELAY_IO_SERVER_H
#define OCSPRELAY_IO_SERVER_H

#include "core/http_request.h"
#include "core/reply.h"
#include "err.h"
#include "io/loop.h"
#include "io/networks.h"
#include "settings.h"
#include "state/addresses.h"
#include "state/entry.h"

struct server;
struct connection;

/* What the story above makes of it: the door. */
struct server_door {
	/* A whole request has arrived: request, body and everything they borrow are valid until
	 * this returns. The door answers it exactly once by connection_reply, before returning or
	 * later. */
	void (*request)(void *arg, struct connection *connection,
			const struct http_request *request, struct slice body);

	/* What arrived is refused (ERR_HTTP_xxx, ERR_REQ_EMPTY): the door answers before returning.
	 * request is NULL when the head could not be understood. */
	void (*refuse)(void *arg, struct connection *connection, err_t err,
		       const struct http_request *request);

	/* The client went away while its answer was outstanding; connection dies on return. The
	 * context is what connection_set_context stored. A client that has only ended its own side
	 * is not gone: it may wait for the answer (RFC 9112 9.6). */
	void (*gone)(void *arg, struct connection *connection, void *context);

	/* After server_drain: the last connection has closed. */
	void (*drained)(void *arg);
	void *arg;
};

struct server_opts {
	struct loop *loop;
	struct server_door door;
	const struct settings_limits *limits; /* kept */
	const struct networks *allow;	      /* kept */
	struct addresses *addresses;	      /* kept; shared by all servers */
	const char *pseudonym;		      /* kept: ours in Via fields, for HTTP_LOOP (HS-23) */
};

struct server *server_new(const struct server_opts *opts); /* NULL without memory */

/* Closes all; calls gone for outstanding requests. Not from inside the door, but for drained. */
void server_free(struct server *server);

/* Accepts on this listening descriptor, which stays the caller's. */
MUST_CHECK err_t server_listen(struct server *server, int fd);

/* New limits and networks after a reload; kept, the old ones are no longer used on return. */
void server_set_limits(struct server *server, const struct settings_limits *limits,
		       const struct networks *allow);

/* Accepts nothing more, closes idle connections, closes each other one after its answer; then calls
 * door.drained, in a later turn of the loop. */
void server_drain(struct server *server);

/* Memory for the head of an answer to connection, MAX_REPLY_ERROR octets, valid until the next call
 * into this file. */
char *connection_reply_buffer(struct connection *connection);

/*
 * Answers the open request: head_len octets of connection_reply_buffer, then the entry's response
 * if entry is not NULL (takes one reference of the caller's). close: the connection ends after it.
 * The bytes are written at once if the socket takes them, together with other answers of this turn
 * where requests were pipelined.
 */
void connection_reply(struct connection *connection, size_t head_len, struct entry *entry,
		      bool close);

/* Whether the answer will have to say Connection: close: the request wanted it, the limit of
 * requests per connection is reached, or the server drains. */
bool connection_will_close(const struct connection *connection);

/* The caller's own pointer while a request is open. */
void connection_set_context(struct connection *connection, void *context);

/* The client's address in 4 or 16 octets, none of a Unix socket; borrowed from the connection. */
struct slice connection_address(const struct connection *connection);

/* The client's address as text, "unix" for a Unix socket; borrowed until the next call. For logs.
 */
const char *connection_peer(struct connection *connection);

#endif
