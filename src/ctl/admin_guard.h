/* SPDX-License-Identifier: ISC */
/*
 * Who may ask the admin listener for what. Changes need its Unix socket, whose permissions say who,
 * or the token. Web pages may ask for nothing: neither by posting to an address of ours, nor by a
 * name of theirs that leads to it (DNS rebinding).
 */
#ifndef OCSPRELAY_CTL_ADMIN_GUARD_H
#define OCSPRELAY_CTL_ADMIN_GUARD_H

#include "types.h"

struct evhttp_request;

struct admin_door {
	const char *address; /* of the listener, as configured */
	const char *token;   /* NULL or "": there is none */
};

enum admin_ask {
	ADMIN_PUBLIC, /* for probes and scrapers, under whatever name */
	ADMIN_READ,
	ADMIN_CHANGE
};

struct admin_refusal {
	int code;
	const char *text;
};

/* NULL: it may. type: what a body has to be, for ADMIN_CHANGE. */
const struct admin_refusal *admin_guard(const struct admin_door *door, enum admin_ask ask,
					const char *type, struct evhttp_request *request);

#endif
