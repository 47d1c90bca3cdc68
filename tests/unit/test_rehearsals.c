/* SPDX-License-Identifier: ISC */
/* Rehearsed outages: who is asked, what clients get, what is told, and that nothing stays. */
#include "relay/rehearsals.h"

#include "relay_kit.h"

#define HOUR 3600

static struct rehearsals *rehearsals;

static void open_kit(void)
{
	kit_open();
	rehearsals = rehearsals_new(&kit.common, kit.main_loop);
	cr_assert_not_null(rehearsals);
}

static void close_kit(void)
{
	rehearsals_free(rehearsals);
	kit_close();
}

static void begin(int64_t seconds)
{
	cr_assert_eq(rehearsals_begin(rehearsals, kit.issuer, seconds * 1000), OK);
}

Test(rehearsals, nobody_is_asked_and_clients_have_what_is_cached)
{
	struct slice response;

	open_kit();
	response = kit_store("01", 0, PKI_DAY);
	begin(2 * HOUR);
	cr_expect_str_eq(kit.said[EVENT_REHEARSAL_BEGUN], "issuer=test seconds=7200");
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	kit_expect(kit_ask("02"), TRY_LATER, "ocsprelay; fwd=miss");
	kit_expect(kit_ask("02"), TRY_LATER, KIT_NEGATIVE);
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 0);
	cr_expect_eq(kit.n_events[EVENT_FETCH_FAILED], 0);
	close_kit();
}

Test(rehearsals, end_comes_by_itself_and_tells_what_it_meant)
{
	struct rehearsal_status status;

	open_kit();
	kit_store("01", 0, PKI_DAY);
	begin(60);
	kit_ask("01");
	kit_ask("01");
	kit_ask("02");
	stage_pass(59999);
	cr_expect(rehearsals_get(rehearsals, kit.issuer, &status));
	cr_expect_eq(status.ms_left, 1);
	cr_expect_eq(status.n_saved, 2);
	cr_expect_eq(status.n_failed, 1);
	cr_expect_eq(kit.n_events[EVENT_REHEARSAL_ENDED], 0);
	stage_pass(1);
	cr_expect_str_eq(kit.said[EVENT_REHEARSAL_ENDED],
			 "issuer=test seconds=60 saved=2 failed=1");
	cr_expect_not(rehearsals_get(rehearsals, kit.issuer, &status));
	kit_ask("03");
	cr_expect_eq(stage_upstream.n_requests, 2);
	close_kit();
}

/* The failures that were remembered go with it. */
Test(rehearsals, end_can_be_now)
{
	struct rehearsal_status status;

	open_kit();
	cr_expect_not(rehearsals_stop(rehearsals, kit.issuer, &status));
	begin(HOUR);
	kit_ask("02");
	stage_pass(1000);
	cr_expect(rehearsals_stop(rehearsals, kit.issuer, &status));
	cr_expect_eq(status.n_failed, 1);
	cr_expect_str_eq(kit.said[EVENT_REHEARSAL_ENDED], "issuer=test seconds=1 saved=0 failed=1");
	kit_store("02", 0, PKI_DAY);
	stage_pass(2 * HOUR * 1000);
	cr_expect_eq(kit.n_events[EVENT_REHEARSAL_ENDED], 1);
	close_kit();
}

Test(rehearsals, begun_again_it_goes_on_from_now)
{
	struct rehearsal_status status;

	open_kit();
	begin(HOUR);
	kit_ask("01");
	stage_pass(HOUR / 2 * 1000);
	begin(HOUR);
	stage_pass((HOUR - 1) * 1000);
	cr_expect(rehearsals_get(rehearsals, kit.issuer, &status));
	cr_expect_eq(status.n_failed, 1);
	stage_pass(1000);
	cr_expect_str_eq(kit.said[EVENT_REHEARSAL_ENDED],
			 "issuer=test seconds=5400 saved=0 failed=1");
	close_kit();
}

Test(rehearsals, CL_21_wall_clock_moves_no_end)
{
	struct rehearsal_status status;

	open_kit();
	begin(HOUR);
	stage_set_wall(PKI_NOW + 5 * PKI_DAY);
	stage_pass((HOUR - 1) * 1000);
	cr_expect(rehearsals_get(rehearsals, kit.issuer, &status));
	stage_set_wall(PKI_NOW - 5 * PKI_DAY);
	stage_pass(1000);
	cr_expect_not(rehearsals_get(rehearsals, kit.issuer, &status));
	close_kit();
}

static void answer_good(size_t i)
{
	stage_answer_ok(i, kit_good("01", 0, PKI_DAY));
}

/* What was due meanwhile is refreshed at once when it is over. */
Test(rehearsals, CL_06_refreshes_wait_for_its_end)
{
	open_kit();
	kit_store("01", 0, PKI_DAY);
	kit_ask("01");
	stage_upstream.responder = answer_good;
	stage_pass(11 * HOUR * 1000);
	begin(3 * HOUR);
	stage_pass((3 * HOUR - 1) * 1000);
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(2000);
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_UP], 0);
	close_kit();
}

/* What a responder was before, it is after. */
Test(rehearsals, HC_12_health_stays_what_it_was)
{
	struct responder_state before, after;

	open_kit();
	kit_ask("01");
	kit_refuse(500);
	before = responder_get(kit.common.responders, KIT_URL(1), clock_mono_ms());
	begin(HOUR);
	for (unsigned i = 0; i < 10; i++)
		kit_ask(kit_serial(i));
	stage_pass(HOUR * 1000);
	after = responder_get(kit.common.responders, KIT_URL(1), clock_mono_ms());
	cr_expect_eq(before.n_failures, 1);
	cr_expect_eq(after.n_failures, 1);
	cr_expect_eq(after.ms_down_since, before.ms_down_since);
	close_kit();
}

Test(rehearsals, none_without_memory)
{
	open_kit();
	stage.has_no_memory = true;
	cr_expect_eq(rehearsals_begin(rehearsals, kit.issuer, 1000), ERR_NO_MEMORY);
	stage.has_no_memory = false;
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 1);
	close_kit();
}
