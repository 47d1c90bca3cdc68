/* SPDX-License-Identifier: ISC */
/* The slots of a cluster: which one a key has, which node has them, and what nodes say about it.
 * Pure. */
#ifndef OCSPRELAY_IO_REDIS_SLOTS_H
#define OCSPRELAY_IO_REDIS_SLOTS_H

#include <hiredis/hiredis.h>

#include "err.h"
#include "io/redis_url.h"

#define REDIS_SLOTS	16384
#define REDIS_MAX_NODES 128 /* masters; those beyond are left out */
#define REDIS_NO_NODE	255

/* CRC-16/XMODEM of the key, or of what its first braces hold, modulo REDIS_SLOTS. */
unsigned redis_slot(struct slice key);

struct redis_map {
	size_t n;
	struct redis_address nodes[REDIS_MAX_NODES];
	uint8_t node_of[REDIS_SLOTS]; /* index into nodes, or REDIS_NO_NODE */
};

/* From the reply to CLUSTER SLOTS of the node at asked. ERR_SYNTAX: *out is undefined. */
MUST_CHECK err_t redis_map_read(const redisReply *reply, const struct redis_address *asked,
				struct redis_map *out);

enum redis_redirection {
	REDIS_STAY,  /* the error is another one */
	REDIS_MOVED, /* the slot is there now */
	REDIS_ASK    /* it moves, and this key may be there already */
};

/* "MOVED 3999 127.0.0.1:6381", "ASK ..."; an empty host is that of asked. */
enum redis_redirection redis_redirection(struct slice error, const struct redis_address *asked,
					 unsigned *out_slot, struct redis_address *out);

#endif
