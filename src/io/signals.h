/* SPDX-License-Identifier: ISC */
/* SIGTERM, SIGINT and SIGHUP as calls on a loop; SIGPIPE and SIGXFSZ ignored. */
#ifndef OCSPRELAY_IO_SIGNALS_H
#define OCSPRELAY_IO_SIGNALS_H

#include "io/loop.h"

struct signals;

/* stop is called for SIGTERM and SIGINT (a second one too), reload for SIGHUP, on loop's thread,
 * whichever thread the kernel picks for the signal. NULL without memory. */
struct signals *signals_new(struct loop *loop, loop_fn *stop, loop_fn *reload, void *arg);
void signals_free(struct signals *signals);

#endif
