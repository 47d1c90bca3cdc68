/* SPDX-License-Identifier: ISC */
/* SIGTERM, SIGINT and SIGHUP as calls on a loop; SIGPIPE ignored. */
#ifndef OCSPRELAY_IO_SIGNALS_H
#define OCSPRELAY_IO_SIGNALS_H

#include "io/loop.h"

struct signals;

/* Before any other thread exists: they inherit the mask. stop is called for SIGTERM and SIGINT (a
 * second one too), reload for SIGHUP, on loop's thread. NULL without memory. */
struct signals *signals_new(struct loop *loop, loop_fn *stop, loop_fn *reload, void *arg);
void signals_free(struct signals *signals);

#endif
