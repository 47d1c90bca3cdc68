/* SPDX-License-Identifier: ISC */
/* libcurl's multi-socket interface on a loop: its descriptors and its one timer. For upstream.c. */
#ifndef OCSPRELAY_IO_UPSTREAM_SOCKET_H
#define OCSPRELAY_IO_UPSTREAM_SOCKET_H

#include <curl/curl.h>

#include "io/loop.h"

struct upstream_sockets;

/* Makes multi run on loop. turn is called after each of libcurl's actions, never from inside one:
 * there may be finished transfers to collect. NULL without memory. */
struct upstream_sockets *upstream_sockets_new(struct loop *loop, CURLM *multi, loop_fn *turn,
					      void *arg);
void upstream_sockets_free(struct upstream_sockets *sockets); /* after curl_multi_cleanup */

#endif
