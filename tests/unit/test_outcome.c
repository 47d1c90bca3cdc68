/* SPDX-License-Identifier: ISC */
/* Responders' health: what is counted, logged and remembered of them, and whom it keeps away. */
#include "relay/outcome.h"

#include "relay_kit.h"

static void open_with_two_responders(void)
{
	kit_prepare();
	kit.urls[1] = KIT_URL(2);
	kit_start();
}

static void expect_asked(size_t i, const char *url)
{
	cr_assert_lt(i, stage_upstream.n_requests);
	cr_expect_str_eq(stage_upstream.requests[i].url, url);
}

/* --- what is told ----------------------------------------------------------------------------- */

static int64_t n_ended(err_t err)
{
	return counter_sum(METRIC_UPSTREAM_REQUESTS, kit.issuer->responders[0].slot, (unsigned)err,
			   0);
}

Test(outcome, one_event_down_and_one_back)
{
	struct responder_state state;

	kit_open();
	for (unsigned i = 0; i < 3; i++) {
		kit_ask(kit_serial(i));
		kit_refuse(500);
	}
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 1);
	cr_expect_eq(kit.n_events[EVENT_FETCH_FAILED], 3);
	state = responder_get(kit.common.responders, KIT_URL(1), clock_mono_ms());
	cr_expect_eq(state.n_failures, 3);
	kit_store("01", 0, PKI_DAY);
	kit_store("02", 0, PKI_DAY);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 1);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_UP], 1);
	cr_expect_eq(n_ended(ERR_UP_HTTP), 3);
	cr_expect_eq(n_ended(OK), 2);
	kit_close();
}

/* Whoever answers so is well, whatever the client thinks of it. */
Test(outcome, what_a_responder_may_say)
{
	const struct slice answers[] = {UNAUTHORIZED, SIG_REQUIRED};

	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(answers); i++) {
		kit_ask(kit_serial(i));
		kit_answer(answers[i]);
	}
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 0);
	cr_expect_eq(kit.n_events[EVENT_RESPONSE_REFUSED], 0);
	cr_expect_eq(n_ended(ERR_UP_UNAUTHORIZED), 1);
	cr_expect_eq(n_ended(ERR_UP_SIG_REQUIRED), 1);
	kit_close();
}

Test(outcome, HC_13_troubles_of_a_responder_count_as_failures)
{
	const struct slice answers[] = {TRY_LATER, INTERNAL_ERROR, slice_text("<html>")};

	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(answers); i++) {
		kit_ask(kit_serial(i));
		kit_answer(answers[i]);
	}
	cr_expect_eq(responder_get(kit.common.responders, KIT_URL(1), clock_mono_ms()).n_failures,
		     3);
	kit_close();
}

Test(outcome, EM_12_refused_responses_are_counted_by_reason)
{
	kit_open();
	kit_ask("01");
	kit_answer(kit_good("02", 0, PKI_DAY));
	cr_expect_eq(kit.n_events[EVENT_RESPONSE_REFUSED], 1);
	cr_expect_eq(kit.n_events[EVENT_FETCH_FAILED], 0);
	cr_expect_eq(counter_sum(METRIC_VERIFY_FAILURES, kit.issuer->slot, ERR_RSP_CERTID, 0), 1);
	cr_expect_eq(n_ended(ERR_RSP_CERTID), 1);
	kit_close();
}

static char shown[512]; /* type, octets and body of the last strange one */

static void on_log(void *arg, enum log_event event, const struct log_field *fields)
{
	size_t n = 0;

	(void)arg;
	if (event != EVENT_BODY_STRANGE)
		return;
	for (; fields->name != NULL; fields++) {
		if (strcmp(fields->name, "octets") == 0)
			n += (size_t)sprintf(shown + n, "%d ", (int)fields->number);
		else if (strcmp(fields->name, "type") == 0 || strcmp(fields->name, "body") == 0)
			n += (size_t)sprintf(shown + n, "%.*s ", (int)fields->bytes.len,
					     fields->bytes.p ? (const char *)fields->bytes.p : "");
	}
}

Test(outcome, HC_07_body_that_does_not_begin_like_der_is_shown)
{
	static const struct {
		err_t err;
		unsigned http;
		const char *body, *shown;
	} rows[] = {
	    {OK, 200, "<html>", "text/x 6 <html> "},   {OK, 200, "", "text/x 0  "},
	    {OK, 200, "0 is the tag of SEQUENCE", ""}, {ERR_UP_HTTP, 404, "<html>", ""},
	    {ERR_UP_CODED, 200, "<html>", ""},
	};
	char longest[300] = {0};

	kit_open();
	log_set_sink(on_log, NULL);
	for (unsigned i = 0; i < N_ELEMENTS(rows); i++) {
		shown[0] = '\0';
		kit_ask(kit_serial(i));
		kit_end(&(struct upstream_answer){.err = rows[i].err,
						  .http_status = rows[i].http,
						  .content_type = "text/x",
						  .body = slice_text(rows[i].body)});
		cr_expect_str_eq(shown, rows[i].shown, "row %u", i);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	kit_ask("01");
	kit_answer(slice_text(longest));
	cr_expect_eq(strspn(strchr(shown, 'x'), "x"), 200);
	kit_close();
}

/* --- broken responders (HC-12) ---------------------------------------------------------------- */

static void fail_five_times(void)
{
	for (unsigned i = 0; i < 5; i++) {
		kit_ask(kit_serial(i));
		kit_refuse(500);
		kit_answer(kit_good(kit_serial(i), 0, PKI_DAY));
	}
	cr_assert_eq(stage_upstream.n_requests, 10);
}

/* Of 10 questions: how many were put to the first responder first? It fails, the second does not.
 */
static unsigned first_is_asked(unsigned serial)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 10; i++) {
		size_t before = stage_upstream.n_requests;

		kit_ask(kit_serial(serial + i));
		if (strcmp(stage_upstream.requests[before].url, KIT_URL(1)) == 0) {
			kit_refuse(500);
			n++;
		}
		expect_asked(stage_upstream.n_requests - 1, KIT_URL(2));
		kit_answer(kit_good(kit_serial(serial + i), 0, PKI_DAY));
	}
	return n;
}

Test(outcome, HC_12_broken_responder_is_tried_by_one_every_30_seconds)
{
	open_with_two_responders();
	fail_five_times();
	cr_expect_eq(first_is_asked(100), 1);
	stage_pass(29 * 1000);
	cr_expect_eq(first_is_asked(200), 0);
	stage_pass(1000);
	cr_expect_eq(first_is_asked(300), 1);
	kit_close();
}

Test(outcome, HC_12_broken_responder_comes_back_at_once)
{
	open_with_two_responders();
	fail_five_times();
	kit_ask(kit_serial(100));
	expect_asked(10, KIT_URL(1));
	kit_answer(kit_good(kit_serial(100), 0, PKI_DAY));
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_UP], 1);
	for (unsigned i = 1; i < 5; i++) {
		kit_ask(kit_serial(100 + i));
		expect_asked(stage_upstream.n_requests - 1, KIT_URL(1));
	}
	kit_close();
}

Test(outcome, HC_12_probe_may_be_by_post_too)
{
	open_with_two_responders();
	fail_five_times();
	kit_ask(kit_serial(100));
	kit_refuse(405);
	expect_asked(11, KIT_URL(1));
	cr_expect(stage_upstream.requests[11].post);
	kit_close();
}

/* Nobody went down because he wants POST, or because a cache on the way had an old copy. */
Test(outcome, HC_01_VS_09_health_is_judged_after_the_last_way_of_asking)
{
	kit_open();
	kit_ask("01");
	kit_refuse(405);
	kit_answer(kit_good("01", 0, PKI_DAY));
	stage_pass(3600 * 1000);
	kit_ask("02");
	kit_answer(kit_good("02", -PKI_DAY, -1));
	kit_answer(kit_good("02", 0, PKI_DAY));
	cr_expect_eq(kit.n_events[EVENT_FETCH_FAILED], 1);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 0);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_UP], 0);
	kit_ask("03");
	kit_refuse(405);
	kit_refuse(405);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 1);
	kit_close();
}

Test(outcome, HC_12_broken_one_is_better_than_nobody)
{
	struct connection *client;
	struct slice response;

	open_with_two_responders();
	fail_five_times();
	cr_expect_eq(first_is_asked(100), 1);
	client = kit_ask(kit_serial(200));
	kit_refuse(503);
	response = kit_good(kit_serial(200), 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	kit_close();
}

Test(outcome, HC_12_what_the_others_may_rightly_say_is_an_answer)
{
	struct connection *client;

	open_with_two_responders();
	fail_five_times();
	cr_expect_eq(first_is_asked(100), 1);
	client = kit_ask(kit_serial(200));
	kit_answer(UNAUTHORIZED);
	kit_expect(client, UNAUTHORIZED, "ocsprelay; fwd=miss; fwd-status=200");
	kit_close();
}

/* To leave out everybody would make an outage last longer. */
Test(outcome, HC_12_where_all_are_broken_all_are_asked)
{
	open_with_two_responders();
	for (unsigned i = 0; i < 20; i++) {
		kit_ask(kit_serial(i));
		kit_refuse(500);
		kit_refuse(500);
		cr_expect_eq(stage_upstream.n_requests, 2 * i + 2);
	}
	kit_ask("01");
	expect_asked(40, KIT_URL(1));
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_str_eq(stage_field(kit_ask("01"), "Cache-Status"), KIT_HIT(86400));
	kit_close();
}

Test(outcome, HC_12_only_responder_is_always_asked)
{
	kit_open();
	for (unsigned i = 0; i < 20; i++) {
		kit_ask(kit_serial(i));
		kit_refuse(500);
	}
	cr_expect_eq(stage_upstream.n_requests, 20);
	kit_close();
}

/* --- requests of a client's own words --------------------------------------------------------- */

/* RP-40: forwarded as it is, so its writer chooses what the responder makes of it. */
static struct connection *ask_in_own_words(void)
{
	return kit_post(kit_about("01", kit_ext("2a03", true, EMPTY)), 0);
}

Test(outcome, HC_12_refusal_of_a_clients_own_words_is_no_failure)
{
	open_with_two_responders();
	for (unsigned i = 0; i < 10; i++) {
		ask_in_own_words();
		kit_refuse(500);
		kit_answer(kit_good("02", 0, PKI_DAY));
	}
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 0);
	cr_expect_eq(n_ended(ERR_UP_HTTP), 10);
	kit_ask("01");
	expect_asked(20, KIT_URL(1));
	kit_close();
}

Test(outcome, HC_12_no_answer_to_a_clients_own_words_is_a_failure)
{
	kit_open();
	ask_in_own_words();
	kit_end(&(struct upstream_answer){.err = ERR_UP_TIMEOUT});
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 1);
	kit_close();
}

Test(outcome, HC_12_clients_own_words_are_no_probe)
{
	open_with_two_responders();
	fail_five_times();
	ask_in_own_words();
	expect_asked(10, KIT_URL(2));
	kit_answer(kit_good("01", 0, PKI_DAY));
	kit_ask(kit_serial(100));
	expect_asked(11, KIT_URL(1));
	kit_close();
}

/* --- how long, and what the cache was good for -------------------------------------------------
 */

Test(outcome, who_is_back_tells_how_long_it_took_and_what_was_saved)
{
	kit_open();
	kit_store("01", 0, PKI_DAY);
	kit_ask("01");
	kit_ask("02");
	kit_refuse(500);
	kit_ask("01");
	kit_ask("01");
	stage_pass(90 * 1000);
	kit_ask("01");
	kit_store("03", 0, PKI_DAY);
	cr_expect_str_eq(kit.said[EVENT_RESPONDER_UP],
			 "issuer=test responder=" KIT_URL(1) " seconds=90 saved=3");
	kit_ask("01");
	kit_ask("04");
	kit_refuse(500);
	kit_ask("01");
	kit_store("05", 0, PKI_DAY);
	cr_expect_str_eq(kit.said[EVENT_RESPONDER_UP],
			 "issuer=test responder=" KIT_URL(1) " seconds=0 saved=1");
	kit_close();
}

/* As long as another one works, the cache saves nobody. */
Test(outcome, saved_is_what_no_responder_could_have_given)
{
	open_with_two_responders();
	kit_store("01", 0, PKI_DAY);
	kit_ask("02");
	kit_refuse(500);
	kit_answer(kit_good("02", 0, PKI_DAY));
	kit_ask("01");
	kit_ask("01");
	kit_ask("03");
	kit_refuse(500);
	kit_refuse(500);
	kit_ask("01");
	stage_pass(60 * 1000);
	kit_store("04", 0, PKI_DAY);
	cr_expect_str_eq(kit.said[EVENT_RESPONDER_UP],
			 "issuer=test responder=" KIT_URL(1) " seconds=60 saved=1");
	kit_close();
}
