/* SPDX-License-Identifier: ISC */
/*
 * A bell between threads: a descriptor that becomes readable when somebody rings. Any number of
 * rings before wake_clear count as one. For this floor only.
 */
#ifndef OCSPRELAY_IO_WAKE_H
#define OCSPRELAY_IO_WAKE_H

#include "err.h"

struct wake {
	int fd;	     /* readable after a ring */
	int fd_ring; /* the same one, or the other end of a pipe */
};

MUST_CHECK err_t wake_init(struct wake *wake); /* ERR_SYSTEM: no descriptors */
void wake_fini(struct wake *wake);

void wake_ring(const struct wake *wake);  /* any thread */
void wake_clear(const struct wake *wake); /* the thread that waits */

/*
 * As wake_ring, but when the turn ends that the calling thread's loop is in; at once on a thread
 * without one. Who is woken by the first of many messages takes the core from their sender, or
 * finds only that one and goes to sleep again: a switch of threads for each was a sixth of the CPU
 * of a miss. No other thread may end the wake before.
 */
void wake_ring_later(const struct wake *wake);
void wake_begin_turn(void); /* the loop's */
void wake_end_turn(void);

#endif
