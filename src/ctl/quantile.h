/* SPDX-License-Identifier: ISC */
/* What a histogram of counters.h tells of the times that went into it. */
#ifndef OCSPRELAY_CTL_QUANTILE_H
#define OCSPRELAY_CTL_QUANTILE_H

#include "base/counters.h"

uint64_t quantile_count(const struct histogram *histogram); /* of observations */

/* The time in microseconds that so many per cent of the observations took at most, as near as the
 * buckets tell: in between it is taken for a straight line. Without observations 0; beyond the last
 * bound that bound. */
uint64_t quantile_us(const struct histogram *histogram, unsigned percent);

/* What has been observed between two readings of one histogram, and both together. */
void quantile_subtract(struct histogram *later, const struct histogram *earlier);
void quantile_add(struct histogram *sum, const struct histogram *other);

#endif
