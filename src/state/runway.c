/* SPDX-License-Identifier: ISC */
/*
 * A histogram per issuer. Its steps are one second wide up to 64 seconds, then 64 to each doubling,
 * which is what makes the error of the median relative.
 */
#include "state/runway.h"

#include <stdlib.h>

#include "state/trouble.h"

enum {
	STEP_BITS = 6,
	STEPS = 1 << STEP_BITS, /* to a doubling */
	DOUBLINGS = 33 - STEP_BITS,
	N_STEPS = STEPS * DOUBLINGS
};

#define MAX_SECONDS ((INT64_C(1) << 32) - 1) /* 136 years */

struct spread {
	uint64_t n;
	int64_t first, last;
	uint32_t counts[N_STEPS];
};

struct runway {
	struct spread *spreads[TROUBLE_SLOTS]; /* NULL: nothing of that issuer */
};

struct runway *runway_new(void)
{
	return calloc(1, sizeof(struct runway));
}

void runway_free(struct runway *runway)
{
	if (runway == NULL)
		return;
	for (size_t i = 0; i < TROUBLE_SLOTS; i++)
		free(runway->spreads[i]);
	free(runway);
}

/* Below 2 * STEPS a step is a second. */
static unsigned step_of(int64_t seconds)
{
	unsigned doubling = 0;

	while (seconds >> doubling >= 2 * STEPS)
		doubling++;
	return (unsigned)(seconds >> doubling) + doubling * STEPS;
}

static int64_t start_of(unsigned step)
{
	unsigned doubling = step < STEPS ? 0 : step / STEPS - 1;

	return (int64_t)(step - doubling * STEPS) << doubling;
}

void runway_add(struct runway *runway, unsigned slot, int64_t seconds)
{
	struct spread *spread = runway->spreads[slot];

	if (spread == NULL) {
		spread = runway->spreads[slot] = calloc(1, sizeof(*spread));
		if (spread == NULL)
			return;
		spread->first = MAX_SECONDS;
	}
	if (seconds > MAX_SECONDS)
		seconds = MAX_SECONDS;
	if (seconds < spread->first)
		spread->first = seconds;
	if (seconds > spread->last)
		spread->last = seconds;
	spread->n++;
	spread->counts[step_of(seconds)]++;
}

/* Of an even number of answers the earlier one of the two in the middle. */
static int64_t median_of(const struct spread *spread)
{
	uint64_t n = 0;
	unsigned step = 0;
	int64_t median;

	while (step < N_STEPS - 1 && (n += spread->counts[step]) < (spread->n + 1) / 2)
		step++;
	median = start_of(step);
	return median > spread->first ? median : spread->first;
}

struct runway_of runway_of(const struct runway *runway, unsigned slot)
{
	const struct spread *spread = runway->spreads[slot];

	if (spread == NULL)
		return (struct runway_of){.n = 0};
	return (struct runway_of){.n = spread->n,
				  .first = spread->first,
				  .median = median_of(spread),
				  .last = spread->last};
}
