/* SPDX-License-Identifier: ISC */
/* When a client's request fetches although something is at hand, and when it must not. */
#include "relay/exchange.h"

#include "relay_kit.h"

#define NO_CACHE       HTTP_NO_CACHE
#define ONLY_IF_CACHED HTTP_ONLY_IF_CACHED

static struct connection *ask_with(const char *serial, unsigned flags)
{
	return kit_post(kit_about(serial, NO_EXTS), flags);
}

/* --- Cache-Control of clients ----------------------------------------------------------------- */

Test(exchange_refresh, HS_26_EM_22_only_if_cached_asks_nobody)
{
	struct connection *client;

	kit_open();
	client = ask_with("01", ONLY_IF_CACHED);
	cr_expect_eq(stage_status(client), 504);
	kit_expect(client, TRY_LATER, "");
	client = kit_post(kit_about("01", kit_ext("2a03", true, EMPTY)), ONLY_IF_CACHED);
	cr_expect_eq(stage_status(client), 504);
	client = kit_post(kit_about("01", kit_nonce("0102030405060708")), ONLY_IF_CACHED);
	cr_expect_eq(stage_status(client), 504);
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}

Test(exchange_refresh, HS_26_only_if_cached_takes_what_is_valid_until_the_end)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, 1000);
	stage_pass(800 * 1000);
	kit_expect(ask_with("01", ONLY_IF_CACHED), response, KIT_HIT(200));
	kit_expect(ask_with("01", ONLY_IF_CACHED | NO_CACHE), response, KIT_HIT(200));
	kit_expect(kit_post(kit_about("01", kit_nonce("0102030405060708")), ONLY_IF_CACHED),
		   response, KIT_HIT(200));
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(200 * 1000);
	cr_expect_eq(stage_status(ask_with("01", ONLY_IF_CACHED)), 504);
	kit_close();
}

Test(exchange_refresh, HS_25_no_cache_refreshes_a_copy_older_than_a_minute)
{
	struct slice first, second;
	struct connection *client;

	kit_open();
	first = kit_store("01", 0, PKI_DAY);
	stage_pass(60 * 1000);
	kit_expect(ask_with("01", NO_CACHE), first, KIT_HIT(86340));
	stage_pass(1000);
	client = ask_with("01", NO_CACHE);
	cr_expect_eq(stage_answers(client), 0);
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect(stage_upstream.requests[1].no_cache);
	second = kit_good("01", 0, PKI_DAY);
	kit_answer(second);
	kit_expect(client, second, KIT_REFRESHED);
	kit_expect(ask_with("01", NO_CACHE), second, KIT_HIT(86400));
	kit_close();
}

Test(exchange_refresh, HS_25_no_cache_once_a_minute_also_when_nothing_changes)
{
	struct slice response;
	struct connection *client;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	for (size_t n = 2; n < 5; n++) {
		stage_pass(61 * 1000);
		client = ask_with("01", NO_CACHE);
		cr_expect_eq(stage_upstream.n_requests, n);
		kit_answer(response);
		cr_expect(slice_eq(stage_body(client), response));
	}
	kit_close();
}

Test(exchange_refresh, HS_25_no_cache_fails_once_a_minute_and_gets_the_copy)
{
	struct slice response;
	struct connection *client;

	kit_open();
	response = kit_store("01", 0, 1000000);
	for (size_t n = 2; n < 5; n++) {
		stage_pass(61 * 1000);
		client = ask_with("01", NO_CACHE);
		cr_expect_eq(stage_upstream.n_requests, n);
		stage_answer_http(n - 1, 503);
		stage_pass(0);
		cr_expect(slice_eq(stage_body(client), response));
		for (unsigned i = 0; i < 100; i++)
			cr_expect(slice_eq(stage_body(ask_with("01", NO_CACHE)), response));
		cr_expect_eq(stage_upstream.n_requests, n);
	}
	kit_close();
}

/* --- refreshes -------------------------------------------------------------------------------- */

Test(exchange_refresh, CL_07_due_serves_at_once_and_starts_one_refresh)
{
	struct slice first, second;

	kit_open();
	first = kit_store("01", 0, PKI_DAY);
	stage_pass(12 * 3600 * 1000);
	for (unsigned i = 0; i < 20; i++)
		kit_expect(kit_send(kit_about("01", NO_EXTS), 0), first, KIT_HIT(43200));
	kit_tick();
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect_not(stage_upstream.requests[1].no_cache);
	for (unsigned i = 0; i < 20; i++)
		kit_expect(kit_ask("01"), first, KIT_HIT(43200));
	cr_expect_eq(stage_upstream.n_requests, 2);
	second = kit_good("01", 0, PKI_DAY);
	kit_answer(second);
	kit_expect(kit_ask("01"), second, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect_eq(counter_sum(METRIC_REFRESHES, kit.issuer->slot, LABEL_OUTCOME_OK, 0), 1);
	kit_close();
}

Test(exchange_refresh, CL_08_ending_refreshes_first)
{
	struct slice first, second;
	struct connection *client;

	kit_open();
	first = kit_store("01", 0, 1000);
	stage_pass(800 * 1000);
	client = kit_ask("01");
	cr_expect_eq(stage_answers(client), 0);
	/* whoever comes meanwhile does not wait, too */
	kit_expect(kit_ask("01"), first, KIT_HIT(200));
	cr_expect_eq(stage_upstream.n_requests, 2);
	second = kit_good("01", 0, PKI_DAY);
	kit_answer(second);
	kit_expect(client, second, KIT_REFRESHED);
	kit_close();
}

Test(exchange_refresh, CL_08_CL_18_ending_falls_back_until_the_end)
{
	struct slice response;
	struct connection *client;

	kit_open();
	response = kit_store("01", 0, 1000);
	stage_pass(800 * 1000);
	client = kit_ask("01");
	stage_answer_http(1, 500);
	stage_pass(0);
	kit_expect(client, response, KIT_HIT(200));
	kit_expect(kit_ask("01"), response, KIT_HIT(200));
	cr_expect_eq(stage_upstream.n_requests, 2, "not again with every client");
	stage_pass(5 * 1000);
	client = kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 3, "but soon");
	stage_pass(5 * 1000); /* attempt_timeout */
	kit_expect(client, response, KIT_HIT(190));
	kit_close();
}

Test(exchange_refresh, CL_08_deadline_falls_back_too)
{
	struct slice response;
	struct connection *client;

	kit_prepare();
	kit.policy.ms_attempt = 60000;
	kit_start();
	response = kit_store("01", 0, 1000);
	stage_pass(800 * 1000);
	client = kit_ask("01");
	stage_pass(8000);
	kit_expect(client, response, KIT_HIT(192));
	kit_close();
}
