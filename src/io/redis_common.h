/* SPDX-License-Identifier: ISC */
/*
 * What all threads share of one store in Redis: where it is, what opens it, and how its servers
 * are. The health is here so that a server that goes down is one event in the log, however many
 * connections to it there were.
 */
#ifndef OCSPRELAY_IO_REDIS_COMMON_H
#define OCSPRELAY_IO_REDIS_COMMON_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "io/redis_recent.h"
#include "io/redis_tls.h"
#include "io/redis_url.h"
#include "io/store_kind.h"

struct redis_common {
	struct store_shared shared; /* first */
	struct redis_url url;
	struct redis_tls *tls;	     /* or NULL */
	char *prefix;		     /* owned */
	char *channel;		     /* owned; of news */
	char *sentinel_user;	     /* owned; "": the default one */
	struct redis_recent *recent; /* NULL: replicas are not read */
	int64_t ms_timeout;
	size_t max_record;

	atomic_bool is_up;
	pthread_mutex_t lock;		  /* for all below */
	char *passwords[N_STORE_SECRETS]; /* owned; "": none */
	struct list servers;		  /* those that somebody is connected to, or wants to be */
	unsigned n_in_trouble;		  /* of them, those that are needed */
	unsigned n_up;			  /* connections to such that work */
	bool is_failing, has_opened;
};

struct redis_common *redis_common_new(const struct redis_url *url, const struct store_opts *opts);
void redis_common_free(struct redis_common *common);

/* Any thread. */
void redis_common_set_password(struct redis_common *common, enum store_secret which,
			       const char *password);

/* A copy of the secret, the caller's to free; NULL without memory. */
char *redis_common_password(struct redis_common *common, enum store_secret which);

/* What can be wrong with a server; each is told of by itself. */
enum redis_trouble {
	REDIS_TROUBLE_LINK,  /* no connection, or none that answers in time */
	REDIS_TROUBLE_READ,  /* refuses to be read */
	REDIS_TROUBLE_WRITE, /* refuses to be written to */
	REDIS_TROUBLE_NEWS,  /* refuses to pass news on */
	REDIS_TROUBLE_LAG,   /* is behind the one it copies */
	N_REDIS_TROUBLES
};

enum redis_standing {
	REDIS_NEEDED, /* while it is in trouble the store is */
	REDIS_ASIDE   /* another one can do what it does: its troubles are told of, no more */
};

/* One connection's word for a server, from attach to detach. */
struct redis_witness {
	struct redis_common *common;
	struct redis_server *server;
	bool is_up;
	bool has[N_REDIS_TROUBLES];
};

/* False without memory. */
MUST_CHECK bool redis_witness_init(struct redis_witness *witness, struct redis_common *common,
				   enum redis_standing standing, const char *server);
void redis_witness_fini(struct redis_witness *witness);

/* A reason: it has this trouble. NULL: it does not, or not any more. */
void redis_witness_tell(struct redis_witness *witness, enum redis_trouble trouble,
			const char *reason);

#endif
