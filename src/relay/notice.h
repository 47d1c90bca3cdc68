/* SPDX-License-Identifier: ISC */
/*
 * A notice: from the main thread to a front or back thread, and home again once it is obeyed. Like
 * an ask, one allocation that changes hands.
 */
#ifndef OCSPRELAY_RELAY_NOTICE_H
#define OCSPRELAY_RELAY_NOTICE_H

#include "io/mailbox.h"
#include "relay/rules.h"

enum notice_kind {
	NOTICE_RULES, /* swap rules with the thread's; the notice brings the old ones home */
	NOTICE_DRAIN, /* front threads: accept no more; home when every client is answered */
	NOTICE_PULSE, /* nothing: that it comes home says that the thread's loop turns */
};

#define N_NOTICES (NOTICE_PULSE + 1)

struct notice {
	struct message message; /* first */
	enum notice_kind kind;
	struct rules *rules; /* one reference */
};

/* NULL without memory. A reference of rules (may be NULL) is taken. */
struct notice *notice_new(enum notice_kind kind, struct rules *rules);
void notice_free(struct notice *notice);

/* The same as a mailbox_fn, for mailbox_free. */
void notice_drop(void *arg, struct message *message);

#endif
