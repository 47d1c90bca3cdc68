/* SPDX-License-Identifier: ISC */
/*
 * The request head parser: one pass from line to line, nothing copied, nothing allocated. Every
 * request pays for it, so line ends are found by memchr, values are checked eight octets at a time,
 * and only the fields of the table below are read.
 *
 * Fields say what they say while the lines go by; what follows from them together is judged at the
 * end, so that the outcome does not depend on their order. A limit is checked before a line's
 * syntax and before its end has arrived: no input makes the caller buffer more than the limits.
 */
#include "core/http_request.h"

#include <string.h>

#include "core/http_text.h"

enum seen {
	SEEN_HOST = 1 << 0,
	SEEN_LENGTH = 1 << 1,
	SEEN_CODING = 1 << 2,
	SEEN_OTHER_CODING = 1 << 3, /* anything but exactly one "chunked" */
	SEEN_CLOSE = 1 << 4,
	SEEN_KEEP_ALIVE = 1 << 5,
	SEEN_EXPECT = 1 << 6,
	SEEN_OTHER_EXPECT = 1 << 7,
	REFUSED_METHOD = 1 << 8, /* known, not allowed */
	CONNECT_METHOD = 1 << 9
};

struct head {
	struct http_request request;
	const struct http_limits *limits;
	unsigned seen;
};

static bool is_escape(const uint8_t *p, const uint8_t *end)
{
	return *p == '%' && end - p > 2 && is_char(p[1], CHAR_HEX) && is_char(p[2], CHAR_HEX);
}

/* uri-host [ ":" port ] (RFC 9110 7.2); both may be empty. An address in brackets is checked for
 * its octets only: nothing is ever connected to. */
static bool is_host(struct slice value)
{
	const uint8_t *p = value.p, *end = p + value.len;

	if (p != end && *p == '[') {
		do
			p++;
		while (p != end && (*p == ':' || is_char(*p, CHAR_HOST)));
		if (p == end || *p++ != ']')
			return false;
	} else {
		while (p != end && (is_char(*p, CHAR_HOST) || is_escape(p, end)))
			p++;
	}
	if (p != end && *p == ':') {
		do
			p++;
		while (p != end && is_char(*p, CHAR_DIGIT));
	}
	return p == end;
}

static err_t read_host(struct head *head, struct slice value)
{
	if (head->seen & SEEN_HOST || !is_host(value))
		return ERR_HTTP_HOST;
	head->seen |= SEEN_HOST;
	return OK;
}

static err_t read_content_length(struct head *head, struct slice value)
{
	if (head->seen & SEEN_LENGTH)
		return ERR_HTTP_LENGTH; /* even when equal: somebody on the way adds lengths */
	head->seen |= SEEN_LENGTH;
	if (decimal_decode(value, UINT64_MAX, &head->request.content_length) != OK)
		return ERR_HTTP_LENGTH;
	return OK;
}

static err_t read_transfer_encoding(struct head *head, struct slice value)
{
	if (head->seen & SEEN_CODING || !slice_eq_nocase(value, "chunked"))
		head->seen |= SEEN_OTHER_CODING;
	head->seen |= SEEN_CODING;
	head->request.flags |= HTTP_CHUNKED;
	return OK;
}

static err_t read_connection(struct head *head, struct slice value)
{
	struct slice option;

	while (http_text_next(&value, &option)) {
		if (slice_eq_nocase(option, "close"))
			head->seen |= SEEN_CLOSE;
		else if (slice_eq_nocase(option, "keep-alive"))
			head->seen |= SEEN_KEEP_ALIVE;
	}
	return OK;
}

static err_t read_expect(struct head *head, struct slice value)
{
	struct slice expectation;

	while (http_text_next(&value, &expectation)) {
		if (slice_eq_nocase(expectation, "100-continue"))
			head->seen |= SEEN_EXPECT;
		else if (expectation.len > 0)
			head->seen |= SEEN_OTHER_EXPECT;
	}
	return OK;
}

static err_t read_cache_control(struct head *head, struct slice value)
{
	struct slice directive;

	while (http_text_next(&value, &directive)) {
		if (slice_eq_nocase(directive, "no-cache") ||
		    slice_eq_nocase(directive, "max-age=0"))
			head->request.flags |= HTTP_NO_CACHE;
		else if (slice_eq_nocase(directive, "only-if-cached"))
			head->request.flags |= HTTP_ONLY_IF_CACHED;
	}
	return OK;
}

static err_t read_pragma(struct head *head, struct slice value)
{
	struct slice directive;

	while (http_text_next(&value, &directive)) {
		if (slice_eq_nocase(directive, "no-cache"))
			head->request.flags |= HTTP_NO_CACHE;
	}
	return OK;
}

/* Our pseudonym as a whole word is a loop wherever it stands: it is random, nobody else has it. */
static err_t read_via(struct head *head, struct slice value)
{
	struct slice own = head->limits->own_via;
	const uint8_t *p = value.p, *end = p + value.len;

	while (own.len > 0 && (p = memmem(p, (size_t)(end - p), own.p, own.len)) != NULL) {
		if ((p == value.p || !is_char(p[-1], CHAR_TOKEN)) &&
		    (p + own.len == end || !is_char(p[own.len], CHAR_TOKEN))) {
			head->request.flags |= HTTP_LOOP;
			break;
		}
		p++;
	}
	return OK;
}

static err_t read_once(struct slice *field, struct slice value)
{
	if (field->p != NULL)
		value.len = 0;
	*field = value;
	return OK;
}

static err_t read_if_none_match(struct head *head, struct slice value)
{
	return read_once(&head->request.if_none_match, value);
}

static err_t read_if_modified_since(struct head *head, struct slice value)
{
	return read_once(&head->request.if_modified_since, value);
}

#define FIELD(name, read)                    \
	{                                    \
		name, sizeof(name) - 1, read \
	}
static const struct field_row {
	const char *name; /* lower case */
	size_t len;
	err_t (*read)(struct head *head, struct slice value); /* value is trimmed and checked */
} field_rows[] = {
    FIELD("host", read_host),
    FIELD("connection", read_connection),
    FIELD("content-length", read_content_length),
    FIELD("transfer-encoding", read_transfer_encoding),
    FIELD("expect", read_expect),
    FIELD("cache-control", read_cache_control),
    FIELD("pragma", read_pragma),
    FIELD("if-none-match", read_if_none_match),
    FIELD("if-modified-since", read_if_modified_since),
    FIELD("via", read_via),
};

/* name is a token: no octet of it becomes a letter or "-" by the bit that is not one already. */
static bool is_named(const uint8_t *name, const struct field_row *row)
{
	size_t i;

	for (i = 0; i < row->len; i++) {
		if ((name[i] | 0x20) != row->name[i])
			return false;
	}
	return true;
}

static err_t read_field(struct head *head, struct slice line)
{
	const uint8_t *p = line.p, *end = p + line.len;
	const struct field_row *row;
	struct slice value;
	size_t name_len;

	while (p != end && is_char(*p, CHAR_TOKEN))
		p++;
	/* An empty name is a folded line; a blank here stands before the colon (HS-11, HS-12). */
	if (p == line.p || p == end || *p != ':')
		return ERR_HTTP_SYNTAX;
	name_len = (size_t)(p - line.p);
	value = slice_of(p + 1, (size_t)(end - p - 1));
	if (!http_text_is_value(value))
		return ERR_HTTP_SYNTAX;
	for (row = field_rows; row < field_rows + N_ELEMENTS(field_rows); row++) {
		if (row->len == name_len && is_named(line.p, row))
			return row->read(head, http_text_trim(value));
	}
	return OK;
}

/* Cuts the next line, without its CRLF, off rest. too_long as soon as it is certain that the line
 * has more than max octets; the answer is the same before and after its end has arrived. */
static err_t take_line(struct slice *rest, size_t max, err_t too_long, struct slice *out_line)
{
	struct slice line = slice_take(*rest, max + 2);
	const uint8_t *lf = line.len > 0 ? memchr(line.p, '\n', line.len) : NULL;
	bool has_cr;

	if (lf != NULL)
		line.len = (size_t)(lf - line.p);
	has_cr = line.len > 0 && line.p[line.len - 1] == '\r';
	if (line.len - has_cr > max)
		return too_long;
	if (lf == NULL)
		return ERR_AGAIN;
	if (!has_cr)
		return ERR_HTTP_SYNTAX;
	*rest = slice_skip(*rest, line.len + 1);
	line.len--;
	*out_line = line;
	return OK;
}

static err_t read_fields(struct head *head, struct slice *rest)
{
	size_t room = head->limits->max_header_bytes;
	struct slice line = {.len = 0};
	unsigned n_fields;
	err_t e;

	for (n_fields = 0;; n_fields++) {
		e = take_line(rest, room < 2 ? 0 : room - 2, ERR_HTTP_HEADER_SIZE, &line);
		if (e != OK || line.len == 0)
			return e;
		if (n_fields == head->limits->max_headers)
			return ERR_HTTP_HEADER_SIZE;
		room -= line.len + 2;
		if ((e = read_field(head, line)) != OK)
			return e;
	}
}

static const struct method_row {
	const char *name;
	size_t len;
	enum http_method method;
	unsigned seen;
} method_rows[] = {
    {"GET", 3, HTTP_GET, 0},
    {"POST", 4, HTTP_POST, 0},
    {"HEAD", 4, HTTP_HEAD, 0},
    {"OPTIONS", 7, HTTP_GET, REFUSED_METHOD},
    {"PUT", 3, HTTP_GET, REFUSED_METHOD},
    {"DELETE", 6, HTTP_GET, REFUSED_METHOD},
    {"TRACE", 5, HTTP_GET, REFUSED_METHOD},
    {"PATCH", 5, HTTP_GET, REFUSED_METHOD},
    {"CONNECT", 7, HTTP_GET, REFUSED_METHOD | CONNECT_METHOD},
};

static err_t read_method(struct head *head, struct slice method)
{
	const struct method_row *row;

	for (row = method_rows; row < method_rows + N_ELEMENTS(method_rows); row++) {
		if (slice_eq(method, slice_of(row->name, row->len))) {
			head->request.method = row->method;
			head->seen |= row->seen;
			return OK;
		}
	}
	return http_text_is_token(method) ? ERR_HTTP_UNKNOWN : ERR_HTTP_SYNTAX;
}

/* scheme "://" at the start: absolute-form (RFC 9112 3.2.2). */
static bool has_scheme(struct slice target)
{
	size_t i = 0;

	while (i < target.len && (is_char(target.p[i], CHAR_ALPHA | CHAR_DIGIT) ||
				  memchr("+-.", target.p[i], 3) != NULL))
		i++;
	return is_char(target.p[0], CHAR_ALPHA) && target.len - i >= 3 &&
	       memcmp(target.p + i, "://", 3) == 0;
}

/* method SP request-target SP HTTP-version (RFC 9112 3). The version comes first: what another
 * version of HTTP means by the rest is not known. */
static err_t read_request_line(struct head *head, struct slice line)
{
	struct slice method = {.len = 0}, target;
	const uint8_t *version, *space;
	err_t e;

	if (line.len < 9)
		return ERR_HTTP_SYNTAX;
	version = line.p + line.len - 9;
	if (memcmp(version, " HTTP/", 6) != 0 || !is_char(version[6], CHAR_DIGIT) ||
	    version[7] != '.' || !is_char(version[8], CHAR_DIGIT))
		return ERR_HTTP_SYNTAX;
	if (version[6] != '1' || version[8] > '1')
		return ERR_HTTP_VERSION;
	head->request.minor = version[8] - (unsigned)'0';

	space = memchr(line.p, ' ', line.len); /* there is the one before the version */
	method = slice_of(line.p, (size_t)(space - line.p));
	target = space == version ? slice_of(NULL, 0)
				  : slice_of(space + 1, (size_t)(version - space - 1));
	if (target.len == 0 || !http_text_is_visible(target))
		return ERR_HTTP_SYNTAX;
	if ((e = read_method(head, method)) != OK)
		return e;
	if (target.p[0] != '/' && !(head->seen & REFUSED_METHOD) && !has_scheme(target))
		return ERR_HTTP_SYNTAX;
	head->request.target = target;
	return OK;
}

static bool has_body(const struct http_request *request)
{
	return request->content_length > 0 || request->flags & HTTP_CHUNKED;
}

/* Framing (RFC 9112 6): refused before anything else may be said about the request. */
static err_t judge_framing(const struct head *head)
{
	const struct http_request *request = &head->request;

	if (head->seen & SEEN_LENGTH && head->seen & SEEN_CODING)
		return ERR_HTTP_SMUGGLING;
	if (request->method != HTTP_POST && !(head->seen & REFUSED_METHOD) && has_body(request))
		return ERR_HTTP_BODY;
	if (head->seen & SEEN_OTHER_CODING || (head->seen & SEEN_CODING && request->minor == 0))
		return ERR_HTTP_CODING;
	return OK;
}

static err_t judge(struct head *head)
{
	struct http_request *request = &head->request;
	bool is_too_large = request->content_length > head->limits->max_request_body;
	err_t e;

	if (request->minor > 0 && !(head->seen & SEEN_HOST))
		return ERR_HTTP_HOST;
	if ((e = judge_framing(head)) != OK)
		return e;
	if (!(head->seen & SEEN_CLOSE) && (request->minor > 0 || head->seen & SEEN_KEEP_ALIVE))
		request->flags |= HTTP_KEEP_ALIVE;
	if (head->seen & REFUSED_METHOD) {
		/* What a client sends after CONNECT need not be HTTP. */
		if (head->seen & CONNECT_METHOD || is_too_large)
			request->flags &= ~(unsigned)HTTP_KEEP_ALIVE;
		return ERR_HTTP_METHOD;
	}
	if (is_too_large)
		return ERR_HTTP_BODY_SIZE;
	if (request->minor > 0 && head->seen & SEEN_OTHER_EXPECT)
		return ERR_HTTP_EXPECT;
	if (request->minor > 0 && head->seen & SEEN_EXPECT && has_body(request))
		request->flags |= HTTP_EXPECT_CONTINUE;
	return OK;
}

err_t http_request_parse(struct slice in, const struct http_limits *limits,
			 struct http_request *out)
{
	struct head head = {.limits = limits};
	struct slice rest = in, line = {.len = 0};
	unsigned i;
	err_t e;

	for (i = 0; i < 2 && rest.len >= 2 && memcmp(rest.p, "\r\n", 2) == 0; i++)
		rest = slice_skip(rest, 2);
	e = take_line(&rest, limits->max_request_line, ERR_HTTP_LINE_SIZE, &line);
	if (e != OK)
		return e;
	if ((e = read_request_line(&head, line)) != OK)
		return e;
	if ((e = read_fields(&head, &rest)) != OK)
		return e;
	head.request.head_len = in.len - rest.len;
	e = judge(&head);
	if (e == OK || e == ERR_HTTP_METHOD || e == ERR_HTTP_EXPECT)
		*out = head.request;
	return e;
}
