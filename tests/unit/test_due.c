/* SPDX-License-Identifier: ISC */
/* The calendar of refreshes. */
#include "state/due.h"

#include <criterion/criterion.h>

#define START 1000

static struct due_item item(uint64_t hash)
{
	return (struct due_item){.hash = hash, .stamp = (uint32_t)~hash};
}

/* Takes all that is due, one after the other; how many, and out holds them in order. */
static size_t take_all(struct due *due, int64_t now, struct due_item *out, size_t max)
{
	size_t n = 0;

	while (n < max && due_take(due, now, out + n, 1) == 1)
		n++;
	return n;
}

Test(due, CL_06_taken_in_the_order_of_their_seconds)
{
	struct due *due = due_new(START);
	struct due_item got[8];

	due_add(due, item(3), START + 30);
	due_add(due, item(1), START + 10);
	due_add(due, item(2), START + 20);
	due_add(due, item(4), START + 20000);
	cr_expect_eq(due_count(due), 4);
	cr_expect_eq(due_take(due, START + 9, got, 8), 0);
	cr_expect_eq(due_take(due, START + 10, got, 8), 1);
	cr_expect_eq(got[0].hash, 1);
	cr_expect_eq(due_take(due, START + 10, got, 8), 0);
	cr_expect_eq(take_all(due, START + 30, got, 8), 2);
	cr_expect_eq(got[0].hash, 2);
	cr_expect_eq(got[0].stamp, ~UINT32_C(2));
	cr_expect_eq(got[1].hash, 3);
	cr_expect_eq(due_take(due, START + 19999, got, 8), 0);
	cr_expect_eq(due_take(due, START + 20000, got, 8), 1);
	cr_expect_eq(due_count(due), 0);
	due_free(due);
	due_free(NULL);
}

Test(due, past_is_now_and_what_is_far_away_comes_at_the_horizon)
{
	struct due *due = due_new(START);
	struct due_item got[8];

	due_add(due, item(1), START - 500);
	cr_expect_eq(due_take(due, START, got, 8), 1);
	due_add(due, item(2), START + 10 * DUE_HORIZON);
	due_add(due, item(3), INT64_MAX);
	cr_expect_eq(due_take(due, START + DUE_HORIZON - 2, got, 8), 0);
	cr_expect_eq(due_take(due, START + DUE_HORIZON - 1, got, 8), 2);
	due_free(due);
}

/* As after a night's suspend. */
Test(due, long_sleep_loses_nothing)
{
	struct due *due = due_new(START);
	struct due_item got[100];

	for (uint64_t i = 0; i < 100; i++)
		due_add(due, item(i), START + (int64_t)i * 600);
	cr_expect_eq(due_take(due, START + 5 * DUE_HORIZON, got, 100), 100);
	for (uint64_t i = 0; i < 100; i++)
		cr_expect_eq(got[i].hash, i);
	due_add(due, item(7), START + 5 * DUE_HORIZON + 1);
	cr_expect_eq(due_take(due, START + 5 * DUE_HORIZON + 1, got, 100), 1);
	due_free(due);
}

Test(due, one_second_may_hold_many_and_is_taken_in_parts)
{
	struct due *due = due_new(START);
	static struct due_item got[100000];
	static bool seen[100000];
	size_t n = 0, part;

	for (uint64_t i = 0; i < 100000; i++)
		due_add(due, item(i), START + 5);
	while ((part = due_take(due, START + 100, got, 999)) > 0) {
		for (size_t i = 0; i < part; i++) {
			cr_assert_not(seen[got[i].hash]);
			seen[got[i].hash] = true;
		}
		n += part;
	}
	cr_expect_eq(n, 100000);
	due_free(due);
}

/* What is added again while it is taken comes later, and not in a circle. */
Test(due, added_again_comes_again)
{
	struct due *due = due_new(START);
	struct due_item got[4];

	due_add(due, item(1), START);
	for (int64_t now = START; now < START + 1000; now += 10) {
		cr_assert_eq(due_take(due, now, got, 4), 1);
		due_add(due, got[0], now + 10);
		cr_assert_eq(due_take(due, now + 9, got, 4), 0);
	}
	cr_expect_eq(due_count(due), 1);
	due_free(due);
}
