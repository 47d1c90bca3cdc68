/* SPDX-License-Identifier: ISC */
/* Requests whose answer is for them alone: nonces (section 7), several certificates, and extensions
 * that ask for something else. */
#include "relay/exchange.h"

#include "relay_kit.h"

#define NONCE	    "000102030405060708090a0b0c0d0e0f"
#define OTHER_NONCE "f00102030405060708090a0b0c0d0e0f"
#define BYPASS	    "ocsprelay; fwd=bypass; fwd-status=200"
#define NOT_REUSED  "max-age=0, no-transform, must-revalidate"

static struct connection *ask_nonce(const char *hex)
{
	return kit_post(kit_about("01", kit_nonce(hex)), 0);
}

static struct slice good_with(struct slice exts)
{
	return kit_signed(&(struct pki_single){.serial = "01",
					       .this_update = clock_wall(),
					       .next_update = clock_wall() + PKI_DAY},
			  1, exts);
}

static void open_with_policy(enum nonce_policy policy)
{
	kit_prepare();
	kit.policy.nonce = policy;
	kit_start();
}

static const struct stage_request *last_request(void)
{
	cr_assert_gt(stage_upstream.n_requests, 0);
	return &stage_upstream.requests[stage_upstream.n_requests - 1];
}

/* --- nonces ----------------------------------------------------------------------------------- */

Test(exchange_alone, NO_04_NO_09_echoed_nonce_is_delivered_and_not_kept)
{
	kit_open();
	kit_store("01", 0, PKI_DAY);
	for (size_t n = 2; n < 4; n++) {
		struct connection *client = ask_nonce(NONCE);
		struct slice response = good_with(kit_nonce(NONCE));

		cr_expect_eq(stage_upstream.n_requests, n);
		cr_expect(last_request()->post);
		cr_expect(slice_eq(last_request()->der, kit_about("01", kit_nonce(NONCE))));
		kit_answer(response);
		kit_expect(client, response, BYPASS "; detail=nonce");
		cr_expect_str_eq(stage_field(client, "Cache-Control"), NOT_REUSED);
		cr_expect_str_eq(stage_field(client, "Expires"), "");
	}
	cr_expect_eq(stage_stores.n_puts, 1);
	cr_expect_str_eq(stage_field(kit_ask("01"), "Cache-Status"), KIT_HIT(86400));
	kit_close();
}

Test(exchange_alone, NO_04_responder_without_nonces_is_remembered_for_an_hour)
{
	struct connection *client;
	struct slice response;

	kit_open();
	client = ask_nonce(NONCE);
	response = good_with(NO_EXTS);
	kit_answer(response);
	kit_expect(client, response, BYPASS "; stored; detail=nonce");
	kit_expect(ask_nonce(OTHER_NONCE), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(3599 * 1000);
	kit_expect(ask_nonce(NONCE), response, KIT_HIT(82801));
	stage_pass(1000);
	ask_nonce(NONCE);
	cr_expect_eq(stage_upstream.n_requests, 2);
	cr_expect(slice_eq(last_request()->der, kit_about("01", kit_nonce(NONCE))));
	kit_close();
}

Test(exchange_alone, NO_05_wrong_nonce_is_refused)
{
	struct connection *client;

	kit_open();
	client = ask_nonce(NONCE);
	kit_answer(good_with(kit_nonce(OTHER_NONCE)));
	kit_expect(client, INTERNAL_ERROR,
		   "ocsprelay; fwd=bypass; fwd-status=200; detail=invalid-upstream");
	cr_expect_eq(counter_sum(METRIC_VERIFY_FAILURES, kit.issuer->slot, ERR_RSP_NONCE, 0), 1);
	cr_expect_eq(negative_count(kit.common.negative), 0, "it was for this client only");
	kit_close();
}

Test(exchange_alone, NO_05_NO_06_copy_at_hand_serves_instead)
{
	struct slice response;
	struct connection *client;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	client = ask_nonce(NONCE);
	kit_answer(good_with(kit_nonce(OTHER_NONCE)));
	kit_expect(client, response, "ocsprelay; hit; ttl=86400; detail=nonce-fallback");
	client = ask_nonce(NONCE);
	kit_refuse(500);
	kit_expect(client, response, "ocsprelay; hit; ttl=86400; detail=nonce-fallback");
	client = ask_nonce(NONCE);
	stage_pass(5000);
	kit_expect(client, response, "ocsprelay; hit; ttl=86395; detail=nonce-fallback");
	kit_close();
}

Test(exchange_alone, NO_03_extension_is_forwarded_as_it_is)
{
	struct slice raw = kit_ext("2b0601050507300102", true, HEX("0102030405060708"));

	kit_open();
	kit_post(kit_about("01", CAT(raw, kit_ext("2a03", false, EMPTY))), 0);
	cr_expect(slice_eq(last_request()->der, kit_about("01", raw)));
	kit_close();
}

Test(exchange_alone, NO_02_short_and_long_nonces)
{
	struct slice value = build_fill(0x55, 128);

	kit_open();
	ask_nonce("01");
	cr_expect(slice_eq(last_request()->der, kit_about("01", kit_nonce("01"))));
	value = kit_about("01", kit_ext("2b0601050507300102", false, TLV(0x04, value)));
	kit_post(value, 0);
	cr_expect(slice_eq(last_request()->der, value));
	kit_close();
}

Test(exchange_alone, NO_04_two_nonces_do_not_share_a_flight)
{
	kit_open();
	kit_ask("01");
	ask_nonce(NONCE);
	ask_nonce(OTHER_NONCE);
	cr_expect_eq(stage_upstream.n_requests, 3);
	kit_answer(good_with(kit_nonce(OTHER_NONCE)));
	kit_ask("01"); /* joins the first one all the same */
	cr_expect_eq(stage_upstream.n_requests, 3);
	kit_close();
}

Test(exchange_alone, nonce_ignore)
{
	struct connection *client;
	struct slice response;

	open_with_policy(NONCE_IGNORE);
	client = ask_nonce(NONCE);
	cr_expect(slice_eq(last_request()->der, kit_about("01", NO_EXTS)));
	response = good_with(NO_EXTS);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	kit_expect(ask_nonce(NONCE), response, KIT_HIT(86400));
	kit_close();
}

/* What a client with a nonce sets off, but does not wait for, is asked for all. */
Test(exchange_alone, NO_08_refreshes_have_no_nonce)
{
	struct slice response;

	kit_prepare();
	kit.policy.nonce = NONCE_IGNORE;
	kit_start();
	response = kit_store("01", 0, PKI_DAY);
	stage_pass(12 * 3600 * 1000);
	kit_expect(ask_nonce(NONCE), response, KIT_HIT(43200));
	kit_tick();
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect(slice_eq(last_request()->der, kit_about("01", NO_EXTS)));
	kit_answer(kit_good("01", 0, PKI_DAY));
	kit_close();
}

Test(exchange_alone, nonce_forward)
{
	open_with_policy(NONCE_FORWARD);
	for (size_t n = 1; n < 4; n++) {
		ask_nonce(NONCE);
		cr_expect_eq(stage_upstream.n_requests, n);
		kit_answer(good_with(NO_EXTS));
	}
	kit_close();
}

Test(exchange_alone, nonce_reject)
{
	open_with_policy(NONCE_REJECT);
	kit_store("01", 0, PKI_DAY);
	kit_expect(ask_nonce(NONCE), MALFORMED_REQUEST, "");
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(exchange_alone, NO_07_nonces_are_forwarded_at_a_pace)
{
	struct slice response;
	unsigned n_hits = 0;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	for (unsigned i = 0; i < 1000; i++) {
		struct connection *client = ask_nonce(NONCE);

		if (stage_answers(client) > 0) {
			kit_expect(client, response, KIT_HIT(86400));
			n_hits++;
		}
	}
	cr_expect_eq(n_hits, 980, "burst of 20");
	cr_expect_eq(stage_upstream.n_requests, 21);
	for (size_t i = 1; i < 21; i++)
		stage_answer_ok(i, good_with(kit_nonce(NONCE)));
	for (unsigned i = 0; i < 100; i++) {
		stage_pass(10);
		ask_nonce(NONCE);
	}
	cr_expect_eq(stage_upstream.n_requests, 31, "10 a second");
	kit_close();
}

/* --- other requests --------------------------------------------------------------------------- */

static struct slice about_two(void)
{
	return kit_request(
	    PARTS(kit_certid(kit.ca, "01", HASH_SHA1), kit_certid(kit.ca, "02", HASH_SHA1)),
	    NO_EXTS);
}

/* Forwarded as it is, each time; its answer is not kept, and none that is kept is its answer. */
static void expect_bypass(struct slice der, struct slice response)
{
	kit_store("01", 0, PKI_DAY);
	for (size_t n = 2; n < 4; n++) {
		struct connection *client = kit_post(der, 0);

		cr_expect_eq(stage_answers(client), 0);
		cr_expect_eq(stage_upstream.n_requests, n);
		cr_expect(last_request()->post);
		cr_expect(slice_eq(last_request()->der, der));
		kit_answer(response);
		kit_expect(client, response, BYPASS "; detail=request");
		cr_expect_str_eq(stage_field(client, "Cache-Control"), NOT_REUSED);
	}
	cr_expect_eq(stage_stores.n_puts, 1);
}

Test(exchange_alone, RP_34_several_certids_go_alone_and_are_not_kept)
{
	kit_open();
	expect_bypass(about_two(),
		      kit_signed((struct pki_single[]){{.serial = "01", .this_update = PKI_NOW},
						       {.serial = "02", .this_update = PKI_NOW}},
				 2, NO_EXTS));
	kit_close();
}

Test(exchange_alone, RP_34_each_must_be_answered)
{
	struct connection *client;

	kit_open();
	client = kit_post(about_two(), 0);
	kit_answer(kit_good("01", 0, PKI_DAY));
	kit_expect(client, INTERNAL_ERROR,
		   "ocsprelay; fwd=bypass; fwd-status=200; detail=invalid-upstream");
	kit_close();
}

Test(exchange_alone, RP_40_critical_extension)
{
	kit_open();
	expect_bypass(kit_about("01", kit_ext("2a03", true, HEX("0500"))), good_with(NO_EXTS));
	kit_close();
}

Test(exchange_alone, RP_41_other_response_types)
{
	kit_open();
	expect_bypass(kit_about("01", kit_ext("2b0601050507300104", false, HEX("300406022a03"))),
		      good_with(NO_EXTS));
	kit_close();
}

Test(exchange_alone, RP_42_preferred_algorithms)
{
	kit_open();
	expect_bypass(kit_about("01", kit_ext("2b0601050507300108", false,
					      HEX("300e300c300a06082a8648ce3d040302"))),
		      good_with(NO_EXTS));
	kit_close();
}

Test(exchange_alone, RP_40_failure_does_not_fall_back_on_what_is_cached)
{
	struct connection *client;

	kit_open();
	kit_store("01", 0, PKI_DAY);
	client = kit_post(kit_about("01", kit_ext("2a03", true, EMPTY)), 0);
	kit_refuse(500);
	kit_expect(client, TRY_LATER, "ocsprelay; fwd=bypass; fwd-status=500");
	cr_expect_eq(negative_count(kit.common.negative), 0);
	kit_close();
}

Test(exchange_alone, RP_40_with_a_nonce)
{
	struct slice exts, der;
	struct connection *client;

	kit_open();
	exts = CAT(kit_nonce(NONCE), kit_ext("2a03", true, EMPTY));
	der = kit_about("01", exts);
	client = kit_post(der, 0);
	cr_expect(slice_eq(last_request()->der, der));
	kit_answer(good_with(kit_nonce(OTHER_NONCE)));
	cr_expect(slice_eq(stage_body(client), INTERNAL_ERROR), "NO-05");
	kit_close();
}

Test(exchange_alone, RP_40_unknown_extension_that_is_not_critical_changes_nothing)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	kit_expect(kit_post(kit_about("01", kit_ext("2a03", false, EMPTY)), 0), response,
		   KIT_HIT(86400));
	kit_close();
}

Test(exchange_alone, client_gone)
{
	kit_open();
	stage_hang_up(ask_nonce(NONCE));
	kit_answer(good_with(kit_nonce(NONCE)));
	stage_hang_up(kit_post(about_two(), 0));
	kit_close();
}
