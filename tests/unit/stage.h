/* SPDX-License-Identifier: ISC */
/*
 * The io floor on a stage: stand-ins with the contracts of the headers of src/io, for what is built
 * on them. Nothing happens by itself: time passes and mail arrives when the test says so, on the
 * test's own thread, so hours of an outage are played in no time and always in the same order.
 * Responders, stores and clients are in stage_upstream.h, stage_stores.h and stage_clients.h.
 *
 * What is still open at the end is a failed test. One play per process; Criterion gives each test
 * its own.
 */
#ifndef OCSPRELAY_TESTS_STAGE_H
#define OCSPRELAY_TESTS_STAGE_H

#include "io/mailbox.h"

/* What a test may set. */
extern struct stage {
	uint32_t jitter;      /* entropy_jitter */
	uint64_t random;      /* not 0: the state of what both are drawn from instead */
	bool has_no_memory;   /* what says NULL without memory, says so */
	bool is_mail_refused; /* bounded mailboxes are full */
} stage;

void stage_open(int64_t wall); /* the wall clock's seconds */
void stage_close(void);	       /* everything must have been freed */

/* Time passes: timers fire in their order, and whatever mail there is then arrives. With 0 happens
 * what needs no time. */
void stage_pass(int64_t ms);
void stage_set_wall(int64_t wall); /* somebody sets the clock */

/* Mail to this mailbox stays on the way until it is no longer held. */
void stage_hold(struct mailbox *mailbox, bool is_held);

/* For stand-ins: a thing that stage_close misses unless it is freed, NULL while there is no memory;
 * memory of zeros; a copy in a block of its own, so that a read beyond its end is seen. */
void *stage_new(size_t len);
void stage_free(void *thing); /* NULL is fine */
void *stage_take(size_t len);
struct slice stage_copy(struct slice octets);
void stage_release(struct slice octets);

#endif
