/* SPDX-License-Identifier: ISC */
/*
 * A lasting connection to one server: it connects, logs in, answers for commands with deadlines,
 * and connects again, with growing pauses, when it is lost. While it is down nothing is queued: a
 * call fails at once.
 *
 * It is also the breaker. A server that leaves a command unanswered for three times the timeout, or
 * answers three times in a row too late, is hung up on, and is up again only when it has answered a
 * PING in time; so is one whose idle connection does not answer a PING.
 *
 * Everything belongs to the loop's thread. Callbacks run from the loop only.
 */
#ifndef OCSPRELAY_IO_REDIS_LINK_H
#define OCSPRELAY_IO_REDIS_LINK_H

#include "io/loop.h"
#include "io/redis_calls.h"
#include "io/redis_common.h"
#include "io/redis_login.h"

struct redis_link;

struct redis_link_ops {
	void (*up)(void *arg);			       /* may be NULL, as all of these */
	void (*down)(void *arg, const char *reason);   /* and after each attempt that failed */
	void (*said)(void *arg, struct slice message); /* to a subscriber */
	void *arg;
};

struct redis_link_opts {
	struct loop *loop;
	struct redis_common *common; /* kept */
	enum redis_role role;
	struct redis_address address;
	struct redis_link_ops ops;
};

/* Begins to connect. NULL without memory. */
struct redis_link *redis_link_new(const struct redis_link_opts *opts);

/* No callback is called any more, of calls neither. From inside a callback, too. NULL is fine. */
void redis_link_free(struct redis_link *link);

/* The same, but calls under way fail before: for a server that is given up while others wait for
 * its replies. From the loop only. NULL is fine. */
void redis_link_retire(struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);
const struct redis_address *redis_link_address(const struct redis_link *link);
struct redis_witness *redis_link_witness(struct redis_link *link);

/* Sends a formatted command. fn (may be NULL) is called once, later, unless redis_call_drop comes
 * first; the handle is void then. NULL: the link is down, or has too much to do. */
struct redis_call *redis_link_call(struct redis_link *link, struct slice command,
				   enum redis_pace pace, redis_reply_fn *fn, void *arg);

#endif
