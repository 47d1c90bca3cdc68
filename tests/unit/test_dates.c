/* SPDX-License-Identifier: ISC */
/* Dates: the calendar against the C library, each form read strictly and written back. */
#include "core/dates.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "guard.h"

#define NOW	  INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define YEAR_0	  INT64_C(-62167219200)
#define YEAR_9999 INT64_C(253402300799)

struct row {
	const char *text;
	int64_t t; /* -1: refused */
};

static void check_iso(int64_t t)
{
	time_t time = (time_t)t;
	struct tm tm;
	char iso[ISO_DATE_SIZE], expected[80];
	int64_t back = 0;

	gmtime_r(&time, &tm);
	snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	date_to_iso(iso, t);
	cr_assert(strcmp(iso, expected) == 0, "%s instead of %s", iso, expected);
	cr_assert(date_from_iso(slice_text(iso), &back) == OK && back == t, "%s", iso);
}

Test(dates, the_calendar_is_that_of_the_C_library_for_ten_thousand_years)
{
	for (int64_t t = YEAR_0; t <= YEAR_9999; t += 86400 * 5 + 86399)
		check_iso(t);
	check_iso(YEAR_9999);
}

Test(dates, times_beyond_the_calendar_are_clamped)
{
	char iso[ISO_DATE_SIZE];

	date_to_iso(iso, YEAR_9999 + 1);
	cr_expect(strcmp(iso, "9999-12-31T23:59:59Z") == 0);
	date_to_iso(iso, TIME_NEVER);
	cr_expect(strcmp(iso, "9999-12-31T23:59:59Z") == 0);
	date_to_iso(iso, INT64_MIN);
	cr_expect(strcmp(iso, "0000-01-01T00:00:00Z") == 0);
}

Test(dates, VS_06_generalized_time_is_YYYYMMDDHHMMSSZ_and_nothing_else)
{
	static const struct row rows[] = {
	    {"19700101000000Z", 0},
	    {"20260101000000Z", NOW},
	    {"20240229235959Z", 1709251199},
	    {"20000229000000Z", 951782400},
	    {"99991231235959Z", YEAR_9999},
	    {"20260101000000.5Z", -1},
	    {"20260101000000,5Z", -1},
	    {"20260101000000", -1},
	    {"20260101000000z", -1},
	    {"20260101000000+0000", -1},
	    {"20260101000000+00000", -1},
	    {"202601010000Z", -1},
	    {"2026010100Z", -1},
	    {"260101000000Z", -1},
	    {"20260101000060Z", -1},
	    {"20260101006000Z", -1},
	    {"20260101240000Z", -1},
	    {"20260001000000Z", -1},
	    {"20261301000000Z", -1},
	    {"20260100000000Z", -1},
	    {"20260132000000Z", -1},
	    {"20260431000000Z", -1},
	    {"20250229000000Z", -1},
	    {"21000229000000Z", -1},
	    {"2026 101000000Z", -1},
	    {"202601010000-1Z", -1},
	    {"20260101000000ZZ", -1},
	    {" 20260101000000Z", -1},
	    {"", -1},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int64_t t = -1;
		err_t e = date_from_generalized(guard_slice(slice_text(rows[i].text)), &t);

		cr_expect(e == (rows[i].t == -1 ? ERR_RSP_TIME : OK), "%s", rows[i].text);
		cr_expect(t == rows[i].t, "%s: %lld", rows[i].text, (long long)t);
	}
	cr_expect(date_from_generalized(slice_of("20260101\00000000Z", 15), &(int64_t){0}) ==
		  ERR_RSP_TIME);
}

Test(dates, HS_04_the_three_forms_of_HTTP_dates_are_read)
{
	static const struct row rows[] = {
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
	    {"Sun Nov  6 08:49:37 1994", 784111777},
	    {"Wed Nov 16 08:49:37 1994", 784975777},
	    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
	    {"Mon, 06 Nov 1994 08:49:37 GMT", -1},	   /* was a Sunday */
	    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
	    {"Sun, 06 Nov 94 08:49:37 GMT", -1},
	    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
	    {"Sun, 06 Nov 1994 08:49:37 +0000", -1},
	    {"Sun, 06 Nov 1994 08:49:37 gmt", -1},
	    {"sun, 06 nov 1994 08:49:37 GMT", -1},
	    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
	    {"Sun, 06 Nov 1994 08:49:37 GMT; length=5", -1},
	    {"Sun, 06 Nov 1994 08:49:61 GMT", -1},
	    {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
	    {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
	    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
	    {"Sun, 06 Nov 1994 08:49 GMT", -1},
	    {"Sun Nov 6 08:49:37 1994", -1},
	    {"Sun Nov 06 08:49:37 1994 ", -1},
	    {"784111777", -1},
	    {"0", -1},
	    {"", -1},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int64_t t = -1;
		err_t e = date_from_http(guard_slice(slice_text(rows[i].text)), NOW, &t);

		cr_expect(e == (rows[i].t == -1 ? ERR_SYNTAX : OK), "%s", rows[i].text);
		cr_expect(t == rows[i].t, "%s: %lld", rows[i].text, (long long)t);
	}
}

Test(dates, HS_04_a_year_of_two_digits_is_the_nearest_one)
{
	static const struct {
		const char *text;
		const char *iso;
		int64_t now;
	} rows[] = {
	    {"Thursday, 01-Jan-26 00:00:00 GMT", "2026-01-01T00:00:00Z", NOW},
	    {"Wednesday, 01-Jan-76 00:00:00 GMT", "2076-01-01T00:00:00Z", NOW},
	    {"Saturday, 01-Jan-77 00:00:00 GMT", "1977-01-01T00:00:00Z", NOW},
	    {"Thursday, 01-Jan-99 00:00:00 GMT", "2099-01-01T00:00:00Z", NOW + 1893456000},
	    {"Wednesday, 01-Jan-10 00:00:00 GMT", "2110-01-01T00:00:00Z", 3786912000 /* 2090 */},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int64_t t, expected;

		cr_assert(date_from_iso(slice_text(rows[i].iso), &expected) == OK);
		if (date_from_http(slice_text(rows[i].text), rows[i].now, &t) != OK)
			cr_expect(false, "%s", rows[i].text);
		else
			cr_expect(t == expected, "%s: %lld", rows[i].text, (long long)t);
	}
}

Test(dates, HS_20_HTTP_dates_are_written_as_IMF_fixdate)
{
	char text[HTTP_DATE_LEN + 1] = "";
	int64_t back;

	date_to_http(text, 784111777);
	cr_expect(strcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT") == 0, "%s", text);
	date_to_http(text, TIME_NEVER);
	cr_expect(strcmp(text, "Fri, 31 Dec 9999 23:59:59 GMT") == 0, "%s", text);
	for (int64_t t = 0; t < 2 * NOW; t += 86400 * 3 + 12345) {
		date_to_http(text, t);
		cr_assert(date_from_http(slice_text(text), NOW, &back) == OK && back == t, "%s",
			  text);
	}
}

Test(dates, a_time_on_the_command_line_is_ISO_or_seconds)
{
	static const struct row rows[] = {
	    {"2026-01-01T00:00:00Z", NOW},
	    {"1767225600", NOW},
	    {"0", 0},
	    {"253402300799", YEAR_9999},
	    {"253402300800", -1},
	    {"-1", -1},
	    {"2026-01-01", -1},
	    {"2026-01-01 00:00:00Z", -1},
	    {"2026-01-01T00:00:00", -1},
	    {"2026-02-30T00:00:00Z", -1},
	    {"2026-01-01T00:00:00Z ", -1},
	    {"", -1},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int64_t t = -1;
		err_t e = date_from_iso(guard_slice(slice_text(rows[i].text)), &t);

		cr_expect(e == (rows[i].t == -1 ? ERR_SYNTAX : OK), "%s", rows[i].text);
		cr_expect(t == rows[i].t, "%s: %lld", rows[i].text, (long long)t);
	}
}
