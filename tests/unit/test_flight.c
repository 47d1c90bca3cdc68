/* SPDX-License-Identifier: ISC */
/* The second story: one flight for all who wait, and a place at the gate for each. */
#include "relay/flight.h"

#include "relay_kit.h"

#define N_CLIENTS 100

/* --- one fetch for all (HC-11) ---------------------------------------------------------------- */

Test(flight, HC_11_many_ask_one_fetch)
{
	struct connection *clients[N_CLIENTS];
	struct slice response;

	kit_open();
	for (unsigned i = 0; i < N_CLIENTS; i++)
		clients[i] = kit_send(kit_about("01", NO_EXTS), 0);
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), N_CLIENTS);
	cr_expect_eq(counter_sum(METRIC_INFLIGHT, 0, 0, 0), 1);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(clients[0], response, KIT_MISS);
	for (unsigned i = 1; i < N_CLIENTS; i++)
		kit_expect(clients[i], response, KIT_COLLAPSED);
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 0);
	cr_expect_eq(counter_sum(METRIC_INFLIGHT, 0, 0, 0), 0);
	kit_close();
}

Test(flight, HC_11_failure_is_given_to_all)
{
	struct connection *clients[N_CLIENTS];

	kit_open();
	for (unsigned i = 0; i < N_CLIENTS; i++)
		clients[i] = kit_ask("01");
	kit_refuse(500);
	for (unsigned i = 0; i < N_CLIENTS; i++)
		kit_expect(clients[i], TRY_LATER, "ocsprelay; fwd=miss; fwd-status=500");
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(flight, HC_11_certificates_do_not_wait_for_each_other)
{
	struct connection *one, *two;
	struct slice response;

	kit_open();
	one = kit_ask("01");
	two = kit_ask("02");
	cr_expect_eq(stage_upstream.n_requests, 2);
	response = kit_good("02", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(two, response, KIT_MISS);
	cr_expect_eq(stage_answers(one), 0);
	kit_close();
}

/* An ask that was on its way while the flight of its key landed. */
Test(flight, HC_11_late_ask_finds_the_answer)
{
	struct connection *first, *late;
	struct slice response;

	kit_open();
	first = kit_ask("01");
	stage_hold(kit.backs[0]->asks, true);
	late = kit_ask("01");
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(first, response, KIT_MISS);
	stage_hold(kit.backs[0]->asks, false);
	stage_pass(0);
	kit_expect(late, response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(flight, HC_11_late_ask_finds_the_failure)
{
	struct connection *first, *late;

	kit_open();
	first = kit_ask("01");
	stage_hold(kit.backs[0]->asks, true);
	late = kit_ask("01");
	kit_refuse(500);
	cr_expect_eq(stage_answers(first), 1);
	stage_pass(4000);
	stage_hold(kit.backs[0]->asks, false);
	stage_pass(0);
	kit_expect(late, TRY_LATER, KIT_NEGATIVE);
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(1000); /* and is not remembered for longer because of it */
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(flight, HC_11_EM_19_waiters_have_a_limit)
{
	struct connection *clients[2];
	struct slice response;

	kit_prepare();
	kit.settings.limits.max_waiters = 2;
	kit_start();
	for (unsigned i = 0; i < 2; i++)
		clients[i] = kit_ask("01");
	kit_expect(kit_ask("01"), TRY_LATER, "");
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	for (unsigned i = 0; i < 2; i++)
		cr_expect(slice_eq(stage_body(clients[i]), response));
	kit_close();
}

Test(flight, keys_belong_to_back_threads)
{
	kit_prepare();
	kit.common.n_backs = 3;
	kit.policy.max_inflight = 300;
	kit_start();
	for (unsigned i = 0; i < 60; i++) {
		kit_ask(kit_serial(i));
		kit_ask(kit_serial(i));
	}
	cr_expect_eq(stage_upstream.n_requests, 60);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_gt(inflight_count(kit.backs[i]->inflight), 0);
	kit_close();
}

/* --- the gate (SL-08) ------------------------------------------------------------------------- */

Test(flight, SL_08_EM_19_fetches_at_once_queue_and_end)
{
	struct connection *clients[11];

	kit_prepare();
	kit.policy.max_inflight = 2;
	kit_start();
	for (unsigned i = 0; i < 11; i++)
		clients[i] = kit_ask(kit_serial(i));
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_expect(clients[10], TRY_LATER, "");
	cr_expect_eq(kit.n_events[EVENT_OVERLOAD], 1);
	for (size_t i = 0; i < 10; i++) {
		struct slice response = kit_good(kit_serial((unsigned)i), 0, PKI_DAY);

		cr_assert_lt(i, stage_upstream.n_requests);
		cr_expect(slice_eq(stage_upstream.requests[i].der,
				   kit_about(kit_serial((unsigned)i), NO_EXTS)),
			  "flight %zu out of order", i);
		cr_expect_leq(stage_upstream.n_pending, 2);
		stage_answer_ok(i, response);
		stage_pass(0);
		kit_expect(clients[i], response, KIT_MISS);
	}
	cr_expect_eq(stage_upstream.n_requests, 10);
	cr_expect_str_eq(stage_field(kit_ask(kit_serial(5)), "Cache-Status"), KIT_HIT(86400));
	kit_close();
}

Test(flight, SL_08_default_limits)
{
	unsigned n_refused = 0;

	kit_open();
	for (unsigned i = 0; i < 1000; i++)
		n_refused += stage_answers(kit_ask(kit_serial(i))) > 0;
	cr_expect_eq(stage_upstream.n_requests, 64);
	cr_expect_eq(counter_sum(METRIC_INFLIGHT, 0, 0, 0), 64 + 256);
	cr_expect_eq(n_refused, 1000 - 64 - 256);
	kit_close();
}

/* All who are in the queue fail at once when their turn comes. */
Test(flight, SL_08_queue_of_those_who_need_not_fetch)
{
	struct connection *clients[5];

	kit_prepare();
	kit.policy.max_inflight = 1;
	kit_start();
	for (unsigned i = 0; i < 5; i++)
		clients[i] = kit_ask(kit_serial(i));
	kit_end(
	    &(struct upstream_answer){.err = ERR_UP_HTTP, .http_status = 503, .retry_after = 100});
	for (unsigned i = 0; i < 5; i++)
		cr_expect(slice_eq(stage_body(clients[i]), TRY_LATER));
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(counter_sum(METRIC_INFLIGHT, 0, 0, 0), 0);
	stage_pass(100 * 1000);
	kit_ask(kit_serial(9));
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(flight, SL_08_share_of_each_back_thread_is_one_at_least)
{
	kit_prepare();
	kit.policy.max_inflight = 2;
	kit.common.n_backs = 4;
	kit_start();
	for (unsigned i = 0; i < 100; i++)
		kit_ask(kit_serial(i));
	cr_expect_eq(stage_upstream.n_requests, 4);
	kit_close();
}

Test(flight, CL_18_EM_19_overload_hides_no_answer_at_hand)
{
	struct slice response;

	kit_prepare();
	kit.policy.max_inflight = 1;
	kit_start();
	response = kit_store("01", 0, 1000);
	stage_pass(800 * 1000);
	for (unsigned i = 0; i < 5; i++)
		kit_ask(kit_serial(i));
	kit_expect(kit_ask(kit_serial(5)), TRY_LATER, "");
	kit_expect(kit_ask("01"), response, KIT_HIT(200)); /* it was to be refreshed first */
	kit_close();
}

/* --- faults of our own ------------------------------------------------------------------------ */

Test(flight, EM_20_no_memory_for_a_transfer)
{
	struct connection *client;

	kit_open();
	stage_hold(kit.backs[0]->asks, true);
	client = kit_ask("01");
	stage.has_no_memory = true;
	stage_hold(kit.backs[0]->asks, false);
	stage_pass(0);
	kit_expect(client, INTERNAL_ERROR, "");
	stage.has_no_memory = false;
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 1, "it is not remembered");
	kit_close();
}

/* --- the end of the process ------------------------------------------------------------------- */

Test(flight, everything_is_dropped_where_it_stands)
{
	kit_prepare();
	kit.policy.max_inflight = 1;
	kit_start();
	stage_stores.is_slow = true;
	kit_send(kit_about("01", NO_EXTS), 0); /* in the mailbox */
	kit_ask("02");			       /* fetching */
	kit_ask("02");			       /* waiting with it */
	kit_ask("03");			       /* at the gate */
	kit_post(kit_about("04", kit_ext("2a03", true, EMPTY)), 0);
	stage_pass(1000);
	cr_expect_eq(stage_upstream.n_pending, 1);
	stage_hold(kit.backs[0]->asks, true);
	kit_ask("05");
	stage_hold(kit.front->answers, true);
	kit_answer(kit_good("01", 0, PKI_DAY)); /* on its way home */
	kit_close();
	cr_expect_eq(stage_upstream.n_pending, 0);
	cr_expect(stage_upstream.requests[stage_upstream.n_requests - 1].is_cancelled);
}

Test(flight, a_read_under_way_is_dropped)
{
	kit_open();
	stage_stores.is_slow = true;
	stage_stores.ms = 100;
	kit_ask("01");
	kit_ask("02");
	cr_expect_eq(stage_stores.n_gets, 2);
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}
