/* SPDX-License-Identifier: ISC */
/*
 * Messages to another thread's loop. The sender allocates a message with a struct message in it
 * and gives it away; the receiver's handler takes it. Bounded, unless max is 0.
 */
#ifndef OCSPRELAY_IO_MAILBOX_H
#define OCSPRELAY_IO_MAILBOX_H

#include "base/list.h"
#include "err.h"
#include "io/loop.h"

struct mailbox;

struct message {
	struct list link;
};

typedef void mailbox_fn(void *arg, struct message *message);

/* A mailbox whose handler runs on loop's thread, once per message in order of arrival, for at most
 * a bounded number of messages per turn of the loop. NULL without memory or descriptors. */
struct mailbox *mailbox_new(struct loop *loop, size_t max, mailbox_fn *fn, void *arg);

/* After all senders have ended. Messages still inside are handed to drop (may be NULL: leaked by
 * contract of the caller). */
void mailbox_free(struct mailbox *mailbox, mailbox_fn *drop, void *arg);

/* From any thread. ERR_OVERLOAD_MAILBOX: full, the message stays the caller's. */
MUST_CHECK err_t mailbox_post(struct mailbox *mailbox, struct message *message);

#endif
