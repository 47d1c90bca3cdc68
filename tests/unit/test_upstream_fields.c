/* SPDX-License-Identifier: ISC */
/* The header fields of a responder's answer. */
#include "core/upstream_fields.h"

#include <criterion/criterion.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct upstream_fields read_line(const char *line)
{
	struct upstream_fields fields = {.retry_after = 0};

	upstream_fields_read(&fields, slice_text(line), NOW);
	return fields;
}

Test(upstream_fields, CL_10_CL_11_cache_control_becomes_hints)
{
	static const struct {
		const char *value;
		unsigned flags;
		int64_t max_age;
	} rows[] = {
	    {"", 0, 0},
	    {"public", 0, 0},
	    {"max-age=600", HINT_MAX_AGE, 600},
	    {"MAX-AGE=600", HINT_MAX_AGE, 600},
	    {"max-age=\"600\"", HINT_MAX_AGE, 600},
	    {"max-age = 600", HINT_MAX_AGE, 600},
	    {"max-age=0", HINT_MAX_AGE, 0},
	    {"max-age=99999999999999999999999", HINT_MAX_AGE, INT32_MAX},
	    {"max-age=600, max-age=60", HINT_MAX_AGE, 60},
	    {"max-age=60, max-age=600", HINT_MAX_AGE, 60},
	    {"max-age=-1", 0, 0},
	    {"max-age=1.5", 0, 0},
	    {"max-age=", 0, 0},
	    {"max-age", 0, 0},
	    {"s-maxage=5", 0, 0},
	    {"no-store", HINT_NO_STORE, 0},
	    {"No-Store", HINT_NO_STORE, 0},
	    {"private", HINT_NO_STORE, 0},
	    {"private=\"set-cookie\"", HINT_NO_STORE, 0},
	    {"no-cache", HINT_NO_CACHE, 0},
	    {"no-cache=\"a, no-store, b\"", HINT_NO_CACHE, 0},
	    {"x=\"no-store", 0, 0}, /* the quote never ends */
	    {"x=\"a\\\", no-store\"", 0, 0},
	    {", ,no-cache,,max-age=7,", HINT_NO_CACHE | HINT_MAX_AGE, 7},
	    {"public, max-age=300, no-transform, must-revalidate", HINT_MAX_AGE, 300},
	    {"no-storex, xno-store", 0, 0},
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		struct upstream_fields fields = {.retry_after = 0};
		char line[100];

		snprintf(line, sizeof(line), "cache-CONTROL: %s \r\n", rows[i].value);
		upstream_fields_read(&fields, slice_text(line), NOW);
		cr_expect_eq(fields.hints.flags, rows[i].flags, "%s", line);
		cr_expect_eq(fields.hints.max_age, rows[i].max_age, "%s", line);
	}
}

Test(upstream_fields, CL_11_several_lines_add_up)
{
	struct upstream_fields fields = {.retry_after = 0};

	upstream_fields_read(&fields, slice_text("Cache-Control: max-age=600"), NOW);
	upstream_fields_read(&fields, slice_text("Cache-Control: no-cache"), NOW);
	cr_assert_eq(fields.hints.flags, HINT_MAX_AGE | HINT_NO_CACHE);
	cr_assert_eq(fields.hints.max_age, 600);
}

Test(upstream_fields, HC_14_retry_after_is_seconds_or_a_date_up_to_300)
{
	static const struct {
		const char *line;
		int64_t seconds;
	} rows[] = {
	    {"Retry-After: 10\r\n", 10},
	    {"retry-after:300", 300},
	    {"Retry-After: 301", 300},
	    {"Retry-After: 99999999999999999999999", 300},
	    {"Retry-After: 0", 0},
	    {"Retry-After: -5", 0},
	    {"Retry-After: soon", 0},
	    {"Retry-After: Sun, 06 Nov 1994 08:49:47 GMT", 10},
	    {"Retry-After: Sun, 06 Nov 1994 10:49:37 GMT", 300},
	    {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", 0},
	    {"Retry-After: Sun, 06 Nov 1994 08:00:00 GMT", 0},
	    {"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", 300},
	    {"Retry-After: Sunday, 06-Nov-94 08:49:47 GMT", 10},
	    {"Retry-After", 0},
	    {"X-Retry-After: 10", 0},
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(read_line(rows[i].line).retry_after, rows[i].seconds, "%s",
			     rows[i].line);
}

Test(upstream_fields, HC_04_strong_etags_of_some_length_are_remembered)
{
	static const struct {
		const char *line, *etag;
	} rows[] = {
	    {"ETag: \"5F2A/x\"\r\n", "\"5F2A/x\""},
	    {"etag:\"\"", "\"\""},
	    {"ETag: W/\"5f\"", ""},
	    {"ETag: 5f", ""},
	    {"ETag: \"", ""},
	    {"ETag: \"a\"b\"", ""},
	    {"ETag: \"a b\"", ""},
	    {"ETag: \"\xc3\xa4\"", ""},
	    {"ETag: "
	     "\"123456789012345678901234567890123456789012345678901234567890123456789012345678\"",
	     "\"123456789012345678901234567890123456789012345678901234567890123456789012345678\""},
	    {"ETag: "
	     "\"1234567890123456789012345678901234567890123456789012345678901234567890123456789\"",
	     ""},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_str_eq(read_line(rows[i].line).etag, rows[i].etag, "%s", rows[i].line);
}

Test(upstream_fields, SL_18_date_and_age)
{
	static const struct {
		const char *line;
		int64_t date, age;
	} rows[] = {
	    {"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 784111777, 0},
	    {"date:Sunday, 06-Nov-94 08:49:37 GMT", 784111777, 0},
	    {"Date: Sun, 06 Nov 1994 08:49:37", 0, 0},
	    {"Date: 784111777", 0, 0},
	    {"Date: Thu, 01 Jan 1970 00:00:00 GMT", 0, 0},
	    {"X-Date: Sun, 06 Nov 1994 08:49:37 GMT", 0, 0},
	    {"Age: 60", 0, 60},
	    {"age: 99999999999999999999999", 0, INT32_MAX},
	    {"Age: -60", 0, 0},
	    {"Age: soon", 0, 0},
	};
	size_t i;

	for (i = 0; i < N_ELEMENTS(rows); i++) {
		struct upstream_fields fields = read_line(rows[i].line);

		cr_expect_eq(fields.date, rows[i].date, "%s", rows[i].line);
		cr_expect_eq(fields.age, rows[i].age, "%s", rows[i].line);
	}
}

Test(upstream_fields, HC_07_content_type_is_shown_to_people_only)
{
	char line[200] = "Content-Type: ";

	cr_expect_str_eq(read_line("content-type: text/html; charset=utf-8 \r\n").content_type,
			 "text/html; charset=utf-8");
	cr_expect_str_eq(read_line("Content-Type: a\x1b[2Jb\xff").content_type, "a?[2Jb?");
	cr_expect_str_eq(read_line("Content-Type:").content_type, "");
	memset(line + strlen(line), 'x', 100);
	cr_expect_eq(strlen(read_line(line).content_type), MAX_CONTENT_TYPE - 1);
}

Test(upstream_fields, HC_05_codings_that_nobody_asked_for_are_seen)
{
	cr_expect(read_line("Content-Encoding: gzip").is_coded);
	cr_expect(read_line("CONTENT-ENCODING: identity, br\r\n").is_coded);
	cr_expect(read_line("Transfer-Encoding: gzip, chunked").is_coded);
	cr_expect_not(read_line("Transfer-Encoding: Chunked").is_coded);
	cr_expect_not(read_line("Content-Encoding: Identity").is_coded);
	cr_expect_not(read_line("Content-Encoding:").is_coded);
	cr_expect_not(read_line("X-Content-Encoding: gzip").is_coded);
}

/* RFC 9112 6.3 (5): lengths that differ leave no way to tell where the message ends. */
Test(upstream_fields, HC_05_lengths_that_differ_are_seen)
{
	struct upstream_fields fields = read_line("Content-Length: 5");

	cr_expect(fields.has_length);
	upstream_fields_read(&fields, slice_text("content-length: 5"), NOW);
	cr_expect_not(fields.is_ambiguous);
	upstream_fields_read(&fields, slice_text("Content-Length: 6"), NOW);
	cr_expect(fields.is_ambiguous);

	cr_expect_not(read_line("Content-Length: 5, 5").is_ambiguous);
	cr_expect(read_line("Content-Length: 5, 6").is_ambiguous);
	cr_expect(read_line("Content-Length: -5").is_ambiguous);
	cr_expect(read_line("Content-Length: 0x5").is_ambiguous);
	cr_expect(read_line("Content-Length: 99999999999999999999").is_ambiguous);
}

Test(upstream_fields, a_status_line_forgets_the_fields_of_an_interim_answer)
{
	struct upstream_fields fields = read_line("Cache-Control: no-store");

	upstream_fields_read(&fields, slice_text("Retry-After: 5"), NOW);
	upstream_fields_read(&fields, slice_text("Content-Length: 7"), NOW);
	upstream_fields_read(&fields, slice_text("HTTP/1.1 200 OK\r\n"), NOW);
	cr_assert_eq(fields.hints.flags, 0);
	cr_assert_eq(fields.retry_after, 0);
	cr_assert_not(fields.has_length);
}

Test(upstream_fields, odd_lines_are_ignored)
{
	static const char *const lines[] = {"", "\r\n", ":", "::", "no colon", ": no-store"};
	static const struct upstream_fields nothing;
	size_t i;

	for (i = 0; i < N_ELEMENTS(lines); i++) {
		struct upstream_fields fields = read_line(lines[i]);

		cr_expect_eq(fields.hints.flags, nothing.hints.flags);
		cr_expect_not(fields.has_length || fields.is_coded || fields.is_ambiguous);
	}
}
