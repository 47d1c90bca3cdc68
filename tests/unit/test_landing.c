/* SPDX-License-Identifier: ISC */
/* What is kept, what gives way, and for how long failures are repeated. */
#include "relay/landing.h"

#include "relay_kit.h"

static struct slice signed_as(enum cert_status status, int64_t from, int64_t until)
{
	return kit_signed(&(struct pki_single){.serial = "01",
					       .status = status,
					       .this_update = clock_wall() + from,
					       .next_update = clock_wall() + until,
					       .revoked_at = PKI_NOW - PKI_DAY},
			  1, NO_EXTS);
}

/* A client asks anew (HS-25), and this is what the responder says. */
static struct connection *refresh_with(struct slice body)
{
	struct connection *client;

	stage_pass(61 * 1000);
	client = kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
	cr_assert_eq(stage_answers(client), 0);
	kit_answer(body);
	return client;
}

static struct connection *first_answer(struct slice body)
{
	struct connection *client = kit_ask("01");

	kit_answer(body);
	return client;
}

/* --- what may take the place of what ---------------------------------------------------------- */

Test(landing, CL_16_older_answer_is_refused)
{
	struct slice revoked;

	kit_open();
	revoked = signed_as(CERT_REVOKED, -10, 7 * PKI_DAY);
	kit_expect(first_answer(revoked), revoked, KIT_MISS);
	kit_expect(refresh_with(signed_as(CERT_GOOD, -3600, 7 * PKI_DAY)), revoked,
		   "ocsprelay; fwd=stale; fwd-status=200");
	cr_expect_eq(counter_sum(METRIC_ROLLBACKS_REFUSED, kit.issuer->slot, 0, 0), 1);
	cr_expect_eq(kit.n_events[EVENT_ROLLBACK_REFUSED], 1);
	cr_expect_eq(stage_stores.n_puts, 1);
	cr_expect(slice_eq(stage_body(kit_ask("01")), revoked));
	kit_close();
}

Test(landing, CL_16_older_answer_for_somebody_alone_is_refused_too)
{
	struct slice revoked;
	struct connection *client;

	kit_open();
	revoked = signed_as(CERT_REVOKED, -10, 7 * PKI_DAY);
	first_answer(revoked);
	client = kit_post(kit_about("01", kit_nonce("0102030405060708")), 0);
	kit_answer(signed_as(CERT_GOOD, -3600, 7 * PKI_DAY)); /* without the nonce */
	cr_expect(slice_eq(stage_body(client), revoked));
	kit_close();
}

Test(landing, CL_16_ended_answer_does_not_stand_in_the_way)
{
	struct slice good;

	kit_open();
	first_answer(signed_as(CERT_REVOKED, -10, 1000));
	stage_pass(1000 * 1000);
	good = signed_as(CERT_GOOD, -3600, 7 * PKI_DAY);
	kit_expect(first_answer(good), good, KIT_MISS);
	kit_close();
}

Test(landing, CL_17_newer_good_after_revoked)
{
	struct slice good;

	kit_open();
	first_answer(signed_as(CERT_REVOKED, -3600, 7 * PKI_DAY));
	stage_pass(1000);
	good = signed_as(CERT_GOOD, -60, 7 * PKI_DAY);
	kit_expect(refresh_with(good), good, KIT_REFRESHED);
	cr_expect_eq(kit.n_events[EVENT_STATUS_CHANGED], 1);
	cr_expect_eq(
	    counter_sum(METRIC_STATUS_CHANGES, kit.issuer->slot, LABEL_FROM_REVOKED, LABEL_TO_GOOD),
	    1);
	kit_close();
}

Test(landing, CL_16_same_times_signed_anew_are_taken)
{
	struct slice second;

	kit_open();
	second = signed_as(CERT_GOOD, 0, PKI_DAY);
	first_answer(signed_as(CERT_GOOD, 0, PKI_DAY));
	kit_expect(refresh_with(second), second, KIT_REFRESHED);
	cr_expect_eq(kit.n_events[EVENT_STATUS_CHANGED], 0);
	kit_close();
}

/* --- what is kept ----------------------------------------------------------------------------- */

static void expect_not_kept(struct slice response)
{
	struct connection *one = kit_ask("01"), *two = kit_ask("01");
	size_t n = stage_upstream.n_requests;

	kit_answer(response);
	kit_expect(one, response, "ocsprelay; fwd=miss; fwd-status=200");
	kit_expect(two, response, "ocsprelay; fwd=miss; fwd-status=200; collapsed");
	cr_expect_str_eq(stage_field(one, "Cache-Control"),
			 "max-age=0, no-transform, must-revalidate");
	cr_expect_str_eq(stage_field(one, "Expires"), "");
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, n + 1);
	kit_refuse(500);
	stage_pass(5000);
	cr_expect_eq(stage_stores.n_puts, 0);
}

Test(landing, CL_04_VS_23_delivered_to_all_who_wait_and_not_kept)
{
	const struct pki_single endless = {
	    .serial = "01", .this_update = PKI_NOW, .next_update = -1};

	kit_open();
	expect_not_kept(kit_signed(&endless, 1, NO_EXTS));
	expect_not_kept(
	    kit_signed(&(struct pki_single){.serial = "01"}, 1, kit_nonce("0102030405060708")));
	kit_close();
}

Test(landing, CL_04_no_next_update_ttl)
{
	const struct pki_single endless = {
	    .serial = "01", .this_update = PKI_NOW, .next_update = -1};
	struct slice response;
	struct connection *client;

	kit_prepare();
	kit.policy.no_next_update_ttl = 200;
	kit_start();
	response = kit_signed(&endless, 1, NO_EXTS);
	first_answer(response);
	stage_pass(199 * 1000);
	client = kit_ask("01");
	kit_expect(client, response, "ocsprelay; hit; detail=l1");
	cr_expect_str_eq(stage_field(client, "Cache-Control"),
			 "max-age=0, no-transform, must-revalidate");
	stage_pass(1000);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(landing, CL_11_no_store_of_the_responder)
{
	struct slice response;
	struct connection *client;

	kit_open();
	client = kit_ask("01");
	response = kit_good("01", 0, PKI_DAY);
	kit_end(&(struct upstream_answer){
	    .http_status = 200, .body = response, .hints.flags = HINT_NO_STORE});
	kit_expect(client, response, "ocsprelay; fwd=miss; fwd-status=200");
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(landing, CL_10_max_age_of_the_responder_brings_the_refresh_forward)
{
	struct slice response;

	kit_open();
	kit_ask("01");
	response = kit_good("01", 0, PKI_DAY);
	kit_end(&(struct upstream_answer){.http_status = 200,
					  .body = response,
					  .hints = {.flags = HINT_MAX_AGE, .max_age = 600}});
	stage_pass(599 * 1000);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(1000);
	kit_expect(kit_ask("01"), response, KIT_HIT(85800));
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(landing, CL_13_unknown_is_asked_again_after_a_while)
{
	kit_open();
	first_answer(signed_as(CERT_UNKNOWN, 0, PKI_DAY));
	stage_pass(299 * 1000);
	cr_expect_eq(stage_status(kit_ask("01")), 200);
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(1000);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(landing, what_is_too_large_for_memory_is_in_the_stores)
{
	struct slice response;
	struct connection *client;

	kit_prepare();
	kit.settings.cache.memory = 1 << 20;
	kit.settings.limits.max_upstream_response = 4 << 20;
	kit_start();
	client = kit_ask("01");
	response = kit_signed(&(struct pki_single){.serial = "01"}, 1,
			      kit_ext("2a03", false, build_fill(1, 2 << 20)));
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	kit_expect(kit_ask("01"), response, KIT_HIT_DISK(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

/* --- retries of refreshes (CL-07, CL-08) ------------------------------------------------------ */

/* The time, from now on, after which what is in use is refreshed again. */
static int64_t seconds_to_next_refresh(void)
{
	const size_t n = stage_upstream.n_requests;
	int64_t seconds = 0;

	while (stage_upstream.n_requests == n) {
		cr_assert_eq(stage_answers(kit_ask("01")), 1);
		cr_assert_lt(seconds, PKI_DAY);
		stage_pass(1000);
		seconds++;
		kit_ask("01");
	}
	return seconds;
}

Test(landing, CL_07_failed_refresh_waits_a_tenth_of_what_is_left)
{
	kit_open();
	first_answer(kit_good("01", 0, PKI_DAY));
	stage_pass(43200 * 1000);
	kit_ask("01");
	kit_tick();
	kit_answer(UNAUTHORIZED);
	cr_expect_eq(seconds_to_next_refresh(), 4320);
	kit_close();
}

Test(landing, CL_07_refresh_of_the_same_octets_waits_as_well)
{
	struct slice response;

	kit_open();
	response = kit_good("01", 0, PKI_DAY);
	first_answer(response);
	stage_pass(43200 * 1000);
	kit_ask("01");
	kit_tick();
	kit_answer(response);
	cr_expect_eq(seconds_to_next_refresh(), 4320);
	kit_close();
}

Test(landing, CL_07_CL_16_refused_refresh_waits_as_well)
{
	kit_open();
	first_answer(kit_good("01", 0, PKI_DAY));
	stage_pass(43200 * 1000);
	kit_ask("01");
	kit_tick();
	kit_answer(kit_good("01", -50000, PKI_DAY));
	cr_expect_eq(seconds_to_next_refresh(), 4320);
	kit_close();
}

Test(landing, CL_07_no_sooner_than_300_seconds)
{
	kit_open();
	first_answer(kit_good("01", 0, 2000));
	stage_pass(1000 * 1000);
	kit_ask("01");
	kit_tick();
	kit_answer(UNAUTHORIZED);
	cr_expect_eq(seconds_to_next_refresh(), 300);
	kit_close();
}

Test(landing, CL_08_from_expiry_margin_on_it_is_tried_again_soon)
{
	kit_open();
	first_answer(kit_good("01", 0, 2000));
	stage_pass(1600 * 1000);
	kit_ask("01");
	kit_tick();
	kit_answer(UNAUTHORIZED);
	cr_expect_eq(seconds_to_next_refresh(), 100, "when the margin begins");
	kit_answer(UNAUTHORIZED);
	cr_expect_eq(seconds_to_next_refresh(), 5, "neg_ttl_error");
	kit_close();
}

Test(landing, CL_08_same_octets_within_expiry_margin)
{
	struct slice response;

	kit_open();
	response = kit_good("01", 0, 1000);
	first_answer(response);
	stage_pass(800 * 1000);
	kit_ask("01");
	kit_answer(response);
	cr_expect_eq(seconds_to_next_refresh(), 60, "min_refresh_interval");
	kit_close();
}

Test(landing, CL_08_CL_16_refused_within_expiry_margin)
{
	kit_open();
	first_answer(kit_good("01", 0, 1000));
	stage_pass(800 * 1000);
	kit_ask("01");
	kit_answer(kit_good("01", -1000, 1000));
	cr_expect_eq(seconds_to_next_refresh(), 5);
	kit_close();
}

Test(landing, CL_18_F4_an_outage_of_a_day_hides_nothing_that_is_valid)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	for (int64_t s = 0; s < PKI_DAY; s += 60) {
		struct connection *client = kit_ask("01");

		stage_pass(60 * 1000); /* responders are silent */
		cr_assert_eq(stage_answers(client), 1);
		cr_assert(slice_eq(stage_body(client), response), "after %d s", (int)s);
	}
	/* from the half on, one probe in ten seconds at most */
	cr_expect_lt(stage_upstream.n_requests, PKI_DAY / 2 / 10 + 60);
	cr_expect_eq(stage_answers(kit_ask("01")), 0, "CL-02");
	stage_pass(8000);
	kit_close();
}

Test(landing, CL_02_answer_that_ends_during_its_refresh)
{
	struct connection *client;

	kit_open();
	kit_store("01", 0, 1000);
	stage_pass(997 * 1000);
	client = kit_ask("01");
	stage_pass(5000); /* attempt_timeout */
	kit_expect(client, TRY_LATER, "ocsprelay; fwd=stale; detail=upstream-unreachable");
	kit_expect(kit_ask("01"), TRY_LATER, KIT_NEGATIVE);
	kit_close();
}

/* --- failures (CL-19) ------------------------------------------------------------------------- */

static const struct failure {
	const char *rule;
	struct upstream_answer end;
	enum ocsp_status body; /* of the answer, if it has one */
	unsigned n_requests;
	enum ocsp_status told;
	int64_t seconds;
} failures[] = {
    {"EM-17", {.http_status = 200}, OCSP_UNAUTHORIZED, 1, OCSP_UNAUTHORIZED, 60},
    {"EM-16", {.http_status = 200}, OCSP_SIG_REQUIRED, 1, OCSP_SIG_REQUIRED, 300},
    {"EM-14", {.http_status = 400}, OCSP_MALFORMED_REQUEST, 2, OCSP_MALFORMED_REQUEST, 30},
    {"EM-15", {.http_status = 200}, OCSP_TRY_LATER, 1, OCSP_TRY_LATER, 5},
    {"EM-15", {.http_status = 200}, OCSP_INTERNAL_ERROR, 1, OCSP_INTERNAL_ERROR, 5},
    {"EM-09", {.err = ERR_UP_UNREACHABLE}, OCSP_NONE, 1, OCSP_TRY_LATER, 5},
    {"EM-09", {.err = ERR_UP_TIMEOUT}, OCSP_NONE, 1, OCSP_TRY_LATER, 5},
    {"EM-11", {.err = ERR_UP_HTTP, .http_status = 500}, OCSP_NONE, 1, OCSP_TRY_LATER, 5},
    {"EM-12", {.http_status = 200}, OCSP_NONE, 1, OCSP_INTERNAL_ERROR, 5},
};

static void play_failure(const struct failure *failure, const char *serial)
{
	const size_t n = stage_upstream.n_requests;
	struct slice told = response_error(failure->told);
	struct upstream_answer end = failure->end;
	struct connection *client = kit_ask(serial);

	if (failure->body != OCSP_NONE)
		end.body = response_error(failure->body);
	for (unsigned i = 0; i < failure->n_requests; i++)
		kit_end(&end);
	cr_expect(slice_eq(stage_body(client), told), "%s", failure->rule);
	cr_expect_eq(stage_upstream.n_requests, n + failure->n_requests, "%s", failure->rule);
	stage_pass((failure->seconds - 1) * 1000);
	kit_expect(kit_send(kit_about(serial, NO_EXTS), 0), told, KIT_NEGATIVE);
	cr_expect_eq(stage_upstream.n_requests, n + failure->n_requests, "%s", failure->rule);
	stage_pass(1000);
	kit_ask(serial);
	cr_expect_eq(stage_upstream.n_requests, n + failure->n_requests + 1, "%s", failure->rule);
	kit_refuse(500);
}

Test(landing, CL_19_failures_are_repeated_for_a_while)
{
	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(failures); i++)
		play_failure(&failures[i], kit_serial(i));
	kit_close();
}

Test(landing, CL_19_off)
{
	kit_prepare();
	kit.policy.neg_ttl_error = kit.policy.neg_ttl_unauthorized = 0;
	kit_start();
	for (size_t n = 1; n < 4; n++) {
		kit_ask("01");
		cr_expect_eq(stage_upstream.n_requests, n);
		kit_answer(n == 2 ? UNAUTHORIZED : TRY_LATER);
	}
	kit_close();
}

Test(landing, CL_19_HC_14_retry_after_lengthens)
{
	kit_open();
	kit_ask("01");
	kit_end(
	    &(struct upstream_answer){.err = ERR_UP_HTTP, .http_status = 503, .retry_after = 200});
	stage_pass(199 * 1000);
	kit_expect(kit_ask("01"), TRY_LATER, KIT_NEGATIVE);
	stage_pass(1000);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(landing, CL_19_success_forgets_the_failure)
{
	struct cache_key key;

	kit_open();
	kit_key("01", &key);
	kit_ask("01");
	kit_answer(UNAUTHORIZED);
	cr_expect_eq(negative_count(kit.common.negative), 1);
	kit_post(kit_about("01", kit_nonce("0102030405060708")), 0);
	kit_answer(kit_good("01", 0, PKI_DAY)); /* no nonce in it, so it is kept */
	cr_expect_eq(negative_get(kit.common.negative, key_bytes(&key), clock_mono_ms()), OK);
	kit_close();
}
