/* SPDX-License-Identifier: ISC */
/*
 * Host names to addresses without blocking the loop, as the system does it: hosts file,
 * resolv.conf, nsswitch. For peers that are not asked through libcurl, which does the same for
 * itself.
 */
#ifndef OCSPRELAY_IO_RESOLVE_H
#define OCSPRELAY_IO_RESOLVE_H

#include <sys/socket.h>

#include "io/loop.h"

#define RESOLVE_MAX 8

struct resolve;

struct resolve_answer {
	const char *reason; /* NULL, or why there are none */
	size_t n;
	struct sockaddr_storage addresses[RESOLVE_MAX];
	socklen_t lens[RESOLVE_MAX];
};

/* answer is borrowed until the function returns. */
typedef void resolve_fn(void *arg, const struct resolve_answer *answer);

/* fn is called once, later, unless resolve_cancel comes first. NULL without memory or threads. */
struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_fn *fn,
			      void *arg);
void resolve_cancel(struct resolve *resolve); /* NULL is fine */

#endif
