/* SPDX-License-Identifier: ISC */
/* Lifetimes: what is kept for how long, when it is fetched again, what clients are told. */
#include "core/freshness.h"

#include <criterion/criterion.h>

#include "core/dates.h"

#define NOW    INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define MINUTE 60
#define HOUR   3600
#define DAY    86400
#define Y9999  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* The two ends of the random spread of CL-06. */
#define LATEST	 0
#define EARLIEST UINT32_MAX

static const struct upstream_hints no_hints;

static struct verdict good(int64_t this_update, int64_t next_update)
{
	return (struct verdict){.status = CERT_GOOD,
				.this_update = this_update,
				.next_update = next_update,
				.hard_expiry = next_update};
}

static struct lifetime lifetime_of(const struct verdict *verdict, uint32_t random)
{
	return freshness_lifetime(verdict, &policy_default, &no_hints, NOW, random);
}

/* --- refresh --- */

Test(freshness, CL_06_refresh_at_is_the_earliest_limit)
{
	static const struct {
		const char *what;
		int64_t this_update, next_update; /* from now */
		int64_t latest, earliest;	  /* of refresh_at, from now */
	} rows[] = {
	    {"the table's 7 days", 0, 7 * DAY, 12 * HOUR, 12 * HOUR - 4320},
	    {"the table's 10 hours", 0, 10 * HOUR, 5 * HOUR, 5 * HOUR - 1800},
	    {"the table's 10 minutes", 0, 600, 300, 270},
	    {"half-life passed", -6 * DAY, DAY, 60, 60},
	    {"half-life soon", -HOUR, HOUR + 1000, 500, 450},
	    {"margin before half-life", 0, 500, 200, 180},
	    {"within the margin", 0, 200, 60, 60},
	    {"shorter than the least interval", 0, 30, 30, 30},
	    {"no end in sight", 0, Y9999 - NOW, 12 * HOUR, 12 * HOUR - 4320},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct verdict v = good(NOW + rows[i].this_update, NOW + rows[i].next_update);

		cr_expect_eq(lifetime_of(&v, LATEST).refresh_at, NOW + rows[i].latest, "%s: %lld",
			     rows[i].what, (long long)(lifetime_of(&v, LATEST).refresh_at - NOW));
		cr_expect_eq(lifetime_of(&v, EARLIEST).refresh_at, NOW + rows[i].earliest,
			     "%s: %lld", rows[i].what,
			     (long long)(lifetime_of(&v, EARLIEST).refresh_at - NOW));
		cr_expect_eq(lifetime_of(&v, LATEST).hard_expiry, NOW + rows[i].next_update);
		cr_expect_eq(lifetime_of(&v, LATEST).fetched_at, NOW);
		cr_expect(lifetime_of(&v, LATEST).may_store, "%s", rows[i].what);
	}
}

Test(freshness, CL_06_equal_responses_spread_over_the_window)
{
	struct verdict v = good(NOW, NOW + 10 * HOUR);
	unsigned n_first_half = 0;
	uint32_t random = 1;

	for (unsigned i = 0; i < 1000; i++) {
		int64_t at;

		random = random * 1664525 + 1013904223; /* Numerical Recipes, 7.1 */
		at = lifetime_of(&v, random).refresh_at;
		cr_expect(at >= NOW + 5 * HOUR - 1800 && at <= NOW + 5 * HOUR);
		n_first_half += at < NOW + 5 * HOUR - 900;
	}
	cr_expect(n_first_half > 400 && n_first_half < 600, "%u", n_first_half);
}

Test(freshness, CL_06_obeys_the_policy)
{
	struct policy policy = policy_default;
	struct verdict v = good(NOW, NOW + 10 * DAY);

	policy.refresh_ratio = 0.1;
	policy.max_refresh_interval = 5 * DAY;
	cr_expect_eq(freshness_lifetime(&v, &policy, &no_hints, NOW, LATEST).refresh_at, NOW + DAY);
	policy.refresh_ratio = 0.95;
	cr_expect_eq(freshness_lifetime(&v, &policy, &no_hints, NOW, LATEST).refresh_at,
		     NOW + 5 * DAY);
	policy.min_refresh_interval = 6 * DAY;
	cr_expect_eq(freshness_lifetime(&v, &policy, &no_hints, NOW, LATEST).refresh_at,
		     NOW + 6 * DAY);
	policy.min_refresh_interval = 0;
	policy.max_refresh_interval = 10 * DAY;
	policy.expiry_margin = 6 * DAY;
	cr_expect_eq(freshness_lifetime(&v, &policy, &no_hints, NOW, LATEST).refresh_at,
		     NOW + 4 * DAY);
}

Test(freshness, CL_10_max_age_only_brings_the_refresh_forward)
{
	static const struct {
		int64_t max_age, latest, earliest;
	} rows[] = {
	    {600, 600, 540},
	    {DAY, 12 * HOUR, 12 * HOUR - 4320},
	    {INT64_MAX, 12 * HOUR, 12 * HOUR - 4320},
	    {0, 60, 60},
	    {-5, 60, 60},
	};
	struct verdict v = good(NOW, NOW + 7 * DAY);

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct upstream_hints hints = {.flags = HINT_MAX_AGE, .max_age = rows[i].max_age};
		struct lifetime latest =
		    freshness_lifetime(&v, &policy_default, &hints, NOW, LATEST);

		cr_expect_eq(latest.refresh_at, NOW + rows[i].latest, "row %zu", i);
		cr_expect_eq(
		    freshness_lifetime(&v, &policy_default, &hints, NOW, EARLIEST).refresh_at,
		    NOW + rows[i].earliest, "row %zu", i);
		cr_expect_eq(latest.hard_expiry, NOW + 7 * DAY, "row %zu", i);
		cr_expect(latest.may_store);
	}
}

Test(freshness, CL_11_no_store_and_no_cache)
{
	struct upstream_hints no_store = {.flags = HINT_NO_STORE};
	struct upstream_hints no_cache = {.flags = HINT_NO_CACHE | HINT_MAX_AGE, .max_age = 999};
	struct verdict v = good(NOW, NOW + 7 * DAY);
	struct lifetime l = freshness_lifetime(&v, &policy_default, &no_store, NOW, 7);

	cr_expect_not(l.may_store);
	cr_expect_eq(l.hard_expiry, NOW + 7 * DAY);
	l = freshness_lifetime(&v, &policy_default, &no_cache, NOW, 7);
	cr_expect(l.may_store);
	cr_expect_eq(l.refresh_at, NOW + 60);
	cr_expect_eq(l.hard_expiry, NOW + 7 * DAY);
}

/* --- what may be stored --- */

Test(freshness, CL_01_nonce_and_weak_signatures_are_not_stored)
{
	static const struct {
		unsigned flags;
		bool may_store;
	} rows[] = {
	    {0, true},
	    {VERDICT_NONCE, false},
	    {VERDICT_WEAK, false},
	    {VERDICT_RECALLED, false},
	    {VERDICT_UNREADABLE, false},
	    {VERDICT_OTHER_HASH | VERDICT_MIXED_ISSUERS | VERDICT_NO_NOCHECK |
		 VERDICT_EARLY_PRODUCED,
	     true},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct verdict v = good(NOW, NOW + DAY);

		v.flags = rows[i].flags;
		cr_expect_eq(lifetime_of(&v, 0).may_store, rows[i].may_store, "row %zu", i);
		cr_expect_eq(lifetime_of(&v, 0).hard_expiry, NOW + DAY, "row %zu", i);
	}
}

Test(freshness, CL_04_no_next_update)
{
	static const struct {
		int64_t ttl;
		bool may_store;
		int64_t hard_expiry; /* from now */
	} rows[] = {{0, false, 9 * DAY}, {30, true, 30}, {300, true, 300}, {DAY, true, 300}};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct policy policy = policy_default;
		struct verdict v = good(NOW, TIME_NEVER);
		struct lifetime l;

		v.flags = VERDICT_NO_NEXT_UPDATE;
		v.hard_expiry = NOW + 9 * DAY; /* of the signer's certificate */
		policy.no_next_update_ttl = rows[i].ttl;
		l = freshness_lifetime(&v, &policy, &no_hints, NOW, LATEST);
		cr_expect_eq(l.may_store, rows[i].may_store, "row %zu", i);
		cr_expect_eq(l.hard_expiry, NOW + rows[i].hard_expiry, "row %zu", i);
		cr_expect_leq(l.refresh_at, l.hard_expiry, "row %zu", i);
	}
}

Test(freshness, CL_04_next_update_of_another_single_does_not_help)
{
	struct verdict v = good(NOW, NOW + DAY);

	v.flags = VERDICT_NO_NEXT_UPDATE;
	cr_expect_not(lifetime_of(&v, 0).may_store);
}

Test(freshness, CL_13_CL_14_unknown_and_never_issued_live_short)
{
	static const struct {
		enum cert_status status;
		unsigned flags;
		int64_t left, hard_expiry; /* from now */
	} rows[] = {
	    {CERT_UNKNOWN, 0, 7 * DAY, 300},
	    {CERT_UNKNOWN, 0, 100, 100},
	    {CERT_REVOKED, VERDICT_NEVER_ISSUED, 7 * DAY, 300},
	    {CERT_REVOKED, 0, 7 * DAY, 7 * DAY}, /* CL-15 */
	    {CERT_GOOD, 0, 7 * DAY, 7 * DAY},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct verdict v = good(NOW - DAY, NOW + rows[i].left);
		struct lifetime l;

		v.status = rows[i].status;
		v.flags = rows[i].flags;
		l = lifetime_of(&v, EARLIEST);
		cr_expect(l.may_store, "row %zu", i);
		cr_expect_eq(l.hard_expiry, NOW + rows[i].hard_expiry, "row %zu", i);
		cr_expect_leq(freshness_max_age(l.refresh_at, l.hard_expiry, NOW),
			      rows[i].hard_expiry, "row %zu", i);
	}
}

/* U#1 until the cap ends, although all of that lies within expiry_margin. */
Test(freshness, CL_13_unknown_is_a_plain_hit_until_its_cap)
{
	struct verdict v = good(NOW, NOW + 7 * DAY);
	struct lifetime l;

	v.status = CERT_UNKNOWN;
	l = lifetime_of(&v, EARLIEST);
	cr_expect_eq(freshness_of(l.refresh_at, l.hard_expiry, 300, NOW), FRESH);
	cr_expect_eq(freshness_of(l.refresh_at, l.hard_expiry, 300, NOW + 299), FRESH);
	cr_expect_eq(freshness_of(l.refresh_at, l.hard_expiry, 300, NOW + 300), EXPIRED);
}

Test(freshness, CL_13_cap_of_nothing_stores_nothing)
{
	struct policy policy = policy_default;
	struct verdict v = good(NOW, NOW + 7 * DAY);
	struct lifetime l;

	v.status = CERT_UNKNOWN;
	policy.unknown_max_ttl = 0;
	l = freshness_lifetime(&v, &policy, &no_hints, NOW, 0);
	cr_expect_not(l.may_store);
	cr_expect_gt(l.hard_expiry, NOW, "must be deliverable");
}

Test(freshness, CL_02_what_has_ended_is_not_stored)
{
	struct verdict v = good(NOW - DAY, NOW);

	cr_expect_not(lifetime_of(&v, 0).may_store);
}

/* --- states --- */

Test(freshness, CL_02_CL_07_CL_08_states)
{
	static const struct {
		int64_t refresh_at, hard_expiry, now;
		enum freshness expected;
	} rows[] = {
	    {1000, 9000, 0, FRESH},	   {1000, 9000, 999, FRESH},
	    {1000, 9000, 1000, DUE},	   {1000, 9000, 8699, DUE},
	    {1000, 9000, 8700, ENDING},	   {1000, 9000, 8999, ENDING},
	    {1000, 9000, 9000, EXPIRED},   {1000, 9000, 9001, EXPIRED},
	    {8800, 9000, 8750, FRESH},	 /* a refresh failed a moment ago */
	    {9500, 9000, 9000, EXPIRED}, /* whatever was planned */
	    {1000, TIME_NEVER, 2000, DUE},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(
		    freshness_of(rows[i].refresh_at, rows[i].hard_expiry, 300, rows[i].now),
		    rows[i].expected, "row %zu", i);
}

Test(freshness, CL_09_max_age)
{
	static const struct {
		int64_t refresh_at, hard_expiry, now, expected;
	} rows[] = {
	    {3600, 10800, 0, 3600},   /* the table's example */
	    {3600, 10800, 3590, 60},  /* never below a minute ... */
	    {3600, 10800, 9000, 60},  /* ... long after refresh_at */
	    {3600, 10800, 10770, 30}, /* ... but never beyond the end */
	    {10800, 10800, 0, 10800}, /* ends without a refresh */
	    {20000, 10800, 0, 10800}, /* never beyond the end */
	    {3600, 10800, 10800, 0},  /* ended */
	    {3600, 10800, 10801, 0},  /* ended */
	    {3600, TIME_NEVER, 0, 3600},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(
		    freshness_max_age(rows[i].refresh_at, rows[i].hard_expiry, rows[i].now),
		    rows[i].expected, "row %zu", i);
}

Test(freshness, CL_07_retry_after_300_seconds_or_a_tenth)
{
	cr_expect_eq(freshness_retry_at(NOW + 100, NOW), NOW + 300);
	cr_expect_eq(freshness_retry_at(NOW + 3000, NOW), NOW + 300);
	cr_expect_eq(freshness_retry_at(NOW + 10 * HOUR, NOW), NOW + HOUR);
	cr_expect_eq(freshness_retry_at(NOW - 10 * HOUR, NOW), NOW + 300);
	cr_expect_gt(freshness_retry_at(TIME_NEVER, NOW), NOW);
}

Test(freshness, CL_16_CL_17_rollback_protection)
{
	static const struct {
		int64_t old_t, old_p, new_t, new_p;
		bool expected;
	} rows[] = {
	    {10, 10, 11, 11, true}, {10, 10, 9, 99, false},   {10, 10, 5, 5, false},
	    {10, 10, 10, 9, false}, {10, 10, 10, 10, true},   {10, 10, 10, 11, true},
	    {10, 99, 11, 11, true}, {10, 10, Y9999, 0, true},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(freshness_may_replace(rows[i].old_t, rows[i].old_p, rows[i].new_t,
						   rows[i].new_p),
			     rows[i].expected, "row %zu", i);
}

/* nextUpdate of year 9999 and certificates that never end: no sum may overflow. */
Test(freshness, sums_saturate)
{
	struct policy policy = policy_default;
	struct verdict v = good(-62167219200 /* year 0 */, Y9999);
	struct upstream_hints hints = {.flags = HINT_MAX_AGE, .max_age = INT64_MAX};
	struct lifetime l;

	policy.max_refresh_interval = policy.min_refresh_interval = INT64_MAX;
	policy.unknown_max_ttl = policy.no_next_update_ttl = policy.expiry_margin = INT64_MAX;
	v.status = CERT_UNKNOWN;
	v.hard_expiry = TIME_NEVER;
	l = freshness_lifetime(&v, &policy, &hints, NOW, EARLIEST);
	cr_expect(l.may_store);
	cr_expect_eq(l.refresh_at, TIME_NEVER);
	cr_expect_eq(l.hard_expiry, TIME_NEVER);
	cr_expect_eq(freshness_of(NOW, TIME_NEVER, INT64_MAX, NOW), ENDING);
	cr_expect_eq(freshness_max_age(TIME_NEVER, TIME_NEVER, -NOW), TIME_NEVER);
}
