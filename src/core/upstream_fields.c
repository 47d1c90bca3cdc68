/* SPDX-License-Identifier: ISC */
/*
 * Header fields of a responder, one line at a time: a table of names, and a reader for each value
 * that is told about. A hint that cannot be read is no hint; lengths that contradict each other are
 * remembered, because whoever frames by the wrong one reads another message.
 */
#include "core/upstream_fields.h"

#include <string.h>

#include "core/dates.h"
#include "core/http_text.h"

#define MAX_MAX_AGE INT32_MAX /* RFC 9111 1.2.2: larger ones count as this */

typedef void read_fn(struct upstream_fields *fields, struct slice value, int64_t now);

static bool is_digits(struct slice s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!is_char(s.p[i], CHAR_DIGIT))
			return false;
	}
	return s.len > 0;
}

/* delta-seconds, larger ones cut to max. */
static bool read_seconds(struct slice value, int64_t max, int64_t *out)
{
	uint64_t n;

	if (!is_digits(value))
		return false;
	*out = decimal_decode(value, (uint64_t)max, &n) == OK ? (int64_t)n : max;
	return true;
}

/* Name and argument of a directive, the argument without its quotes. */
static void cut_directive(struct slice directive, struct slice *out_name, struct slice *out_value)
{
	size_t n = 0;

	while (n < directive.len && directive.p[n] != '=')
		n++;
	*out_name = http_text_trim(slice_take(directive, n));
	*out_value = http_text_trim(slice_skip(directive, n + 1));
	if (out_value->len >= 2 && out_value->p[0] == '"' &&
	    out_value->p[out_value->len - 1] == '"')
		*out_value = slice_of(out_value->p + 1, out_value->len - 2);
}

/* A directive that is limited to named fields (no-cache="...") counts in full, as RFC 9111 5.2.2.4
 * allows. Of several max-age the smallest counts. */
static void read_cache_control(struct upstream_fields *fields, struct slice value, int64_t now)
{
	struct upstream_hints *hints = &fields->hints;
	struct slice directive, name, argument;
	int64_t seconds;

	(void)now;
	while (http_text_next(&value, &directive)) {
		cut_directive(directive, &name, &argument);
		if (slice_eq_nocase(name, "no-store") || slice_eq_nocase(name, "private")) {
			hints->flags |= HINT_NO_STORE;
		} else if (slice_eq_nocase(name, "no-cache")) {
			hints->flags |= HINT_NO_CACHE;
		} else if (slice_eq_nocase(name, "max-age") &&
			   read_seconds(argument, MAX_MAX_AGE, &seconds)) {
			if (!(hints->flags & HINT_MAX_AGE) || seconds < hints->max_age)
				hints->max_age = seconds;
			hints->flags |= HINT_MAX_AGE;
		}
	}
}

static void read_retry_after(struct upstream_fields *fields, struct slice value, int64_t now)
{
	int64_t seconds, t;

	if (!read_seconds(value, MAX_RETRY_AFTER, &seconds)) {
		if (date_from_http(value, now, &t) != OK || t <= now)
			return;
		seconds = t > time_add(now, MAX_RETRY_AFTER) ? MAX_RETRY_AFTER : t - now;
	}
	fields->retry_after = seconds;
}

/* Whether a list of codings names any but the one that changes nothing here. */
static bool has_coding_beyond(struct slice value, const char *harmless)
{
	struct slice coding;

	while (http_text_next(&value, &coding)) {
		if (coding.len > 0 && !slice_eq_nocase(coding, "identity") &&
		    !slice_eq_nocase(coding, harmless))
			return true;
	}
	return false;
}

static void read_content_encoding(struct upstream_fields *fields, struct slice value, int64_t now)
{
	(void)now;
	fields->is_coded |= has_coding_beyond(value, "identity");
}

static void read_transfer_encoding(struct upstream_fields *fields, struct slice value, int64_t now)
{
	(void)now;
	fields->is_coded |= has_coding_beyond(value, "chunked");
}

static void read_content_length(struct upstream_fields *fields, struct slice value, int64_t now)
{
	struct slice element;
	uint64_t length;

	(void)now;
	while (http_text_next(&value, &element)) {
		if (decimal_decode(element, UINT64_MAX, &length) != OK ||
		    (fields->has_length && length != fields->length)) {
			fields->is_ambiguous = true;
			return;
		}
		fields->has_length = true;
		fields->length = length;
	}
}

/* For people to read. */
static void copy_text(char *dst, size_t cap, struct slice value)
{
	size_t n = 0;

	for (; n < value.len && n + 1 < cap; n++)
		dst[n] = (char)(value.p[n] >= ' ' && value.p[n] <= '~' ? value.p[n] : '?');
	dst[n] = '\0';
}

/* Of several lines the last, which is the nearest cache's (RFC 9211 2). */
static void read_cache_status(struct upstream_fields *fields, struct slice value, int64_t now)
{
	(void)now;
	copy_text(fields->cache_status, sizeof(fields->cache_status), value);
}

static void read_content_type(struct upstream_fields *fields, struct slice value, int64_t now)
{
	(void)now;
	copy_text(fields->content_type, sizeof(fields->content_type), value);
}

static void read_date(struct upstream_fields *fields, struct slice value, int64_t now)
{
	int64_t t;

	if (date_from_http(value, now, &t) == OK && t > 0)
		fields->date = t;
}

static void read_age(struct upstream_fields *fields, struct slice value, int64_t now)
{
	int64_t seconds;

	(void)now;
	if (read_seconds(value, MAX_MAX_AGE, &seconds))
		fields->age = seconds;
}

/* Weak ones are not for us: what they call the same may be another response. */
static void read_etag(struct upstream_fields *fields, struct slice value, int64_t now)
{
	size_t i;

	(void)now;
	if (value.len < 2 || value.len > MAX_ETAG || value.p[0] != '"' ||
	    value.p[value.len - 1] != '"')
		return;
	for (i = 1; i + 1 < value.len; i++) {
		if (value.p[i] <= ' ' || value.p[i] > '~' || value.p[i] == '"')
			return;
	}
	memcpy(fields->etag, value.p, value.len);
	fields->etag[value.len] = '\0';
}

static const struct {
	const char *name;
	read_fn *read;
} rows[] = {
    {"cache-control", read_cache_control},
    {"retry-after", read_retry_after},
    {"content-encoding", read_content_encoding},
    {"transfer-encoding", read_transfer_encoding},
    {"content-length", read_content_length},
    {"cache-status", read_cache_status},
    {"content-type", read_content_type},
    {"date", read_date},
    {"age", read_age},
    {"etag", read_etag},
};

static struct slice trim_line_end(struct slice line)
{
	while (line.len > 0 && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
		line.len--;
	return line;
}

void upstream_fields_read(struct upstream_fields *fields, struct slice line, int64_t now)
{
	struct slice name, value;
	size_t i, n = 0;

	line = trim_line_end(line);
	if (slice_eq_nocase(slice_take(line, 5), "http/")) {
		*fields = (struct upstream_fields){0};
		return;
	}
	while (n < line.len && line.p[n] != ':')
		n++;
	name = slice_take(line, n);
	value = http_text_trim(slice_skip(line, n + 1));
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		if (slice_eq_nocase(name, rows[i].name))
			rows[i].read(fields, value, now);
	}
}
