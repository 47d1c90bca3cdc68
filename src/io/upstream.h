/* SPDX-License-Identifier: ISC */
/*
 * Asking responders: HTTP and HTTPS transfers by libcurl's multi-socket interface on a loop. No
 * redirects, no cookies, no credentials, nothing of a client's request but the DER; name resolution
 * does not block. One upstream per back thread; everything belongs to that thread.
 */
#ifndef OCSPRELAY_IO_UPSTREAM_H
#define OCSPRELAY_IO_UPSTREAM_H

#include "core/freshness.h"
#include "err.h"
#include "io/loop.h"

struct upstream;
struct transfer;

struct upstream_opts {
	struct loop *loop;
	size_t max_response;  /* octets; more aborts the transfer with ERR_UP_SIZE */
	const char *via;      /* pseudonym for the Via field, kept: "ocsprelay-4f2a..." */
	long max_connections; /* kept open at once, per host and in all */
};

struct upstream *upstream_new(const struct upstream_opts *opts); /* NULL without memory */
void upstream_free(struct upstream *upstream);			 /* cancels what is under way */

struct upstream_request {
	const char *url;   /* of the responder */
	const char *proxy; /* "" : the environment's, "none": none, else a proxy URL */
	struct slice der;  /* the OCSPRequest; copied */
	bool post;	   /* else GET, by upstream_url_get */
	bool no_cache;	   /* adds Cache-Control: no-cache (VS-09) */
	struct slice
	    etag; /* of what we have: a GET becomes conditional (HC-04); empty: it is not */
	int64_t ms_connect, ms_attempt;
};

struct upstream_answer {
	/* OK: an HTTP answer with status 200, whatever its body is (HC-07), or another status with
	 * a body of at most 16 octets that looks like an OCSP error (HC-06). Else ERR_UP_xxx or
	 * ERR_NO_MEMORY; a 304 is ERR_UP_REDIRECT, asked for or not. */
	err_t err;
	unsigned http_status; /* 0: none arrived */
	struct slice body;    /* when OK; borrowed until the callback returns, as all of this */
	struct upstream_hints hints;
	int64_t retry_after; /* seconds, 0 to 300; 0: not said */
	int64_t date, age;   /* of the fields; seconds, 0: not said */
	int64_t us_taken;
	const char *address;	  /* of the peer, or of the proxy: "192.0.2.1"; "" without one */
	const char *etag;	  /* strong, at most MAX_ETAG octets; or "" */
	const char *content_type; /* for the log; or "" */
	const char *detail;	  /* for the log: libcurl's words, "" if it has none */
	const char *cache_status; /* what a cache on the way said (RFC 9211), or "" */
};

typedef void upstream_fn(void *arg, const struct upstream_answer *answer);

/* Starts a transfer; fn is called exactly once, later, unless transfer_cancel comes first; the
 * handle is void once fn is called. fn may start and cancel transfers, but not free the upstream.
 * A request is repeated on a new connection when a kept one turns out dead before any octet arrived
 * (HC-10). NULL without memory: fn is never called. */
struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				upstream_fn *fn, void *arg);
void transfer_cancel(struct transfer *transfer); /* NULL is fine */

/* Before the first thread, after the last: libcurl's global state. */
MUST_CHECK err_t upstream_global_init(void);
void upstream_global_fini(void);

#endif
