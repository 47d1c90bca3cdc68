/* SPDX-License-Identifier: ISC */
/*
 * Every octet of head that a client gets. Pieces are appended to memory that the contract's sizes
 * make large enough: the only pieces of a length not known here are texts of our own tables and
 * the detail, which is cut.
 */
#include "core/reply.h"

#include <string.h>

#include "base/bytes.h"
#include "core/freshness.h"
#include "core/http_text.h"
#include "core/response.h"

#define MAX_DETAIL  64
#define MAX_TEXT    512
#define ETAG_DIGITS 64

#define PUT(p, literal) put((p), (literal), sizeof(literal) - 1)

static inline char *put(char *p, const char *text, size_t len)
{
	memcpy(p, text, len);
	return p + len;
}

static char *put_number(char *p, int64_t n)
{
	return p + decimal_encode(p, n > 0 ? (uint64_t)n : 0);
}

static char *put_date(char *p, int64_t t)
{
	date_to_http(p, t);
	return p + HTTP_DATE_LEN;
}

static char *put_text(char *p, const char *text, size_t max)
{
	return put(p, text, strnlen(text, max));
}

/* RFC 9110 8.8.2.1: never later than Date. */
static int64_t last_modified(const struct reply_entity *entity, int64_t now)
{
	return entity->produced_at < now ? entity->produced_at : now;
}

static char *put_date_field(char *p, const struct reply_context *context)
{
	p = PUT(p, "Date: ");
	p = put(p, context->date, HTTP_DATE_LEN);
	return PUT(p, "\r\n");
}

/* Last-Modified to Cache-Control: the same in a 200 and in a 304. */
static char *put_validators(char *p, const struct reply_entity *entity, int64_t now)
{
	p = PUT(p, "Last-Modified: ");
	p = put_date(p, last_modified(entity, now));
	p = PUT(p, "\r\nETag: \"");
	hex_encode(p, slice_of(entity->sha256, ETAG_DIGITS / 2));
	p += ETAG_DIGITS;
	if (!entity->is_reusable)
		return PUT(p, "\"\r\nCache-Control: max-age=0, no-transform, must-revalidate\r\n");
	p = PUT(p, "\"\r\nExpires: ");
	p = put_date(p, entity->hard_expiry);
	p = PUT(p, "\r\nCache-Control: max-age=");
	p = put_number(p, freshness_max_age(entity->refresh_at, entity->hard_expiry, now));
	return PUT(p, ", public, no-transform, must-revalidate\r\n");
}

/* One token (RFC 9211 2.8): l1, id:ID or l1/id:ID. */
static char *put_detail(char *p, const char *detail, const char *id)
{
	if (detail == NULL && id == NULL)
		return p;
	p = PUT(p, "; detail=");
	if (detail != NULL)
		p = put_text(p, detail, MAX_DETAIL);
	if (id == NULL)
		return p;
	p = detail != NULL ? PUT(p, "/id:") : PUT(p, "id:");
	return put_text(p, id, MAX_DETAIL);
}

static char *put_forwarded(char *p, const struct reply_context *context)
{
	if (context->verdict == REPLY_REFRESHED)
		p = PUT(p, "; fwd=stale");
	else if (context->verdict == REPLY_BYPASS)
		p = PUT(p, "; fwd=bypass");
	else
		p = PUT(p, "; fwd=miss");
	if (context->fwd_status > 0) {
		p = PUT(p, "; fwd-status=");
		p = put_number(p, context->fwd_status);
	}
	return p;
}

/* Cache-Status of an answer with a response; RFC 9211 2. */
static char *put_cache_status(char *p, const struct reply_entity *entity,
			      const struct reply_context *context)
{
	p = PUT(p, "Cache-Status: ocsprelay");
	if (context->verdict == REPLY_HIT || context->verdict == REPLY_NEGATIVE) {
		p = PUT(p, "; hit");
		if (entity->is_reusable) {
			p = PUT(p, "; ttl=");
			p = put_number(p, entity->hard_expiry - context->now);
		}
	} else {
		p = put_forwarded(p, context);
		if (context->is_stored)
			p = PUT(p, "; stored");
		if (context->verdict == REPLY_COLLAPSED)
			p = PUT(p, "; collapsed");
	}
	p = put_detail(p, context->detail, context->id);
	return PUT(p, "\r\n");
}

static char *put_end(char *p, bool close, unsigned minor)
{
	if (close)
		p = PUT(p, "Connection: close\r\n");
	else if (minor == 0)
		p = PUT(p, "Connection: keep-alive\r\n");
	return PUT(p, "\r\n");
}

size_t reply_ok(char dst[MAX_REPLY_HEAD], const struct reply_entity *entity,
		const struct reply_context *context)
{
	char *p = dst;

	p = PUT(p, "HTTP/1.1 200 OK\r\n");
	p = put_date_field(p, context);
	p = PUT(p, "Content-Type: application/ocsp-response\r\nContent-Length: ");
	p += decimal_encode(p, entity->body_len);
	p = PUT(p, "\r\n");
	p = put_validators(p, entity, context->now);
	p = put_cache_status(p, entity, context);
	p = put_end(p, context->close, context->minor);
	return (size_t)(p - dst);
}

size_t reply_not_modified(char dst[MAX_REPLY_HEAD], const struct reply_entity *entity,
			  const struct reply_context *context)
{
	char *p = dst;

	p = PUT(p, "HTTP/1.1 304 Not Modified\r\n");
	p = put_date_field(p, context);
	p = put_validators(p, entity, context->now);
	p = put_cache_status(p, entity, context);
	p = put_end(p, context->close, context->minor);
	return (size_t)(p - dst);
}

static char *put_status_line(char *p, unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} rows[] = {
	    {200, "OK"},
	    {400, "Bad Request"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {417, "Expectation Failed"},
	    {431, "Request Header Fields Too Large"},
	    {501, "Not Implemented"},
	    {504, "Gateway Timeout"},
	    {505, "HTTP Version Not Supported"},
	    {508, "Loop Detected"},
	};
	size_t i;

	p = PUT(p, "HTTP/1.1 ");
	p = put_number(p, status);
	p = PUT(p, " ");
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].status == status)
			p = put_text(p, rows[i].reason, MAX_TEXT);
	}
	return PUT(p, "\r\n");
}

/* What the Cache-Status of a failure tells (rules EM-09 to EM-14). The ranges are the groups of
 * tbl/errors.h; the first row that holds err counts. */
static const char *detail_of(err_t err)
{
	static const struct {
		err_t first, last;
		const char *detail;
	} rows[] = {
	    {ERR_UP_UNREACHABLE, ERR_UP_TIMEOUT, "upstream-unreachable"},
	    {ERR_DEADLINE, ERR_DEADLINE, "timeout"},
	    {ERR_UP_MALFORMED, ERR_UP_MALFORMED, "upstream-1"},
	    {ERR_RSP_EXPIRED, ERR_RSP_EXPIRED, "expired-upstream"},
	    {ERR_RSP_DER, ERR_RSP_SIGNATURE, "invalid-upstream"},
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		if (err >= rows[i].first && err <= rows[i].last)
			return rows[i].detail;
	}
	return NULL;
}

/* Only failures of responders, and of waiting for them, have to do with the cache: those that may
 * be repeated, and the deadline. */
static char *put_error_cache_status(char *p, err_t err, const struct reply_context *context)
{
	bool is_upstream = err_row(err)->negative != NEGATIVE_NONE || err == ERR_DEADLINE;
	const char *detail = NULL;

	if (context->verdict != REPLY_NEGATIVE && !is_upstream && context->id == NULL)
		return p;
	p = PUT(p, "Cache-Status: ocsprelay");
	if (context->verdict == REPLY_NEGATIVE) {
		p = PUT(p, "; hit");
		detail = "negative";
	} else if (is_upstream) {
		p = put_forwarded(p, context);
		detail = context->detail != NULL ? context->detail : detail_of(err);
	}
	p = put_detail(p, detail, context->id);
	return PUT(p, "\r\n");
}

size_t reply_error(char dst[MAX_REPLY_ERROR], err_t err, bool head_only,
		   const struct reply_context *context)
{
	const struct err_row *row = err_row(err_row(err)->http != 0 ? err : ERR_INTERNAL);
	bool is_text = row->ocsp == OCSP_NONE;
	struct slice body = is_text ? slice_of(row->text, strnlen(row->text, MAX_TEXT))
				    : response_error((enum ocsp_status)row->ocsp);
	char *p = dst;

	p = put_status_line(p, row->http);
	p = put_date_field(p, context);
	p = is_text ? PUT(p, "Content-Type: text/plain\r\n")
		    : PUT(p, "Content-Type: application/ocsp-response\r\n");
	p = PUT(p, "Content-Length: ");
	p += decimal_encode(p, body.len + is_text);
	p = PUT(p, "\r\nCache-Control: no-store\r\n");
	if (err == ERR_HTTP_METHOD)
		p = PUT(p, "Allow: GET, HEAD, POST\r\n");
	p = put_error_cache_status(p, err, context);
	p = put_end(p, context->close || reply_error_closes(err), context->minor);
	if (head_only)
		return (size_t)(p - dst);
	p = put(p, (const char *)body.p, body.len);
	if (is_text)
		p = PUT(p, "\n");
	return (size_t)(p - dst);
}

unsigned reply_status(const char *head)
{
	const char *digits = head + strlen("HTTP/1.1 ");

	return (unsigned)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
}

bool reply_error_closes(err_t err)
{
	if (err == ERR_HTTP_METHOD || err == ERR_HTTP_EXPECT)
		return false;
	return err == ERR_LOOP || err_row(err)->ocsp == OCSP_NONE;
}

struct slice reply_continue(void)
{
	return slice_text("HTTP/1.1 100 Continue\r\n\r\n");
}

/* If-None-Match against our strong tag (RFC 9110 13.1.2): "*" or a list, weak comparison. A list
 * that is malformed behind the match is not looked at. */
static bool has_etag(struct slice list, const uint8_t *sha256)
{
	char etag[ETAG_DIGITS + 2] = "\"";
	struct slice tag;

	etag[sizeof(etag) - 1] = '"';
	hex_encode(etag + 1, slice_of(sha256, ETAG_DIGITS / 2));
	if (slice_eq(list, slice_of("*", 1)))
		return true;
	while (http_text_next(&list, &tag)) {
		if (tag.len > 2 && memcmp(tag.p, "W/", 2) == 0)
			tag = slice_skip(tag, 2);
		if (slice_eq(tag, slice_of(etag, sizeof(etag))))
			return true;
	}
	return false;
}

bool reply_is_not_modified(const struct http_request *request, const struct reply_entity *entity,
			   int64_t now)
{
	int64_t since;

	if (request->method == HTTP_POST)
		return false;
	if (request->if_none_match.p != NULL)
		return has_etag(request->if_none_match, entity->sha256);
	if (request->if_modified_since.p == NULL)
		return false;
	return date_from_http(request->if_modified_since, now, &since) == OK &&
	       last_modified(entity, now) <= since;
}
