/* SPDX-License-Identifier: ISC */
/*
 * One connection to a server that speaks Redis' protocol, on a loop: commands out, replies in, in
 * order. What a reply may be made of is bounded; a server that breaks the bounds or the protocol is
 * hung up on. Everything belongs to the loop's thread.
 *
 * hiredis formats, buffers, parses and does TLS. Its asynchronous layer is not used: up to 1.x it
 * asserts what a server sends (a reply that nobody asked for ends the process).
 */
#ifndef OCSPRELAY_IO_REDIS_WIRE_H
#define OCSPRELAY_IO_REDIS_WIRE_H

#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include "io/loop.h"

struct redis_wire;
struct redis_tls;

struct redis_wire_ops {
	void (*connected)(void *arg);
	/* A reply of any type, borrowed until it returns. */
	void (*reply)(void *arg, const redisReply *reply);
	/* The connection is over, or was none; the wire is still to be closed. Once. */
	void (*ended)(void *arg, const char *reason);
	void *arg;
};

struct redis_wire_opts {
	struct loop *loop;
	const struct sockaddr *address;
	socklen_t address_len;
	struct redis_tls *tls;	   /* or NULL; kept */
	const char *host;	   /* whom the certificate must name, when there is tls; kept */
	size_t max_reply;	   /* octets */
	struct redis_wire_ops ops; /* called from the loop only; may close the wire */
};

/* NULL without memory or descriptors, or when the address refuses at once (errno). */
struct redis_wire *redis_wire_open(const struct redis_wire_opts *opts);
void redis_wire_close(struct redis_wire *wire); /* nothing is called any more; NULL is fine */

/* Queues a command that was formatted. What is queued in one turn of the loop goes out together.
 * ERR_TOO_LONG: too much is waiting already; ERR_NO_MEMORY. */
MUST_CHECK err_t redis_wire_send(struct redis_wire *wire, struct slice command);

/* Ends the connection as if the server had, later. */
void redis_wire_break(struct redis_wire *wire);

#endif
