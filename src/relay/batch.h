/* SPDX-License-Identifier: ISC */
/*
 * A batch: messages from the main thread to back threads and home again, a bounded number of them
 * out at any time, so that work on a million keys takes no more memory or mailbox than work on one.
 * Main thread only.
 */
#ifndef OCSPRELAY_RELAY_BATCH_H
#define OCSPRELAY_RELAY_BATCH_H

#include "io/loop.h"
#include "io/mailbox.h"

struct batch;

struct batch_ops {
	/* The next message, which shall come back to home, and whose mailbox it goes to; NULL:
	 * there are no more. */
	struct message *(*next)(void *arg, struct mailbox *home, struct mailbox **out_to);
	/* It is back: OK; or it never left, or will not be answered, because of err. Takes it. */
	void (*home)(void *arg, struct message *message, err_t err);
	/* All are home. Not after batch_cancel. */
	void (*done)(void *arg);
	/* The batch is void and arg no longer used: after done, or when all are home after a
	 * batch_cancel, or by batches_drop. */
	void (*release)(void *arg);
	void *arg;
	unsigned window; /* how many may be out, at least 1 */
};

/* Begins in the next turn of the loop. Is kept in batches until it is void. NULL without memory:
 * nothing of ops is called. */
struct batch *batch_start(struct list *batches, struct loop *loop, const struct batch_ops *ops);

/* No further messages. NULL is fine. */
void batch_cancel(struct batch *batch);

/* All of them, when the back threads have ended. */
void batches_drop(struct list *batches);

#endif
