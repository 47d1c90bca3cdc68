/* SPDX-License-Identifier: ISC */
/*
 * The first story: one client request, from HTTP message to HTTP answer. Lives on the stack of its
 * front thread while it can answer at once; only an exchange that has to wait leaves an ask behind.
 * All functions: front thread of the front given.
 */
#ifndef OCSPRELAY_RELAY_EXCHANGE_H
#define OCSPRELAY_RELAY_EXCHANGE_H

#include "core/http_request.h"
#include "err.h"

struct connection;
struct front;

/* Tells the story of one request; answers it now, or when its ask comes home. */
void exchange_begin(struct front *front, struct connection *connection,
		    const struct http_request *http, struct slice body);

/* Answers what never became a request. http may be NULL. */
void exchange_refuse(struct front *front, struct connection *connection, err_t err,
		     const struct http_request *http);

#endif
