/* SPDX-License-Identifier: ISC */
/* Quantiles out of buckets. */
#include "ctl/quantile.h"

#include <criterion/criterion.h>

#include "base/bytes.h"

Test(quantile, in_between_is_a_straight_line)
{
	/* bounds: 25, 50, 100, 250, 1000, ..., 10 s, infinity */
	static const struct {
		uint64_t n[N_BUCKETS];
		unsigned percent;
		uint64_t us;
	} rows[] = {
	    {{0}, 50, 0},
	    {{100}, 50, 13}, /* 12.5 */
	    {{100}, 99, 25},
	    {{100}, 100, 25},
	    {{50, 50}, 50, 25},
	    {{50, 0, 50}, 75, 75},
	    {{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 50, 25},
	    {{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 99, 10000000},
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7}, 1, 10000000},
	    {{0, 0, 0, 4}, 50, 175},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct histogram histogram = {.sum_us = 0};

		memcpy(histogram.n, rows[i].n, sizeof(histogram.n));
		cr_expect_eq(quantile_us(&histogram, rows[i].percent), rows[i].us, "row %zu: %lu",
			     i, (unsigned long)quantile_us(&histogram, rows[i].percent));
	}
}

Test(quantile, differences_and_sums)
{
	struct histogram one = {.n = {[0] = 5, [N_BUCKETS - 1] = 2}, .sum_us = 100};
	const struct histogram other = {.n = {[0] = 3, [N_BUCKETS - 1] = 1}, .sum_us = 60};

	quantile_subtract(&one, &other);
	cr_expect_eq(quantile_count(&one), 3);
	cr_expect_eq(one.sum_us, 40);
	quantile_add(&one, &other);
	cr_expect_eq(one.n[0], 5);
	cr_expect_eq(one.n[N_BUCKETS - 1], 2);
	cr_expect_eq(one.sum_us, 100);
}
