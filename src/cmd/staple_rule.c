/* SPDX-License-Identifier: ISC */
/* Nothing but comparisons. */
#include "cmd/staple_rule.h"

#include "base/bytes.h"
#include "core/dates.h"

#define MAX_WAIT     3600
#define MAX_RETRY    300
#define MAX_DOUBLING 9 /* 2^9 is above MAX_RETRY */
#define PARTS_LEFT   8 /* of what is left of a validity, one is waited for */
#define PARTS_SPREAD 10

static bool is_superseded(const struct verdict *answer, const struct staple_held *held)
{
	if (!held->is_valid || answer->this_update > held->is.this_update)
		return false;
	/* Of two that were made in the same second the stricter one counts. */
	return answer->this_update < held->is.this_update ||
	       (held->is.status == CERT_REVOKED && answer->status != CERT_REVOKED);
}

enum staple_step staple_rule(const struct verdict *answer, const struct staple_held *held)
{
	if (answer->status == CERT_UNKNOWN)
		return STAPLE_UNKNOWN;
	if (held->is_valid && held->is_same)
		return STAPLE_SAME;
	if (is_superseded(answer, held))
		return STAPLE_OLDER;
	if (answer->next_update != TIME_NEVER)
		return STAPLE_WRITE;
	return answer->status == CERT_REVOKED ? STAPLE_REMOVE : STAPLE_ENDLESS;
}

static int64_t at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Up to a tenth less, so that many who began together do not go on together. */
static int64_t spread(int64_t seconds, uint32_t chance)
{
	return seconds - (int64_t)(chance % (uint32_t)(seconds / PARTS_SPREAD + 1));
}

int64_t staple_rule_next(const struct verdict *is, int64_t now, uint32_t chance)
{
	int64_t begin = is->this_update, end = is->hard_expiry;
	int64_t middle = end > begin ? begin + (end - begin) / 2 : begin;
	int64_t wait = middle - now;

	if (wait <= 0)
		wait = end > now ? (end - now) / PARTS_LEFT : 0;
	wait = spread(at_most(wait, MAX_WAIT), chance);
	return time_add(now, wait > 0 ? wait : 1);
}

int64_t staple_rule_retry(unsigned n_failures, int64_t now, uint32_t chance)
{
	unsigned n = n_failures > 0 ? n_failures - 1 : 0;
	int64_t wait = at_most((int64_t)1 << (n < MAX_DOUBLING ? n : MAX_DOUBLING), MAX_RETRY);

	return time_add(now, spread(wait, chance));
}
