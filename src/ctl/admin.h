/* SPDX-License-Identifier: ISC */
/*
 * The admin listener: liveness, readiness, metrics and status over HTTP, on a loopback address or a
 * Unix socket of its own. Runs on the main thread, so nothing asked here holds up a client or a
 * fetch.
 */
#ifndef OCSPRELAY_CTL_ADMIN_H
#define OCSPRELAY_CTL_ADMIN_H

#include "err.h"
#include "io/loop.h"
#include "settings.h"

struct admin;
struct relay;

/* Opens the listener of address ("host:port" or "unix:/path"); "" gives an admin without one. What
 * cannot be opened is logged (LISTEN_FAILED) and left out. Privileges may be dropped afterwards:
 * a Unix socket made by root is user's. NULL without memory. */
struct admin *admin_open(struct loop *loop, const char *address, const char *user);

/* Starts answering about relay, which must outlive the admin. */
MUST_CHECK err_t admin_serve(struct admin *admin, struct relay *relay,
			     const struct settings *settings);

/* After a reload. */
void admin_set_settings(struct admin *admin, const struct settings *settings);

void admin_close(struct admin *admin); /* NULL is fine */

#endif
