/* SPDX-License-Identifier: ISC */
/* Back and front threads: notices that they obey, and what they hold meanwhile. */
#include "relay/back.h"

#include "relay/front.h"
#include "relay_kit.h"

/* The kit's settings, issuers and policy as they are now become the rules of all threads. */
static void reload(const struct settings *settings)
{
	struct issuers *issuers = kit_issuers();
	struct rules *rules = rules_new(settings, issuers);

	cr_assert_eq(mailbox_post(kit.front->notices, &notice_new(NOTICE_RULES, rules)->message),
		     OK);
	cr_assert_eq(mailbox_post(kit.backs[0]->notices, &notice_new(NOTICE_RULES, rules)->message),
		     OK);
	stage_pass(0);
	rules_unref(kit.rules);
	issuers_unref(kit.issuers);
	kit.rules = rules;
	kit.issuers = issuers;
}

Test(back, reload_brings_the_old_rules_home)
{
	kit_open();
	reload(&kit.settings);
	cr_expect_eq(kit.n_notices, 2);
	cr_expect_eq(atomic_load(&kit.rules->n_refs), 3);
	kit_close();
}

Test(back, flight_ends_with_the_issuer_that_it_began_with)
{
	struct connection *before, *after;
	struct slice response;

	kit_open();
	before = kit_ask("01");
	kit.urls[0] = KIT_URL(2);
	reload(&kit.settings);
	/* nobody but the ask holds the old issuers now; this one joins its flight */
	after = kit_ask("01");
	kit_refuse(405);
	cr_expect_str_eq(stage_upstream.requests[1].url, KIT_URL(1));
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(before, response, KIT_MISS);
	kit_expect(after, response, KIT_COLLAPSED);
	kit_ask("02");
	cr_expect_str_eq(stage_upstream.requests[2].url, KIT_URL(2));
	kit_close();
}

Test(back, client_that_waits_over_a_reload_and_leaves)
{
	struct connection *client;

	kit_open();
	client = kit_ask("01");
	reload(&kit.settings);
	stage_hang_up(client);
	reload(&kit.settings);
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_str_eq(stage_field(kit_ask("01"), "Cache-Status"), KIT_HIT(86400));
	kit_close();
}

Test(back, reload_while_a_flight_is_at_the_gate)
{
	struct connection *clients[3];

	kit_prepare();
	kit.policy.max_inflight = 1;
	kit_start();
	for (unsigned i = 0; i < 3; i++)
		clients[i] = kit_ask(kit_serial(i));
	kit.policy.max_inflight = 2;
	reload(&kit.settings);
	cr_expect_eq(stage_upstream.n_requests, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct slice response = kit_good(kit_serial(i), 0, PKI_DAY);

		stage_answer_ok(i, response);
		stage_pass(0);
		kit_expect(clients[i], response, KIT_MISS);
	}
	kit_close();
}

Test(back, new_limits_count_from_the_reload_on)
{
	static struct settings settings;

	kit_open();
	settings = kit.settings;
	settings.limits.max_waiters = 1;
	settings.limits.max_extensions = 1;
	kit_ask("01");
	reload(&settings);
	cr_expect_eq(stage_limits(kit.front->server), &settings.limits);
	kit_expect(kit_ask("01"), TRY_LATER, "");
	kit_expect(kit_post(kit_about("01", CAT(kit_ext("2a03", false, EMPTY),
						kit_ext("2a04", false, EMPTY))),
			    0),
		   MALFORMED_REQUEST, "");
	kit_close();
}

Test(front, EM_25_drain_ends_when_every_client_is_answered)
{
	struct connection *client;
	struct slice response;

	kit_open();
	client = kit_ask("01");
	cr_assert_eq(mailbox_post(kit.front->notices, &notice_new(NOTICE_DRAIN, NULL)->message),
		     OK);
	stage_pass(1000);
	cr_expect_eq(kit.n_notices, 0);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	cr_expect(stage_is_closed(client));
	cr_expect_eq(kit.n_notices, 1);
	kit_close();
}

Test(front, HS_20_date_is_that_of_the_answer)
{
	char first[64];

	kit_open();
	kit_store("01", 0, PKI_DAY);
	snprintf(first, sizeof(first), "%s", stage_field(kit_ask("01"), "Date"));
	cr_expect_str_eq(first, "Thu, 01 Jan 2026 00:00:00 GMT");
	stage_pass(61 * 1000);
	cr_expect_str_eq(stage_field(kit_ask("01"), "Date"), "Thu, 01 Jan 2026 00:01:01 GMT");
	kit_close();
}

Test(back, threads_without_memory_are_not_made)
{
	kit_open();
	stage.has_no_memory = true;
	cr_expect_null(back_new(&kit.common, kit.rules));
	cr_expect_null(front_new(&kit.common, kit.rules));
	stage.has_no_memory = false;
	kit_close();
}
