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

#endif
