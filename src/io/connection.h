/* SPDX-License-Identifier: ISC */
/*
 * What server.c (who is connected, for how long) and connection.c (what is read and written) share.
 * The calls of the door are in io/server.h. For these two only.
 *
 * A connection is in exactly one phase, which says what its event waits for and which time limit it
 * is under. Each phase is a list in order of entry, so that the connections over their time are
 * always at its front.
 */
#ifndef OCSPRELAY_IO_CONNECTION_H
#define OCSPRELAY_IO_CONNECTION_H

#include <arpa/inet.h>

#include "base/list.h"
#include "io/event.h"
#include "io/framing.h"
#include "io/outbox.h"
#include "io/server.h"

enum phase {
	PHASE_IDLE,	 /* nothing of a request is here */
	PHASE_HEAD,	 /* a part of a head is */
	PHASE_BODY,	 /* the head is, the body is not */
	PHASE_WAITING,	 /* for the door's answer; reads ahead, up to MAX_AHEAD */
	PHASE_WRITING,	 /* for the socket to take answers; reads nothing */
	PHASE_READY,	 /* octets read ahead can be looked at, later in this turn of the loop */
	PHASE_LINGERING, /* has said all; reads until the client closes too */
	PHASE_DEAD,	 /* closed; freed later in this turn of the loop */
	N_PHASES
};

/* Octets of one connection that could not be used yet. */
struct saved {
	bool is_partial; /* framing has seen all of them, and knows them as an incomplete request */
	struct framing framing;
	size_t len, cap;
	uint8_t bytes[];
};

struct connection {
	struct event event; /* for what watched says */
	struct list link;   /* in the server's list of its phase */
	struct server *server;
	struct saved *saved;	  /* NULL: none */
	struct outbox_rest *rest; /* NULL: none */
	void *context;
	int64_t ms_entered; /* when it came into its phase, clock_tick_ms */
	int fd;
	unsigned n_requests;
	unsigned n_lingered; /* octets thrown away */
	short watched;	     /* EV_READ, EV_WRITE or 0 */
	uint8_t phase;
	bool is_open;	  /* a request waits for its answer */
	bool wants_close; /* the request, or what is wrong with it, ends the connection */
	bool is_closing;  /* the last answer was given */
	bool is_broken;	  /* dropped as soon as nobody stands on it */
	bool has_eof;	  /* the client has ended its side */
	uint8_t address_len;
	uint8_t address[16]; /* IPv4 in 4 octets; none of a Unix socket */
};

#define READ_SIZE     65536	  /* octets per read */
#define MAX_AHEAD     65536	  /* octets of pipelined requests kept while one is answered */
#define MAX_SAVED     262144	  /* more than the largest request that the limits can allow */
#define LINGER_MS     2000	  /* for the client to close, too (RFC 9112 9.6) */
#define LINGER_OCTETS (4 * 65536) /* read and thrown away meanwhile */

struct server {
	struct loop *loop;
	struct server_door door;
	const struct settings_limits *limits;
	const struct networks *allow;
	struct addresses *addresses;
	struct http_limits http; /* the part of limits that the parser knows, and the pseudonym */
	struct list phases[N_PHASES];
	struct list listeners;
	size_t n_connections;	/* all but the dead */
	size_t max_connections; /* of all servers: the limits', or what descriptors allow */
	struct timer *tick;
	struct event later; /* activated when READY, DEAD or the end of draining need a look */
	bool is_draining;
	bool has_drained;
	bool is_paused; /* no descriptors left: not accepting until the next tick */
	char peer[INET6_ADDRSTRLEN];

	/* Of the connection whose octets are being looked at; NULL between events. */
	struct connection *turn;
	struct framing framing;
	struct outbox outbox;
	uint8_t in[MAX_SAVED + READ_SIZE];
};

/* Takes the descriptor over; the address is that of the client. NULL without memory. */
struct connection *connection_new(struct server *server, int fd, struct slice address);

/* Closes it now and frees it later. An open request's door is told. */
void connection_drop(struct connection *connection);
void connection_free(struct connection *connection); /* a dead one */

/* Looks at what was read ahead; the connection is READY and nobody's turn is on. */
void connection_resume(struct connection *connection);

/* Refuses what has arrived of a request. */
void connection_refuse(struct connection *connection, err_t err);

/* Has server.c look after what is to be done later in this turn of the loop. */
void server_look_later(struct server *server);

#endif
