/* SPDX-License-Identifier: ISC */
/*
 * The admin listener: liveness, readiness, metrics, status, and what operators have done, over
 * HTTP, on a loopback address or a Unix socket of its own. Runs on the main thread, so nothing
 * asked here holds up a client or a fetch.
 */
#ifndef OCSPRELAY_CTL_ADMIN_H
#define OCSPRELAY_CTL_ADMIN_H

#include "base/buf.h"
#include "err.h"
#include "io/loop.h"
#include "settings.h"

struct admin;
struct recent;
struct relay;

struct admin_opts {
	struct loop *loop;
	const struct settings *settings; /* replaced by admin_set_settings */
	struct recent *recent;		 /* kept */
	loop_fn *reload; /* what SIGHUP does; admin_reload_begins and admin_reloaded follow */
	void *arg;
};

/* Opens the listener that the option admin names ("host:port" or "unix:/path"); "" gives an admin
 * without one. What cannot be opened is logged (LISTEN_FAILED) and left out. Privileges may be
 * dropped afterwards: a Unix socket made by root is the configured user's. NULL without memory. */
struct admin *admin_open(const struct admin_opts *opts);

/* Starts answering about relay, which must outlive the admin. */
MUST_CHECK err_t admin_serve(struct admin *admin, struct relay *relay);

/* After a reload. */
void admin_set_settings(struct admin *admin, const struct settings *settings);

/* Those who have asked for a reload until now wait for this one, */
void admin_reload_begins(struct admin *admin);
/* which came to this: an HTTP status and a JSON object. */
void admin_reloaded(struct admin *admin, int code, const struct buf *report);

void admin_close(struct admin *admin); /* NULL is fine; before the relay is freed */

#endif
