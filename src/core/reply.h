/* SPDX-License-Identifier: ISC */
/*
 * The HTTP answers: status line and fields, exactly as documented and in one place (RFC 9110,
 * RFC 9211, RFC 9919 6 and 7). Renders into the caller's memory, without printf: the 200 is the
 * hot path.
 */
#ifndef OCSPRELAY_CORE_REPLY_H
#define OCSPRELAY_CORE_REPLY_H

#include "core/dates.h"
#include "core/http_request.h"
#include "err.h"

#define MAX_REPLY_HEAD	1024 /* octets that any head rendered here fits in */
#define MAX_REPLY_ERROR 1536 /* a whole error answer with its body */

enum reply_verdict { /* Cache-Status, RFC 9211, rule HS-24 */
	REPLY_HIT,
	REPLY_MISS,	 /* fwd=miss; stored */
	REPLY_COLLAPSED, /* fwd=miss; collapsed */
	REPLY_REFRESHED, /* fwd=stale */
	REPLY_BYPASS,	 /* fwd=bypass */
	REPLY_NEGATIVE,	 /* hit; detail=negative */
};

struct reply_entity {	       /* of a verified response */
	const uint8_t *sha256; /* 32 octets, of the whole response: the ETag (HS-03) */
	size_t body_len;
	int64_t produced_at;
	int64_t refresh_at, hard_expiry;
	bool is_reusable; /* false: the max-age=0 set without Expires (CL-04, NO-09) */
};

struct reply_context {
	int64_t now;
	const char *date; /* HTTP_DATE_LEN octets: the Date field; must be that of now */
	enum reply_verdict verdict;
	const char *detail;  /* Cache-Status detail: "l1", "disk", "timeout" ...; NULL: none */
	const char *id;	     /* of the request, a token: told as part of the detail; NULL: not */
	unsigned fwd_status; /* HTTP status the responder gave; 0: none to tell */
	bool is_stored;	     /* adds "stored" to a forwarded one */
	bool close;	     /* Connection: close; else keep-alive is said to HTTP/1.0 clients */
	unsigned minor;	     /* of the request */
};

/* 200 with the success header set, without body; octets written to dst. */
size_t reply_ok(char dst[MAX_REPLY_HEAD], const struct reply_entity *entity,
		const struct reply_context *context);

/* 304 (HS-04). */
size_t reply_not_modified(char dst[MAX_REPLY_HEAD], const struct reply_entity *entity,
			  const struct reply_context *context);

/*
 * The whole answer for an error; without body if head_only (HEAD). An error whose row has no HTTP
 * status is answered as ERR_INTERNAL. Cache-Status is told of failures that a responder or the
 * waiting for one caused, with the detail of rules EM-09 to EM-14 unless the context has one, and
 * of REPLY_NEGATIVE; of all others only the id, if there is one.
 */
size_t reply_error(char dst[MAX_REPLY_ERROR], err_t err, bool head_only,
		   const struct reply_context *context);

/* The HTTP status of a head that was rendered here. */
unsigned reply_status(const char *head);

/* Whether the connection must be closed after the answer (HS-18, EM-01 to EM-03): always but after
 * 405, 417 and the errors of the OCSP layer; of these, after ERR_LOOP (EM-21). */
bool reply_error_closes(err_t err);

/* HTTP/1.1 100 Continue. Static. */
struct slice reply_continue(void);

/* Whether the conditions of a GET or HEAD are met by the client's copy: If-None-Match first, else
 * If-Modified-Since (RFC 9110 13.2.2). Always false for POST (HS-05). */
bool reply_is_not_modified(const struct http_request *request, const struct reply_entity *entity,
			   int64_t now);

#endif
