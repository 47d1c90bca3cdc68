/* SPDX-License-Identifier: ISC */
/* Where a server is in its replication: in which history of writes, and how far. From what it says
 * to INFO replication. */
#ifndef OCSPRELAY_IO_REDIS_POSITION_H
#define OCSPRELAY_IO_REDIS_POSITION_H

#include "io/redis_link.h"

#define REDIS_REPLID_SIZE 64

struct redis_position {
	bool is_master;
	char replid[REDIS_REPLID_SIZE]; /* of the history; "": not known */
	uint64_t offset;		/* in it: what the server has carried out */
};

/* Asks for it, as redis_link_call does. From the loop only. */
struct redis_call *redis_position_ask(struct redis_link *link, redis_reply_fn *fn, void *arg);

/* NULL: *out is what the reply says. Else what is wrong with it, borrowed from the reply or
 * static. */
const char *redis_position_of_reply(const redisReply *reply, struct redis_position *out);

/* The same of its text. ERR_SYNTAX: it does not say. */
MUST_CHECK err_t redis_position_read(struct slice info, struct redis_position *out);

/* Whether a replica has all that its master had there. */
bool redis_position_has(const struct redis_position *replica, const struct redis_position *master);

#endif
