/* SPDX-License-Identifier: ISC */
/*
 * Who is in front of the relay on the stage (stage.h): clients, and the server that they talk to. A
 * client's request and body are gone when the door returns.
 */
#ifndef OCSPRELAY_TESTS_STAGE_CLIENTS_H
#define OCSPRELAY_TESTS_STAGE_CLIENTS_H

#include "io/server.h"

/* What the server was told last. */
const struct settings_limits *stage_limits(const struct server *server);

struct server *stage_newest_server(void);

/* From 192.0.2.7, or wherever it is then moved; dies with the server. */
struct connection *stage_connect(struct server *server);
void stage_move(struct connection *client, struct slice address);

/* One request through the door; copies are handed on and freed at once. The former one has been
 * answered. */
void stage_ask(struct connection *client, const struct http_request *http, struct slice body);

/* What the server refuses, likewise; http may be NULL. */
void stage_refuse(struct connection *client, err_t err, const struct http_request *http);
void stage_hang_up(struct connection *client);

/* fn is told of each answer, before the server is done with it. */
void stage_on_answer(struct connection *client, void (*fn)(void *arg), void *arg);

unsigned stage_answers(const struct connection *client); /* so far */
unsigned stage_status(const struct connection *client);	 /* of the last answer; 0: none yet */
struct slice stage_body(const struct connection *client);
/* The value of a field of the last answer, valid until the next call; "": not there. */
const char *stage_field(const struct connection *client, const char *name);
bool stage_is_closed(const struct connection *client); /* the last answer ended the connection */

#endif
