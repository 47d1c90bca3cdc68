/* SPDX-License-Identifier: ISC */
/* How log events read: both formats, what is quoted and escaped, and that a line is never too long
 * nor broken by what a peer has put into a field. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ctl/log_line.h"

#define MS_2026 INT64_C(1795348800123) /* 2026-11-22T12:00:00.123Z */

/* The line of READY with these fields, as text without its line end. */
static const char *line_of(enum log_format format, const struct log_field *fields)
{
	static struct log_line line;
	struct log_head head = {
	    .format = format, .ms_wall = MS_2026, .event = EVENT_READY, .level = LEVEL_NOTICE};

	log_line_make(&line, &head, fields);
	cr_assert_gt(line.len, 1);
	cr_assert_leq(line.len, LOG_LINE_MAX);
	cr_assert_eq(line.text[line.len - 1], '\n');
	line.text[line.len - 1] = '\0';
	cr_assert_eq(strlen(line.text), line.len - 1);
	return line.text;
}

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.name = NULL}})

Test(log_line, logfmt)
{
	cr_expect_str_eq(line_of(LOG_FORMAT_LOGFMT,
				 FIELDS(LOG_TEXT("address", "127.0.0.1:80"), LOG_NUMBER("n", -5),
					LOG_HEX("serial", slice_of("\x01\xab", 2)))),
			 "ts=2026-11-22T12:00:00.123Z level=notice event=ready msg=serving "
			 "address=127.0.0.1:80 n=-5 serial=01ab");
}

Test(log_line, json)
{
	cr_expect_str_eq(line_of(LOG_FORMAT_JSON,
				 FIELDS(LOG_TEXT("address", "127.0.0.1:80"), LOG_NUMBER("n", -5),
					LOG_HEX("serial", slice_of("\x01\xab", 2)))),
			 "{\"ts\":\"2026-11-22T12:00:00.123Z\",\"level\":\"notice\","
			 "\"event\":\"ready\",\"msg\":\"serving\",\"address\":\"127.0.0.1:80\","
			 "\"n\":-5,\"serial\":\"01ab\"}");
}

Test(log_line, syslog_has_time_and_level_of_its_own)
{
	struct log_head head = {.is_bare = true, .event = EVENT_DRAIN};
	struct log_line line;

	log_line_make(&line, &head, FIELDS(LOG_NUMBER("n", 1)));
	cr_expect_eq(
	    memcmp(line.text, "event=drain msg=\"draining: no new connections\" n=1\n", line.len),
	    0);
	head.format = LOG_FORMAT_JSON;
	log_line_make(&line, &head, FIELDS(LOG_NUMBER("n", 1)));
	cr_expect_eq(memcmp(line.text, "{\"event\":\"drain\",", 17), 0);
}

Test(log_line, values_are_quoted_where_they_could_be_misread)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
	    {"plain-1.2:3/x", "plain-1.2:3/x"},
	    {"", "\"\""},
	    {"a b", "\"a b\""},
	    {"a=b", "\"a=b\""},
	    {"a\"b", "\"a\\\"b\""},
	    {"a\\b", "\"a\\\\b\""},
	    {"a\nlevel=error", "\"a\\u000alevel=error\""},
	    {"a\x1b[31m", "\"a\\u001b[31m\""},
	    {"a\x7f", "\"a\\u007f\""},
	    {"\xc2\x9b", "\"\\u009b\""}, /* a control beyond ASCII */
	    {"M\xc3\xbcnchen", "\"M\xc3\xbcnchen\""},
	    {"a\xff", "\"a?\""},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		const char *line =
		    line_of(LOG_FORMAT_LOGFMT, FIELDS(LOG_TEXT("v", cases[i].value)));
		const char *value = strstr(line, " v=");

		cr_assert_not_null(value, "row %zu", i);
		cr_expect_str_eq(value + 3, cases[i].written, "row %zu: %s", i, value + 3);
		line = line_of(LOG_FORMAT_JSON, FIELDS(LOG_TEXT("v", cases[i].value)));
		value = strstr(line, ",\"v\":");
		cr_assert_not_null(value, "row %zu", i);
		cr_expect_eq(value[5], '"', "row %zu: always quoted", i);
	}
}

Test(log_line, empty_bytes_and_extreme_numbers)
{
	const char *line = line_of(LOG_FORMAT_LOGFMT,
				   FIELDS(LOG_HEX("h", slice_of(NULL, 0)),
					  LOG_NUMBER("a", INT64_MIN), LOG_NUMBER("b", INT64_MAX)));

	cr_expect_not_null(strstr(line, " h=\"\" a=-9223372036854775808 b=9223372036854775807"),
			   "%s", line);
}

/* Values of every length around the limit, in text, hexadecimal and with escapes at the cut. */
Test(log_line, long_values_are_cut_and_the_line_stays_well_formed)
{
	static char value[LOG_LINE_MAX + 100];
	static const char *const fillers[] = {"x", "\"", "\n", "\xc3\xbc", "x y"};

	for (size_t f = 0; f < N_ELEMENTS(fillers); f++) {
		size_t len = strlen(fillers[f]);

		for (size_t i = 0; i + 1 < sizeof(value); i++)
			value[i] = fillers[f][i % len];
		for (size_t n = 500; n < sizeof(value); n += n < 3900 ? 97 : 1) {
			struct slice cut = slice_of(value, n - n % len);
			const char *line;

			line = line_of(LOG_FORMAT_JSON,
				       FIELDS(LOG_SLICE("v", cut), LOG_TEXT("last", "z")));
			cr_assert_str_eq(line + strlen(line) - 2, "\"}", "filler %zu, %zu", f, n);
			line = line_of(LOG_FORMAT_LOGFMT,
				       FIELDS(LOG_SLICE("v", cut), LOG_TEXT("last", "z")));
			cr_assert(f == 0 || strstr(line, " last=z") ||
				      line[strlen(line) - 1] == '"' || !strstr(line, " v="),
				  "filler %zu, %zu", f, n);
			line = line_of(LOG_FORMAT_JSON, FIELDS(LOG_HEX("v", cut)));
			cr_assert_str_eq(line + strlen(line) - 2, "\"}", "hex %zu, %zu", f, n);
		}
	}
}

Test(log_line, fields_that_do_not_fit_are_left_out)
{
	static char value[LOG_LINE_MAX];
	const char *line;

	memset(value, 'x', sizeof(value) - 1);
	line = line_of(LOG_FORMAT_LOGFMT, FIELDS(LOG_TEXT("v", value), LOG_NUMBER("late", 1)));
	cr_expect_gt(strlen(line), LOG_LINE_MAX - 16);
	cr_expect_null(strstr(line, "late"));
}
