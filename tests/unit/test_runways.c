/* SPDX-License-Identifier: ISC */
/* What counts for an issuer's runway, how often it is looked for, and who is warned. */
#include "relay/runways.h"

#include "relay/rehearsals.h"
#include "relay_kit.h"

#define HOUR 3600

static struct runways *runways;
static struct rehearsals *rehearsals;

static void open_with_warning(int64_t seconds)
{
	kit_prepare();
	kit.policy.runway_warning = seconds;
	kit_start();
	runways = runways_new(&kit.common, kit.main_loop, kit.rules);
	rehearsals = rehearsals_new(&kit.common, kit.main_loop);
	cr_assert(runways != NULL && rehearsals != NULL);
}

static void close_kit(void)
{
	runways_free(runways);
	rehearsals_free(rehearsals);
	kit_close();
}

/* In memory for so long, and asked for since. */
static void use(unsigned n, int64_t seconds)
{
	kit_store(kit_serial(n), 0, seconds);
	kit_ask(kit_serial(n));
}

static void expect_at(int line, uint64_t n, int64_t first, int64_t last)
{
	struct runway_of of = runways_get(runways, kit.issuer);

	cr_expect_eq(of.n, n, "line %d: %lu answers", line, (unsigned long)of.n);
	cr_expect_eq(of.first, first, "line %d: first %ld", line, (long)of.first);
	cr_expect_eq(of.last, last, "line %d: last %ld", line, (long)of.last);
}

#define EXPECT(n, first, last) expect_at(__LINE__, n, first, last)

Test(runways, of_what_is_in_use)
{
	open_with_warning(0);
	use(0, 3 * HOUR);
	use(1, HOUR);
	use(2, PKI_DAY);
	kit_store(kit_serial(3), 0, 1800); /* which nobody has asked for again */
	EXPECT(3, HOUR, PKI_DAY);
	cr_expect_leq(runways_get(runways, kit.issuer).median, 3 * HOUR);
	cr_expect_geq(runways_get(runways, kit.issuer).median, 3 * HOUR * 63 / 64);
	cr_expect_eq(runways_get(runways, issuers_at(kit.issuers, 1)).n, 0);
	close_kit();
}

/* In between it is that much shorter. */
Test(runways, looked_for_now_and_then)
{
	open_with_warning(0);
	use(0, HOUR);
	EXPECT(1, HOUR, HOUR);
	use(1, 2 * HOUR);
	stage_pass(4000);
	EXPECT(1, HOUR - 4, HOUR - 4);
	stage_pass(1000);
	EXPECT(2, HOUR - 5, 2 * HOUR - 5);
	stage_pass((HOUR - 5) * 1000);
	EXPECT(1, HOUR, HOUR);
	close_kit();
}

static void fail_all(void)
{
	kit_ask("01");
	kit_refuse(500);
}

Test(runways, short_one_is_told_once_in_an_outage)
{
	open_with_warning(HOUR);
	use(0, 2 * HOUR);
	use(1, 3 * HOUR);
	fail_all();
	stage_upstream.responder = NULL;
	stage_pass(HOUR * 1000 - 6000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 0);
	stage_pass(13000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 1);
	cr_expect_eq(strncmp(kit.said[EVENT_RUNWAY_SHORT], "issuer=test answers=2 first=359", 31),
		     0, "%s", kit.said[EVENT_RUNWAY_SHORT]);
	stage_pass(1800 * 1000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 1);
	use(2, 10);
	stage_pass(6000); /* the outage is over */
	fail_all();
	stage_pass(6000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 2);
	close_kit();
}

static void answer_briefly(size_t i)
{
	stage_answer_ok(i, kit_good(kit_serial(0), 0, 600));
}

Test(runways, none_is_short_while_a_responder_works)
{
	open_with_warning(HOUR);
	use(0, 600);
	stage_upstream.responder = answer_briefly;
	stage_pass(590 * 1000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 0);
	close_kit();
}

Test(runways, warning_can_be_off)
{
	open_with_warning(0);
	use(0, 600);
	fail_all();
	stage_pass(590 * 1000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 0);
	close_kit();
}

Test(runways, rehearsed_outage_warns_too)
{
	open_with_warning(HOUR);
	use(0, 600);
	cr_assert_eq(rehearsals_begin(rehearsals, kit.issuer, 300 * 1000), OK);
	stage_pass(6000);
	cr_expect_eq(kit.n_events[EVENT_RUNWAY_SHORT], 1);
	close_kit();
}

/* In use or not; made anew with each look. */
Test(runways, what_expires_first)
{
	const struct soonest *soonest;

	open_with_warning(0);
	cr_expect_eq(runways_soonest(runways)->n, 0);
	use(0, 2 * HOUR);
	kit_store(kit_serial(1), 0, HOUR);
	for (unsigned n = 2; n < 20; n++)
		kit_store(kit_serial(n), 0, (int64_t)n * PKI_DAY);
	cr_expect_eq(runways_soonest(runways)->n, 0, "not looked again yet");
	stage_pass(5000);
	soonest = runways_soonest(runways);
	cr_assert_eq(soonest->n, SOONEST_MAX);
	cr_expect_eq(soonest->entries[0]->hard_expiry, PKI_NOW + HOUR);
	cr_expect_eq(soonest->entries[1]->hard_expiry, PKI_NOW + 2 * HOUR);
	cr_expect_eq(soonest->entries[9]->hard_expiry, PKI_NOW + 9 * PKI_DAY);
	stage_pass(HOUR * 1000);
	cr_expect_eq(runways_soonest(runways)->entries[0]->hard_expiry, PKI_NOW + 2 * HOUR);
	close_kit();
}
