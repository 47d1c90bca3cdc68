/* SPDX-License-Identifier: ISC */
/* When the first, the median and the last answer of an issuer runs out. */
#include "state/runway.h"

#include <criterion/criterion.h>

#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static void expect_at(int line, const int64_t *seconds, size_t n, const int64_t expected[3])
{
	struct runway *runway = runway_new();
	struct runway_of of;

	for (size_t i = 0; i < n; i++)
		runway_add(runway, 7, seconds[i]);
	of = runway_of(runway, 7);
	cr_expect_eq(of.n, n, "line %d", line);
	cr_expect_eq(of.first, expected[0], "line %d: first %ld", line, (long)of.first);
	cr_expect_leq(of.median, expected[1], "line %d: median %ld", line, (long)of.median);
	cr_expect_geq(of.median, expected[1] - expected[1] / 64, "line %d: median %ld", line,
		      (long)of.median);
	cr_expect_eq(of.last, expected[2], "line %d: last %ld", line, (long)of.last);
	runway_free(runway);
}

#define LIST(...)           \
	(const int64_t[])   \
	{                   \
		__VA_ARGS__ \
	}
#define EXPECT(list, first, median, last)                         \
	expect_at(__LINE__, list, sizeof(list) / sizeof(int64_t), \
		  (const int64_t[]){first, median, last})

Test(runway, first_median_and_last)
{
	EXPECT(LIST(5), 5, 5, 5);
	EXPECT(LIST(DAY), DAY, DAY, DAY);
	EXPECT(LIST(1, 100), 1, 1, 100);
	EXPECT(LIST(3, 1, 2), 1, 2, 3);
	EXPECT(LIST(4, 3, 2, 1), 1, 2, 4);
	EXPECT(LIST(HOUR, 7 * DAY, DAY), HOUR, DAY, 7 * DAY);
	EXPECT(LIST(10 * DAY, 10 * DAY, 10 * DAY, 1), 1, 10 * DAY, 10 * DAY);
	EXPECT(LIST(127, 128, 129), 127, 128, 129);
	EXPECT(LIST(63, 64, 65), 63, 64, 65);
	EXPECT(LIST(1, UINT32_MAX), 1, 1, UINT32_MAX);
}

Test(runway, what_never_ends_ends_in_136_years)
{
	EXPECT(LIST(UINT32_MAX), UINT32_MAX, UINT32_MAX, UINT32_MAX);
	struct runway *runway = runway_new();

	runway_add(runway, 0, INT64_MAX);
	cr_expect_eq(runway_of(runway, 0).first, UINT32_MAX);
	cr_expect_eq(runway_of(runway, 0).last, UINT32_MAX);
	runway_free(runway);
	runway_free(NULL);
}

/* Whatever the time, the median is not later than it is and not much earlier. */
Test(runway, median_is_off_by_less_than_a_64th)
{
	for (int64_t seconds = 1; seconds < INT64_C(1) << 31; seconds += 1 + seconds / 7) {
		struct runway *runway = runway_new();
		struct runway_of of;

		runway_add(runway, 4095, 1);
		runway_add(runway, 4095, seconds);
		runway_add(runway, 4095, INT64_C(1) << 31);
		of = runway_of(runway, 4095);
		cr_expect_leq(of.median, seconds);
		cr_expect_gt(64 * of.median, 63 * (seconds - 1), "%ld of %ld", (long)of.median,
			     (long)seconds);
		runway_free(runway);
	}
}

Test(runway, issuers_do_not_mix)
{
	struct runway *runway = runway_new();

	runway_add(runway, 1, 10);
	runway_add(runway, 2, 20);
	runway_add(runway, 2, 30);
	cr_expect_eq(runway_of(runway, 0).n, 0);
	cr_expect_eq(runway_of(runway, 1).n, 1);
	cr_expect_eq(runway_of(runway, 1).last, 10);
	cr_expect_eq(runway_of(runway, 2).n, 2);
	cr_expect_eq(runway_of(runway, 2).first, 20);
	runway_free(runway);
}
