/* SPDX-License-Identifier: ISC */
/*
 * One thread's connections to the replicas of a master, for reads that may be a moment behind, and
 * how far behind they are. Once a second the master is asked for its offset, and then each replica
 * for the one that it has carried out: a replica that has what the master had is level as of the
 * moment at which the master was asked. What was level too long ago is not read from, however well
 * it answers; so neither a replication that stands still, nor one that sentinels have not missed
 * yet, makes what we read older than REDIS_MS_BEHIND.
 *
 * Everything belongs to the loop's thread.
 */
#ifndef OCSPRELAY_IO_REDIS_REPLICAS_H
#define OCSPRELAY_IO_REDIS_REPLICAS_H

#include "io/redis_link.h"

#define REDIS_MAX_REPLICAS 16	/* those beyond are left out */
#define REDIS_MS_BEHIND	   3000 /* what was written longer ago than this is there */

struct redis_replicas;

/* NULL without memory. */
struct redis_replicas *redis_replicas_new(struct loop *loop, struct redis_common *common);
void redis_replicas_free(struct redis_replicas *replicas); /* NULL is fine */

/* Another master: no replica is level with it yet. Kept until the next one, or NULL. */
void redis_replicas_follow(struct redis_replicas *replicas, struct redis_link *master);

/* How far they are, now and not at the next round. */
void redis_replicas_ask(struct redis_replicas *replicas);

/* These are the replicas from now on. Connections to others are given up. From the loop only. */
void redis_replicas_set(struct redis_replicas *replicas, const struct redis_address *addresses,
			size_t n);

/* From a sentinel's reply to SENTINEL replicas: those that it takes for healthy; how many. None of
 * an error. */
size_t redis_replicas_read(const redisReply *reply,
			   struct redis_address addresses[REDIS_MAX_REPLICAS]);

/* One that is up and level, another one each time; NULL: there is none. */
struct redis_link *redis_replicas_pick(struct redis_replicas *replicas);

#endif
