/* SPDX-License-Identifier: ISC */
/*
 * The way of a command to the server that has its key: one thread's connections to the one server,
 * to the master that sentinels name and its replicas, or to the masters of a cluster. A task is a
 * command on its way: if the server says that another one has the key now, it goes there, once.
 *
 * A task for which a copy will do asks a replica. What that lacks, or has while the key is being
 * written, and what it does not answer in half of the time, the master is asked in the other half.
 *
 * Everything belongs to the loop's thread.
 */
#ifndef OCSPRELAY_IO_REDIS_ROUTE_H
#define OCSPRELAY_IO_REDIS_ROUTE_H

#include "io/redis_link.h"
#include "io/redis_slots.h"

struct redis_route;
struct redis_task;

/* NULL without memory. */
struct redis_route *redis_route_new(struct loop *loop, struct redis_common *common);
void redis_route_free(struct redis_route *route); /* no callback is called any more */

struct redis_order {
	struct slice key;	 /* decides the server; borrowed. Empty: any */
	struct redis_link *link; /* or this one, if not NULL */
	struct slice command;	 /* taken, also on failure */
	enum redis_pace pace;
	enum redis_trouble trouble; /* what an error reply shows, and another one disproves */
	bool is_removal;	    /* which a server that is full allows: disproves nothing */
	bool may_be_copy;	    /* a replica's answer will do, of the pace REDIS_QUICK */
	unsigned slot;		    /* of the record's key, then (redis_recent.h) */
	redis_reply_fn *fn;	    /* or NULL */
	void *arg;
};

/* fn is called once, later, unless redis_task_drop comes first. NULL: no server at hand, or without
 * memory. */
struct redis_task *redis_route_call(struct redis_route *route, const struct redis_order *order);
void redis_task_drop(struct redis_task *task); /* NULL is fine */

/* The connections to all servers that have keys, those that are down too; at most REDIS_MAX_NODES,
 * how many. Valid until the next turn of the loop. */
size_t redis_route_nodes(struct redis_route *route, struct redis_link *links[REDIS_MAX_NODES]);

/* A server to listen to; another one for each n, where there are several. False: none is known. */
bool redis_route_address(struct redis_route *route, unsigned n, struct redis_address *out);

/* --- for the kinds of routes ------------------------------------------------------------------ */

struct redis_route_kind {
	struct redis_route *(*new)(struct loop *loop, struct redis_common *common);
	void (*free)(struct redis_route *route);

	/* The connection for a key, up or not, or NULL. */
	struct redis_link *(*pick)(struct redis_route *route, struct slice key);

	/* A connection to a replica, or NULL. May be NULL. */
	struct redis_link *(*pick_copy)(struct redis_route *route);

	/* from answered with an error: where to ask instead, or NULL. *out_asking: with ASKING
	 * before it. May be NULL. */
	struct redis_link *(*redirect)(struct redis_route *route, struct redis_link *from,
				       struct slice error, bool *out_asking);

	size_t (*nodes)(struct redis_route *route, struct redis_link *links[REDIS_MAX_NODES]);
	bool (*address)(struct redis_route *route, unsigned n, struct redis_address *out);
};

/* First member of each kind's own struct; kind is set by redis_route_new. */
struct redis_route {
	const struct redis_route_kind *kind;
	struct loop *loop;
	struct redis_common *common;
	struct list tasks;
};

void redis_route_init(struct redis_route *route, struct loop *loop, struct redis_common *common);

extern const struct redis_route_kind redis_route_single, redis_route_sentinel, redis_route_cluster;

#endif
