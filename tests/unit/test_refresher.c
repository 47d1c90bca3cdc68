/* SPDX-License-Identifier: ISC */
/* Refresh ahead: what is refreshed, when, how many at once, and what an outage changes of it. */
#include "relay/refresher.h"

#include "relay_kit.h"
#include "state/due.h"

#define HOUR 3600

static int64_t lifetime = PKI_DAY; /* of what the responder gives */
static unsigned status;		   /* of HTTP; 0: a good answer */

/* The responder, which knows whom it is asked about. */
static void respond(size_t i)
{
	static const struct ocsp_request_limits limits = {.max_certids = 1, .max_extensions = 9};
	struct ocsp_request request;
	char serial[2 * MAX_SERIAL_LEN + 1] = {0};

	if (status == 1)
		return; /* silence */
	if (status > 1) {
		stage_answer_http(i, status);
		return;
	}
	cr_assert_eq(ocsp_request_parse(stage_upstream.requests[i].der, &limits, &request), OK);
	hex_encode(serial, request.certids[0].serial);
	stage_answer_ok(i, kit_good(serial, 0, lifetime));
}

static void refuse(size_t i)
{
	stage_answer_ok(i, UNAUTHORIZED);
}

static bool everything(void *arg, const struct entry *entry)
{
	(void)arg;
	(void)entry;
	return true;
}

static void open_with_responder(void)
{
	kit_open();
	stage_upstream.responder = respond;
}

static bool is_asked(const char *serial)
{
	struct connection *client = kit_ask(serial);

	stage_pass(0);
	return stage_answers(client) == 1;
}

/* n certificates, each asked about twice: in use. */
static void use(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		kit_ask(kit_serial(i));
		stage_pass(0);
		cr_assert(is_asked(kit_serial(i)));
	}
	cr_assert_eq(stage_upstream.n_requests, n);
}

/* Requests to the responder while so many seconds pass; the most in one second in *out_peak. */
static size_t pass(int64_t seconds, size_t *out_peak)
{
	size_t before = stage_upstream.n_requests, peak = 0;

	for (int64_t s = 0; s < seconds; s++) {
		size_t n = stage_upstream.n_requests;

		stage_pass(1000);
		if (stage_upstream.n_requests - n > peak)
			peak = stage_upstream.n_requests - n;
	}
	if (out_peak != NULL)
		*out_peak = peak;
	return stage_upstream.n_requests - before;
}

/* --- what and when ---------------------------------------------------------------------------- */

Test(refresher, CL_06_what_is_in_use_is_refreshed_in_time)
{
	open_with_responder();
	use(1);
	stage_pass((12 * HOUR - 1) * 1000);
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(2 * 1000);
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(stage_field(kit_ask(kit_serial(0)), "Cache-Status"), KIT_HIT(86399));
	cr_expect_eq(counter_sum(METRIC_REFRESHES, kit.issuer->slot, LABEL_OUTCOME_OK, 0), 1);
	kit_close();
}

Test(refresher, CL_06_what_nobody_asks_for_runs_out)
{
	open_with_responder();
	kit_ask(kit_serial(0)); /* once */
	stage_pass(0);
	cr_expect_eq(pass(PKI_DAY, NULL), 0);
	kit_close();
}

/* One refresh keeps it; that nobody asked since lets it go. */
Test(refresher, CL_06_use_counts_since_the_last_refresh)
{
	open_with_responder();
	use(1);
	cr_expect_eq(pass(3 * PKI_DAY, NULL), 1);
	kit_close();
}

Test(refresher, CL_06_asked_for_now_and_then_it_never_misses)
{
	open_with_responder();
	use(1);
	for (unsigned i = 0; i < 24 * 7; i++) {
		struct connection *client;

		stage_pass(HOUR * 1000);
		client = kit_send(kit_about(kit_serial(0), NO_EXTS), 0);
		cr_assert_eq(stage_answers(client), 1, "a hit, hour %u", i);
	}
	cr_expect_leq(stage_upstream.n_requests, 1 + 2 * 7 + 1);
	kit_close();
}

/* Whoever refreshes it, it is planned once. */
Test(refresher, CL_07_refreshes_of_clients_leave_nothing_behind)
{
	open_with_responder();
	use(1);
	for (unsigned i = 0; i < 10; i++) {
		stage_pass(61 * 1000);
		kit_post(kit_about(kit_serial(0), NO_EXTS), HTTP_NO_CACHE);
		stage_pass(0);
	}
	cr_expect_eq(stage_upstream.n_requests, 11);
	kit_ask(kit_serial(0));
	cr_expect_eq(pass(13 * HOUR, NULL), 1);
	cr_expect_eq(due_count(kit.backs[0]->due), 1);
	kit_close();
}

/* --- how many --------------------------------------------------------------------------------- */

Test(refresher, CL_06_mass_of_one_second_is_spread)
{
	size_t peak;

	open_with_responder();
	use(500);
	cr_expect_eq(pass(12 * HOUR + 60, &peak), 500);
	cr_expect_leq(peak, 64, "%zu in a second", peak);
	kit_close();
}

/* A quarter of the fetches that may be under way. */
Test(refresher, SL_08_slow_responder_has_few_of_them)
{
	open_with_responder();
	use(400);
	status = 1;
	stage_pass((12 * HOUR - 1) * 1000);
	for (unsigned i = 0; i < 40; i++) {
		stage_pass(250);
		cr_expect_leq(stage_upstream.n_pending, 16);
	}
	cr_expect_geq(stage_upstream.n_requests, 401);
	cr_expect_eq(kit.n_events[EVENT_OVERLOAD], 0);
	kit_close();
}

/* --- outages ---------------------------------------------------------------------------------- */

Test(refresher, HC_12_outage_costs_the_responder_little)
{
	size_t n;

	open_with_responder();
	use(200);
	status = 500;
	stage_pass(12 * HOUR * 1000);
	n = pass(HOUR, NULL);
	cr_expect_leq(n, HOUR / 8, "%zu", n);
	cr_expect_geq(n, HOUR / 12, "%zu", n);
	for (unsigned i = 0; i < 200; i++)
		cr_expect(is_asked(kit_serial(i)));
	kit_close();
}

Test(refresher, HC_12_recovery_comes_within_seconds_and_without_a_stampede)
{
	size_t n, peak;

	open_with_responder();
	use(300);
	status = 500;
	stage_pass(20 * HOUR * 1000);
	cr_expect_lt(stage_upstream.n_requests, 300 + 8 * HOUR / 8);
	status = 0;
	n = pass(11, &peak);
	cr_expect_geq(n, 2);
	n += pass(20, &peak);
	cr_expect_leq(peak, 64);
	cr_expect_geq(n, 300);
	cr_expect_leq(n, 302);
	kit_close();
}

Test(refresher, HC_12_probes_become_rare_and_then_stay_as_they_are)
{
	static int64_t at[40];
	size_t first;

	open_with_responder();
	use(1);
	status = 500;
	stage_pass((12 * HOUR - 1) * 1000);
	first = stage_upstream.n_requests;
	while (stage_upstream.n_requests < first + 40)
		stage_pass(250);
	for (size_t i = 0; i < 40; i++)
		at[i] = stage_upstream.requests[first + i].ms_started;
	for (size_t i = 2; i < 40; i++) {
		cr_expect_geq(at[i] - at[i - 1], 1000, "%zu", i);
		cr_expect_leq(at[i] - at[i - 1], 10250, "%zu", i);
		if (i > 8)
			cr_expect_geq(at[i] - at[i - 1], 8500, "%zu", i);
	}
	kit_close();
}

/* --- what is watched -------------------------------------------------------------------------- */

static void open_watching(unsigned n)
{
	kit_prepare();
	kit.n_watched = n;
	stage_upstream.responder = respond;
	kit_start();
}

/* Whether a client would be answered at once. */
static bool is_warm(const char *serial)
{
	return stage_answers(kit_send(kit_about(serial, NO_EXTS), 0)) == 1;
}

Test(refresher, watched_is_fetched_at_start_and_kept_for_ever)
{
	open_watching(3);
	stage_pass(1000);
	cr_expect_eq(stage_upstream.n_requests, 3);
	cr_expect_eq(pass(5 * PKI_DAY, NULL), 3 * 2 * 5);
	for (unsigned i = 0; i < 3; i++)
		cr_expect(is_warm(kit_serial(i)));
	kit_close();
}

Test(refresher, watched_comes_from_the_store_first)
{
	open_watching(2);
	stage_pass(1000);
	cr_assert_eq(stage_upstream.n_requests, 2);
	cache_remove_if(kit.common.cache, everything, NULL); /* as after a restart */
	stage_pass(61 * 1000);
	cr_expect(is_warm(kit_serial(0)));
	cr_expect(is_warm(kit_serial(1)));
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(refresher, watched_waits_for_its_responder)
{
	size_t n;

	status = 500;
	open_watching(50);
	stage_pass(60 * 1000);
	cr_expect_leq(stage_upstream.n_requests, 1 + 16 + 12);
	status = 0;
	n = pass(15, NULL);
	cr_expect_geq(n, 50);
	cr_expect_leq(n, 52);
	for (unsigned i = 0; i < 50; i++)
		cr_expect(is_warm(kit_serial(i)));
	kit_close();
}

/* A serial that the CA does not know is no outage. */
Test(refresher, watched_that_the_ca_refuses_is_tried_now_and_then)
{
	size_t n;

	open_watching(1);
	stage_upstream.responder = refuse;
	n = pass(600, NULL);
	cr_expect_geq(n, 8);
	cr_expect_leq(n, 12);
	kit_close();
}

Test(refresher, watched_is_spread_over_the_back_threads)
{
	kit_prepare();
	kit.n_watched = 40;
	kit.common.n_backs = 3;
	stage_upstream.responder = respond;
	kit_start();
	stage_pass(60 * 1000);
	cr_expect_eq(stage_upstream.n_requests, 40);
	for (unsigned i = 0; i < 40; i++)
		cr_expect(is_warm(kit_serial(i)));
	kit_close();
}

/* --- the clock -------------------------------------------------------------------------------- */

Test(refresher, CL_21_wall_clock_set_forward_ends_what_has_ended)
{
	open_with_responder();
	use(2);
	stage_set_wall(PKI_NOW + 8 * PKI_DAY);
	cr_expect_eq(pass(13 * HOUR, NULL), 0);
	kit_ask(kit_serial(0));
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_requests, 3);
	kit_close();
}

Test(refresher, CL_21_wall_clock_set_back_refreshes_later)
{
	open_with_responder();
	use(1);
	stage_set_wall(PKI_NOW - HOUR);
	cr_expect_eq(pass(12 * HOUR + 5, NULL), 0);
	cr_expect_eq(pass(HOUR + 5, NULL), 1);
	kit_close();
}
