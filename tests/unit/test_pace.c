/* SPDX-License-Identifier: ISC */
/* A burst, then a rate, for each slot. */
#include "relay/pace.h"

#include <criterion/criterion.h>

static unsigned take_all(struct pace *pace, size_t slot, int64_t ms_now)
{
	unsigned n = 0;

	while (n < 1000 && pace_take(pace, slot, ms_now))
		n++;
	return n;
}

Test(pace, NO_07_burst_then_rate)
{
	struct pace *pace = pace_new(3, 100, 20);

	cr_assert_not_null(pace);
	cr_expect_eq(take_all(pace, 1, 5000), 20);
	cr_expect_eq(take_all(pace, 1, 5099), 0);
	cr_expect_eq(take_all(pace, 1, 5100), 1);
	cr_expect_eq(take_all(pace, 1, 5650), 5);
	cr_expect_eq(take_all(pace, 1, 5700), 1);
	cr_expect_eq(take_all(pace, 1, 1000000), 20, "no more than the burst is saved up");
	pace_free(pace);
}

Test(pace, slots_are_independent)
{
	struct pace *pace = pace_new(3, 100, 1);

	cr_expect_eq(take_all(pace, 0, 10), 1);
	cr_expect_eq(take_all(pace, 2, 10), 1);
	cr_expect_eq(take_all(pace, 0, 109), 0);
	cr_expect_eq(take_all(pace, 0, 110), 1);
	pace_free(pace);
	pace_free(NULL);
}
