/* SPDX-License-Identifier: ISC */
/*
 * Quoting for two formats, which differ less than it seems: a logfmt value is bare where nothing in
 * it could be misread, else a JSON string. Whatever a peer has put into a field stays inside of it:
 * line ends, quotes and controls (terminal escapes) never get out as such, octets that are
 * not UTF-8 become question marks.
 */
#include "ctl/log_line.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/dates.h"

/* The rest is kept for what ends a line: quote, brace, line end. */
#define MAX_LEN (LOG_LINE_MAX - 8)

const char *const log_level_names[LEVEL_DEBUG + 1] = {
    [LEVEL_ERROR] = "error", [LEVEL_WARNING] = "warning", [LEVEL_NOTICE] = "notice",
    [LEVEL_INFO] = "info",   [LEVEL_DEBUG] = "debug",
};

/* All or nothing; false when it does not fit. */
static bool put(struct log_line *line, const void *p, size_t len)
{
	if (line->len > MAX_LEN || len > MAX_LEN - line->len)
		return false;
	memcpy(line->text + line->len, p, len);
	line->len += len;
	return true;
}

/* For what ends a value or the line; there is always room. */
static void put_end(struct log_line *line, const char *text)
{
	while (*text && line->len < LOG_LINE_MAX)
		line->text[line->len++] = *text++;
}

/* The first character of rest as the inside of a string, its octets taken away from rest. */
static bool put_character(struct log_line *line, struct slice *rest)
{
	char escape[8];
	uint32_t code;
	size_t n = utf8_decode(*rest, &code);
	bool is_put;

	if (n == 0) {
		n = 1;
		is_put = put(line, "?", 1);
	} else if (code == '"' || code == '\\') {
		escape[0] = '\\';
		escape[1] = (char)code;
		is_put = put(line, escape, 2);
	} else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)code);
		is_put = put(line, escape, 6);
	} else {
		is_put = put(line, rest->p, n);
	}
	*rest = slice_skip(*rest, n);
	return is_put;
}

/* A string with its quotes; false when it had to be cut. */
static bool put_quoted(struct log_line *line, struct slice text)
{
	bool is_whole = put(line, "\"", 1);

	if (!is_whole)
		return false;
	while (is_whole && text.len > 0)
		is_whole = put_character(line, &text);
	put_end(line, "\"");
	return is_whole;
}

static bool needs_quotes(struct slice text)
{
	if (text.len == 0)
		return true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f || strchr("\"=\\", text.p[i]))
			return true;
	}
	return false;
}

static bool put_text(struct log_line *line, enum log_format format, struct slice text)
{
	if (format == LOG_FORMAT_JSON || needs_quotes(text))
		return put_quoted(line, text);
	/* A bare value is cut rather than left out, like others. */
	while (text.len > 0) {
		if (!put_character(line, &text))
			return false;
	}
	return true;
}

static bool put_hex(struct log_line *line, enum log_format format, struct slice bytes)
{
	bool is_quoted = format == LOG_FORMAT_JSON || bytes.len == 0;
	bool is_whole = true;

	if (is_quoted && !put(line, "\"", 1))
		return false;
	for (size_t i = 0; is_whole && i < bytes.len; i++) {
		char digits[2];

		hex_encode(digits, slice_of(bytes.p + i, 1));
		is_whole = put(line, digits, sizeof(digits));
	}
	if (is_quoted)
		put_end(line, "\"");
	return is_whole;
}

static bool put_value(struct log_line *line, enum log_format format, const struct log_field *field)
{
	char digits[24];

	switch (field->type) {
	case LOG_FIELD_NUMBER:
		snprintf(digits, sizeof(digits), "%lld", (long long)field->number);
		return put(line, digits, strlen(digits));
	case LOG_FIELD_BYTES:
		return put_hex(line, format, field->bytes);
	case LOG_FIELD_TEXT:
		break;
	}
	return put_text(line, format, field->bytes);
}

/* name=value or "name":value, behind what is there; false when it had to be cut or left out. */
static bool put_field(struct log_line *line, enum log_format format, const struct log_field *field)
{
	char name[64];
	size_t len_before = line->len;
	bool is_first = line->len == (format == LOG_FORMAT_JSON);
	int n;

	if (format == LOG_FORMAT_JSON)
		n = snprintf(name, sizeof(name), "%s\"%s\":", is_first ? "" : ",", field->name);
	else
		n = snprintf(name, sizeof(name), "%s%s=", is_first ? "" : " ", field->name);
	/* Room for the name, a digit of a number, or the quotes of a text. */
	if (n < 0 || (size_t)n >= sizeof(name) || !put(line, name, (size_t)n))
		return false;
	if (put_value(line, format, field))
		return true;
	if (line->len == len_before + (size_t)n)
		line->len = len_before; /* no value at all */
	return false;
}

/* 2026-11-22T12:00:00.123Z */
static void print_time(char dst[ISO_DATE_SIZE + 4], int64_t ms)
{
	date_to_iso(dst, ms / 1000);
	snprintf(dst + ISO_DATE_SIZE - 2, 6, ".%03uZ", (unsigned)(ms % 1000) % 1000);
}

void log_line_make(struct log_line *line, const struct log_head *head,
		   const struct log_field *fields)
{
	const struct log_row *row = log_row(head->event);
	char ts[ISO_DATE_SIZE + 4];
	struct log_field heads[] = {
	    LOG_TEXT("ts", NULL),
	    LOG_TEXT("level", log_level_names[head->level]),
	    LOG_TEXT("event", row->name),
	    LOG_TEXT("msg", row->text),
	};
	bool is_whole = true;

	print_time(ts, head->ms_wall);
	heads[0].bytes = slice_text(ts);
	line->len = 0;
	put_end(line, head->format == LOG_FORMAT_JSON ? "{" : "");
	for (size_t i = head->is_bare ? 2 : 0; i < N_ELEMENTS(heads); i++)
		is_whole = is_whole && put_field(line, head->format, &heads[i]);
	for (; is_whole && fields->name; fields++)
		is_whole = put_field(line, head->format, fields);
	put_end(line, head->format == LOG_FORMAT_JSON ? "}\n" : "\n");
}
