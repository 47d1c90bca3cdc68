/* SPDX-License-Identifier: ISC */
/* Counting through the buckets. */
#include "ctl/quantile.h"

uint64_t quantile_count(const struct histogram *histogram)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < N_BUCKETS; i++)
		n += histogram->n[i];
	return n;
}

uint64_t quantile_us(const struct histogram *histogram, unsigned percent)
{
	double wanted = (double)quantile_count(histogram) * percent / 100, before = 0;
	uint64_t lower = 0;

	for (unsigned i = 0; i + 1 < N_BUCKETS; i++) {
		double n = (double)histogram->n[i];
		uint64_t upper = counter_bucket_bounds[i];

		if (n > 0 && before + n >= wanted)
			return lower +
			       (uint64_t)((double)(upper - lower) * (wanted - before) / n + 0.5);
		before += n;
		lower = upper;
	}
	return wanted > 0 ? lower : 0;
}

void quantile_subtract(struct histogram *later, const struct histogram *earlier)
{
	for (unsigned i = 0; i < N_BUCKETS; i++)
		later->n[i] -= earlier->n[i];
	later->sum_us -= earlier->sum_us;
}

void quantile_add(struct histogram *sum, const struct histogram *other)
{
	for (unsigned i = 0; i < N_BUCKETS; i++)
		sum->n[i] += other->n[i];
	sum->sum_us += other->sum_us;
}
