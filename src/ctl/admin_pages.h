/* SPDX-License-Identifier: ISC */
/* Between admin.c, which has the table of paths, and those who serve them. */
#ifndef OCSPRELAY_CTL_ADMIN_PAGES_H
#define OCSPRELAY_CTL_ADMIN_PAGES_H

#include "ctl/admin.h"
#include "ctl/admin_guard.h"
#include "base/list.h"
#include "ctl/status.h"

#define TYPE_HTML   "text/html; charset=utf-8"
#define TYPE_TEXT   "text/plain; charset=utf-8"
#define TYPE_JSON   "application/json"
#define TYPE_LINES  "application/x-ndjson" /* a JSON object per line, as things go on */
#define TYPE_BUNDLE "application/x-ocsprelay-bundle"
#define TYPE_PEM    "application/pem-certificate-chain" /* RFC 8555 9.1 */

struct evhttp_request;

struct admin {
	struct admin_opts opts;
	struct sockets *sockets; /* NULL: no listener was wanted */
	char *address;		 /* of it */
	struct evhttp *http;
	struct admin_door door;
	struct status_context status;
	struct status_page *page;
	struct list replies;	  /* under way */
	struct list purgings;	  /* with or without a client who waits */
	struct list reloads_next; /* who waits for the next reload, */
	struct list reloads;	  /* and for the one under way */
};

/* A whole page. code: an HTTP status; page borrowed. */
void admin_send(struct evhttp_request *request, int code, const char *type, const struct buf *page);

/* {"error": "..."} */
void admin_refuse(struct evhttp_request *request, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What the body of the request selects; false: it has been refused. */
struct selection;
bool admin_selection(struct admin *admin, struct evhttp_request *request,
		     struct selection *selection);

/* Before the desk is cleared. */
void admin_purgings_drop(struct admin *admin);

/* Each answers the request, now or later. */
typedef void admin_page_fn(struct admin *admin, struct evhttp_request *request);
admin_page_fn admin_entries, admin_explain, admin_export, admin_purge, admin_refresh, admin_warm,
    admin_import, admin_rehearse, admin_reload;

/* Appends  {"store":"URL"  of the i-th store. */
void admin_put_store(struct admin *admin, size_t i, struct buf *out);

#endif
