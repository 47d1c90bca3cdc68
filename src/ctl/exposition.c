/* SPDX-License-Identifier: ISC */
/*
 * OpenMetrics names a family without what its samples end in, and tells its unit. A quantile is a
 * label that in the text format only summaries may have; OpenMetrics wants numbers written its own
 * way in those of a summary (0.0 where we promise 0), but lets gauges have any label.
 */
#include "ctl/exposition.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "core/http_text.h"

struct type_row {
	const char *text, *openmetrics;
	const char *suffix; /* of samples, not of the family in OpenMetrics */
};

static const struct type_row types[] = {
    [FAMILY_GAUGE] = {"gauge", "gauge", ""},
    [FAMILY_COUNTER] = {"counter", "counter", "_total"},
    [FAMILY_LONELY] = {"counter", "unknown", ""},
    [FAMILY_HISTOGRAM] = {"histogram", "histogram", ""},
    [FAMILY_QUANTILES] = {"summary", "gauge", ""},
    [FAMILY_INFO] = {"gauge", "info", "_info"},
};

static bool ends_in(struct slice name, const char *end)
{
	size_t len = strlen(end);

	return name.len > len && memcmp(name.p + name.len - len, end, len) == 0;
}

static void put_unit(struct buf *out, const char *prefix, struct slice name)
{
	static const char *const units[] = {"seconds", "bytes"};

	for (size_t i = 0; i < N_ELEMENTS(units); i++) {
		if (ends_in(name, units[i]))
			buf_printf(out, "# UNIT %s%.*s %s\n", prefix, (int)name.len,
				   (const char *)name.p, units[i]);
	}
}

void exposition_head(struct buf *out, enum exposition format, const struct family *family)
{
	const struct type_row *type = &types[family->type];
	bool is_openmetrics = format == EXPOSITION_OPENMETRICS;
	struct slice name = slice_text(family->name);

	if (is_openmetrics && ends_in(name, type->suffix))
		name.len -= strlen(type->suffix);
	buf_printf(out, "# HELP %s%.*s %s\n# TYPE %s%.*s %s\n", family->prefix, (int)name.len,
		   (const char *)name.p, family->help, family->prefix, (int)name.len,
		   (const char *)name.p, is_openmetrics ? type->openmetrics : type->text);
	if (is_openmetrics)
		put_unit(out, family->prefix, name);
}

void exposition_end(struct buf *out, enum exposition format)
{
	if (format == EXPOSITION_OPENMETRICS)
		buf_text(out, "# EOF\n");
}

const char *exposition_type(enum exposition format)
{
	static const char *const names[] = {
	    [EXPOSITION_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
	    [EXPOSITION_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
	};

	return names[format];
}

/* --- what a client likes ------------------------------------------------------------------------
 */

#define Q_ONE 1000

/* How much somebody wants a format, in thousandths, by the range that fits best. */
struct wish {
	const char *type, *group; /* "text/plain", "text/" and any subtype */
	const char *version;
	unsigned precision; /* of the best range yet; 0: none */
	unsigned q;
};

/* What stands before the next semicolon; *rest begins behind it. */
static struct slice next_part(struct slice *rest)
{
	const uint8_t *end = memchr(rest->p, ';', rest->len);
	size_t len = end ? (size_t)(end - rest->p) : rest->len;
	struct slice part = slice_take(*rest, len);

	*rest = slice_skip(*rest, end ? len + 1 : len);
	return http_text_trim(part);
}

/* The value of "name=value"; false: another parameter. */
static bool has_value(struct slice part, const char *name, struct slice *out)
{
	size_t len = strlen(name);

	if (part.len <= len || strncasecmp((const char *)part.p, name, len) != 0 ||
	    part.p[len] != '=')
		return false;
	*out = slice_skip(part, len + 1);
	if (out->len >= 2 && out->p[0] == '"' && out->p[out->len - 1] == '"')
		*out = slice_of(out->p + 1, out->len - 2);
	return true;
}

/* RFC 9110 12.4.2: up to three digits behind the point. What cannot be read is not wanted. */
static unsigned quality(struct slice text)
{
	unsigned q = 0, unit = Q_ONE;

	for (size_t i = 0; i < text.len; i++) {
		if (i == 1 && text.p[i] == '.')
			continue;
		if (text.p[i] < '0' || text.p[i] > '9' || i > 4 || (i > 0 && text.p[1] != '.'))
			return 0;
		q += (unsigned)(text.p[i] - '0') * unit;
		unit /= 10;
	}
	return q <= Q_ONE ? q : 0;
}

static unsigned precision_of(const struct wish *wish, struct slice range)
{
	size_t len = strlen(wish->group);

	if (slice_eq_nocase(range, wish->type))
		return 3;
	if (range.len == len + 1 && range.p[len] == '*' &&
	    strncasecmp((const char *)range.p, wish->group, len) == 0)
		return 2;
	return slice_eq_nocase(range, "*/*");
}

static void look_at(struct wish *wish, struct slice element)
{
	unsigned q = Q_ONE, precision = precision_of(wish, next_part(&element));
	struct slice value;

	while (element.len > 0) {
		struct slice part = next_part(&element);

		if (has_value(part, "q", &value))
			q = quality(value);
		else if (has_value(part, "version", &value) &&
			 !slice_eq(value, slice_text(wish->version)))
			return;
	}
	if (precision == 0 || precision < wish->precision ||
	    (precision == wish->precision && q <= wish->q))
		return;
	wish->precision = precision;
	wish->q = q;
}

enum exposition exposition_choose(const char *accept)
{
	struct wish text = {.type = "text/plain", .group = "text/", .version = "0.0.4"};
	struct wish openmetrics = {
	    .type = "application/openmetrics-text", .group = "application/", .version = "1.0.0"};
	struct slice rest = slice_text(accept ? accept : ""), element;

	while (http_text_next(&rest, &element)) {
		look_at(&text, element);
		look_at(&openmetrics, element);
	}
	return openmetrics.precision == 3 && openmetrics.q > 0 && openmetrics.q >= text.q
		   ? EXPOSITION_OPENMETRICS
		   : EXPOSITION_TEXT;
}
