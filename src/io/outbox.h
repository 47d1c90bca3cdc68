/* SPDX-License-Identifier: ISC */
/*
 * Answers on their way to a socket. One outbox per thread collects the answers of one turn, so that
 * pipelined requests are answered by one system call; what the socket does not take becomes an
 * outbox_rest of the connection. Heads are octets, entries are referenced and never copied. For
 * this floor only.
 */
#ifndef OCSPRELAY_IO_OUTBOX_H
#define OCSPRELAY_IO_OUTBOX_H

#include <sys/uio.h>

#include "core/reply.h"
#include "err.h"
#include "state/entry.h"

#define OUTBOX_ANSWERS 64
#define OUTBOX_PIECES  (3 * OUTBOX_ANSWERS) /* head, entry's head, entry's tail */
#define OUTBOX_HEADS   32768		    /* octets */
#define OUTBOX_OCTETS  65536		    /* in all, when no further answer is taken */

/* iov[i] keeps owners[i] (NULL: nothing) until it is sent. */
struct outbox_pieces {
	struct iovec *iov;
	struct entry **owners;
	size_t first, end;
};

struct outbox {
	struct outbox_pieces pieces;
	size_t heads_len;
	size_t n_octets;
	struct iovec iov[OUTBOX_PIECES];
	struct entry *owners[OUTBOX_PIECES];
	char heads[OUTBOX_HEADS];
};

struct outbox_rest;

void outbox_init(struct outbox *outbox);

/* Memory for MAX_REPLY_ERROR octets of a head; NULL: the outbox is full and must be sent first. */
char *outbox_room(struct outbox *outbox);

/* Adds an answer: head_len octets at outbox_room, then the entry's response if there is one (takes
 * the reference). */
void outbox_add(struct outbox *outbox, size_t head_len, struct entry *entry);

/* Adds octets that stay for ever; after outbox_room has found room. */
void outbox_add_static(struct outbox *outbox, struct slice octets);

/*
 * Sends all to fd, behind *rest if that is not NULL; what the socket does not take now is appended
 * to *rest. The outbox is empty afterwards. ERR_SYSTEM: the connection is broken, or there is no
 * memory for the rest; *rest stays to be freed.
 */
MUST_CHECK err_t outbox_send(struct outbox *outbox, int fd, struct outbox_rest **rest);

/* Forgets all. */
void outbox_clear(struct outbox *outbox);

/* Goes on with *rest, which becomes NULL when all is sent. ERR_SYSTEM as above. */
MUST_CHECK err_t outbox_rest_send(struct outbox_rest **rest, int fd);
void outbox_rest_free(struct outbox_rest *rest); /* NULL is fine */

#endif
