/* SPDX-License-Identifier: ISC */
/* Which answer takes the place of which in a staple's file, and when to ask again. */
#include "cmd/staple_rule.h"

#include <criterion/criterion.h>

#include "core/dates.h"

#define NOW  1800000000
#define HOUR 3600
#define DAY  86400

static struct verdict verdict(enum cert_status status, int64_t this_update)
{
	return (struct verdict){.status = status,
				.this_update = this_update,
				.next_update = this_update + DAY,
				.hard_expiry = this_update + DAY};
}

/* --- what is written -------------------------------------------------------------------------- */

struct held_row { /* seconds after the answer's thisUpdate at which that of the file lies */
	const char *what;
	enum cert_status answer, held;
	int64_t later;
	bool is_valid, is_same;
	enum staple_step step;
};

static const struct held_row held_rows[] = {
    {"nothing", CERT_GOOD, CERT_GOOD, 0, false, false, STAPLE_WRITE},
    {"nothing, revoked", CERT_REVOKED, CERT_GOOD, 0, false, false, STAPLE_WRITE},
    {"an older one", CERT_GOOD, CERT_GOOD, -1, true, false, STAPLE_WRITE},
    {"the same", CERT_GOOD, CERT_GOOD, 0, true, true, STAPLE_SAME},
    {"the same octets, but no longer valid", CERT_GOOD, CERT_GOOD, 0, false, true, STAPLE_WRITE},
    {"signed anew", CERT_GOOD, CERT_GOOD, 0, true, false, STAPLE_WRITE},
    {"a later one", CERT_GOOD, CERT_GOOD, 1, true, false, STAPLE_OLDER},
    {"a later one that is revoked", CERT_GOOD, CERT_REVOKED, 1, true, false, STAPLE_OLDER},
    {"good, and now revoked", CERT_REVOKED, CERT_GOOD, -1, true, false, STAPLE_WRITE},
    {"good, revoked in the same second", CERT_REVOKED, CERT_GOOD, 0, true, false, STAPLE_WRITE},
    {"revoked, good in the same second", CERT_GOOD, CERT_REVOKED, 0, true, false, STAPLE_OLDER},
    {"revoked on hold, released", CERT_GOOD, CERT_REVOKED, -1, true, false, STAPLE_WRITE},
    {"good, and now unknown", CERT_UNKNOWN, CERT_GOOD, -1, true, false, STAPLE_UNKNOWN},
    {"nothing, unknown", CERT_UNKNOWN, CERT_GOOD, 0, false, false, STAPLE_UNKNOWN},
};

Test(staple_rule, only_a_later_or_stricter_answer_takes_the_place_of_a_valid_one)
{
	for (size_t i = 0; i < N_ELEMENTS(held_rows); i++) {
		const struct held_row *row = &held_rows[i];
		const struct verdict answer = verdict(row->answer, NOW);
		const struct staple_held held = {.is_valid = row->is_valid,
						 .is_same = row->is_same,
						 .is = verdict(row->held, NOW + row->later)};

		cr_expect_eq(staple_rule(&answer, &held), row->step, "%s", row->what);
	}
}

Test(staple_rule, without_an_end_nothing_is_stapled_and_a_revoked_one_takes_the_good_one_away)
{
	const struct staple_held nothing = {.is_valid = false},
				 good = {.is_valid = true, .is = verdict(CERT_GOOD, NOW - 1)};
	struct verdict answer = verdict(CERT_GOOD, NOW);

	answer.next_update = TIME_NEVER;
	cr_expect_eq(staple_rule(&answer, &nothing), STAPLE_ENDLESS);
	cr_expect_eq(staple_rule(&answer, &good), STAPLE_ENDLESS);
	answer.status = CERT_REVOKED;
	cr_expect_eq(staple_rule(&answer, &good), STAPLE_REMOVE);
	answer.this_update = NOW - 2;
	cr_expect_eq(staple_rule(&answer, &good), STAPLE_OLDER);
}

/* --- when ------------------------------------------------------------------------------------- */

static const uint32_t chances[] = {0, 1, 17, 359, 360, 361, 1u << 31, UINT32_MAX};

Test(staple_rule, is_asked_for_again_by_the_middle_and_within_the_hour)
{
	static const int64_t validities[] = {1,	       2,   4,	      60,	 HOUR,
					     2 * HOUR, DAY, 10 * DAY, 3650 * DAY};

	for (size_t v = 0; v < N_ELEMENTS(validities); v++) {
		for (size_t c = 0; c < N_ELEMENTS(chances); c++) {
			struct verdict is = {.this_update = NOW,
					     .hard_expiry = NOW + validities[v]};
			int64_t half = validities[v] / 2, wait, most = half < HOUR ? half : HOUR;

			wait = staple_rule_next(&is, NOW, chances[c]) - NOW;
			cr_expect_leq(wait, most > 1 ? most : 1, "%ld", (long)validities[v]);
			cr_expect_geq(wait, most - most / 10 > 1 ? most - most / 10 : 1, "%ld",
				      (long)validities[v]);
		}
	}
}

/* Never twice in a second, and often enough before the end comes. */
Test(staple_rule, the_nearer_the_end_the_sooner)
{
	struct verdict is = {.this_update = NOW, .hard_expiry = NOW + 4 * DAY};
	int64_t now = NOW, before = INT64_MAX, n = 0;

	while (now < is.hard_expiry) {
		int64_t next = staple_rule_next(&is, now, 0);

		cr_assert_gt(next, now);
		cr_expect_leq(next - now, before);
		before = next - now;
		now = next;
		n++;
	}
	cr_expect_eq(before, 1);
	cr_expect(n > 96 && n < 200, "%ld", (long)n);
	cr_expect_eq(staple_rule_next(&is, is.hard_expiry, 0), is.hard_expiry + 1);
	cr_expect_eq(staple_rule_next(&is, is.hard_expiry + DAY, 7), is.hard_expiry + DAY + 1);
}

Test(staple_rule, extreme_times_do_not_overflow)
{
	struct verdict is = {.this_update = 0, .hard_expiry = INT64_MAX};

	cr_expect_leq(staple_rule_next(&is, NOW, 0), NOW + HOUR);
	is.this_update = INT64_MAX;
	cr_expect_leq(staple_rule_next(&is, NOW, 0), NOW + HOUR);
	cr_expect_eq(staple_rule_next(&is, INT64_MAX, 0), INT64_MAX);
}

Test(staple_rule, retries_are_soon_first_and_then_every_five_minutes)
{
	int64_t before = 0;

	for (unsigned n = 1; n < 1000; n++) {
		int64_t wait = staple_rule_retry(n, NOW, 0) - NOW;

		cr_expect(wait >= before && wait <= 300, "%u: %ld", n, (long)wait);
		before = wait;
		for (size_t c = 0; c < N_ELEMENTS(chances); c++) {
			int64_t spread = staple_rule_retry(n, NOW, chances[c]) - NOW;

			cr_expect(spread >= 1 && spread <= wait && spread >= wait - wait / 10);
		}
	}
	cr_expect_eq(staple_rule_retry(1, NOW, 0), NOW + 1);
	cr_expect_eq(staple_rule_retry(0, NOW, 0), NOW + 1);
	cr_expect_eq(before, 300);
	cr_expect_eq(staple_rule_retry(UINT32_MAX, NOW, 0), NOW + 300);
}
