/* SPDX-License-Identifier: ISC */
/* The first commands on a connection, one after the other, and what their replies have to be. */
#ifndef OCSPRELAY_IO_REDIS_LOGIN_H
#define OCSPRELAY_IO_REDIS_LOGIN_H

#include <hiredis/hiredis.h>

#include "io/redis_common.h"

enum redis_role {
	REDIS_ROLE_SERVER,     /* logs in, chooses the database */
	REDIS_ROLE_SUBSCRIBER, /* the same, then listens */
	REDIS_ROLE_SEED,       /* logs in, to be asked for the way; one of several */
	REDIS_ROLE_SENTINEL,   /* the same, with a user of its own, and no database */
	REDIS_ROLE_REPLICA     /* as a server, but need not be a master; has half of the time */
};

enum redis_login {
	REDIS_LOGIN_AUTH,
	REDIS_LOGIN_SELECT,
	REDIS_LOGIN_ROLE, /* that it is a master, where sentinels say which one is */
	REDIS_LOGIN_PING, /* in the time of a look-up */
	REDIS_LOGIN_SUBSCRIBE,
	REDIS_LOGIN_DONE
};

/* The first step from this one on that a connection of that role takes. */
enum redis_login redis_login_next(enum redis_login step, struct redis_common *common,
				  enum redis_role role);

/* Its command, to be freed by redis_command_free. An empty slice without memory. */
struct slice redis_login_command(enum redis_login step, struct redis_common *common,
				 enum redis_role role);

/* NULL, or what is wrong with the reply; borrowed as long as it is. */
const char *redis_login_judge(enum redis_login step, const redisReply *reply);

/* Whether the reply is a message to a subscriber; borrowed from it. */
bool redis_login_message(const redisReply *reply, struct slice *out_message);

/* A formatted command of these words. An empty slice without memory. */
struct slice redis_command(const struct slice words[], size_t n);
void redis_command_free(struct slice command);

#endif
