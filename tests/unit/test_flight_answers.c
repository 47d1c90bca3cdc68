/* SPDX-License-Identifier: ISC */
/* Answers that count for more than the question: under other keys (NK-07, NK-08), and those that
 * only say that nothing is new (HC-04, CL-20). */
#include "relay/flight.h"

#include "relay_kit.h"

#define ETAG "\"5f2a\""

static struct connection *ask_as(const char *serial, enum hash_alg alg)
{
	const struct slice certid = kit_certid(kit.ca, serial, alg);

	return kit_post(kit_request(&certid, 1, NO_EXTS), 0);
}

static struct pki_single single_as(const char *hash, enum cert_status status)
{
	return (struct pki_single){.serial = "01",
				   .hash = hash,
				   .status = status,
				   .revoked_at = PKI_NOW - PKI_DAY,
				   .this_update = clock_wall(),
				   .next_update = clock_wall() + PKI_DAY};
}

/* --- other keys ------------------------------------------------------------------------------- */

Test(flight_answers, NK_07_response_with_two_certids_answers_both)
{
	struct connection *client;
	struct slice both;

	kit_open();
	both = kit_signed(
	    (struct pki_single[]){single_as("sha1", CERT_GOOD), single_as("sha256", CERT_GOOD)}, 2,
	    NO_EXTS);
	client = ask_as("01", HASH_SHA1);
	kit_answer(both);
	kit_expect(client, both, KIT_MISS);
	kit_expect(ask_as("01", HASH_SHA256), both, KIT_HIT(86400));
	kit_expect(ask_as("01", HASH_SHA1), both, KIT_HIT(86400));
	cr_expect_eq(stage_stores.n_puts, 2);
	ask_as("01", HASH_SHA384);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(flight_answers, NK_08_other_hash_is_kept_under_its_own_key_and_the_asked_one)
{
	struct connection *client;
	struct slice sha1;

	kit_open();
	client = ask_as("01", HASH_SHA1);
	kit_refuse(500);
	kit_expect(client, TRY_LATER, "ocsprelay; fwd=miss; fwd-status=500");
	sha1 = kit_signed((struct pki_single[]){single_as("sha1", CERT_GOOD)}, 1, NO_EXTS);
	client = ask_as("01", HASH_SHA256);
	kit_answer(sha1);
	kit_expect(client, sha1, KIT_MISS);
	kit_expect(ask_as("01", HASH_SHA256), sha1, KIT_HIT(86400));
	kit_expect(ask_as("01", HASH_SHA1), sha1, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(flight_answers, NK_07_CL_16_each_key_protects_its_own_past)
{
	struct slice revoked, older;
	struct connection *client;
	struct pki_single singles[2];

	kit_open();
	revoked = kit_signed((struct pki_single[]){single_as("sha256", CERT_REVOKED)}, 1, NO_EXTS);
	client = ask_as("01", HASH_SHA256);
	kit_answer(revoked);
	kit_expect(client, revoked, KIT_MISS);
	singles[0] = single_as("sha1", CERT_GOOD);
	singles[1] = single_as("sha256", CERT_GOOD);
	singles[0].this_update = singles[1].this_update -= 3600;
	older = kit_signed(singles, 2, NO_EXTS);
	client = ask_as("01", HASH_SHA1);
	kit_answer(older);
	kit_expect(ask_as("01", HASH_SHA256), revoked, KIT_HIT(86400));
	kit_close();
}

Test(flight_answers, NK_07_what_may_not_be_kept_is_kept_under_no_key)
{
	struct connection *client;
	struct slice both;
	struct pki_single singles[2];

	kit_open();
	singles[0] = single_as("sha1", CERT_GOOD);
	singles[1] = single_as("sha256", CERT_GOOD);
	singles[0].next_update = singles[1].next_update = -1;
	both = kit_signed(singles, 2, NO_EXTS);
	client = ask_as("01", HASH_SHA1);
	kit_answer(both);
	cr_expect(slice_eq(stage_body(client), both));
	ask_as("01", HASH_SHA256);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

/* --- not modified ----------------------------------------------------------------------------- */

static const struct stage_request *last_request(void)
{
	return &stage_upstream.requests[stage_upstream.n_requests - 1];
}

static struct slice store_with_etag(int64_t until)
{
	struct slice response = kit_good("01", 0, until);

	kit_ask("01");
	kit_end(&(struct upstream_answer){.http_status = 200, .body = response, .etag = ETAG});
	return response;
}

static void answer_304(void)
{
	kit_end(&(struct upstream_answer){.err = ERR_UP_REDIRECT, .http_status = 304});
}

/* A hit that is due for a refresh starts one behind itself. */
static void start_refresh(void)
{
	stage_pass(12 * 3600 * 1000);
	kit_ask("01");
}

Test(flight_answers, HC_04_CL_20_not_modified_moves_the_refresh_and_nothing_else)
{
	struct slice response;

	kit_open();
	response = store_with_etag(2 * PKI_DAY);
	start_refresh();
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(last_request()->etag, ETAG);
	cr_expect_not(last_request()->post);
	answer_304();
	cr_expect_eq(counter_sum(METRIC_REFRESHES, kit.issuer->slot, LABEL_OUTCOME_OK, 0), 1);
	kit_expect(kit_ask("01"), response, KIT_HIT(129600));
	cr_expect_eq(stage_upstream.n_requests, 2, "refreshed just now");
	start_refresh(); /* conditional again, by what the one before confirmed */
	cr_expect_str_eq(last_request()->etag, ETAG);
	answer_304();
	stage_pass(PKI_DAY * 1000);
	kit_ask("01");
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

Test(flight_answers, CL_20_not_modified_does_not_outlive_the_end)
{
	struct connection *client;

	kit_prepare();
	kit.policy.expiry_margin = 0;
	kit_start();
	store_with_etag(PKI_DAY);
	stage_pass((PKI_DAY - 1) * 1000);
	kit_ask("01");
	cr_expect_str_eq(last_request()->etag, ETAG);
	stage_pass(1000);
	answer_304();
	client = kit_ask("01");
	cr_expect_eq(stage_answers(client), 0);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

Test(flight_answers, HC_04_last_margin_is_unconditional)
{
	kit_open();
	store_with_etag(1000);
	stage_pass(800 * 1000);
	kit_ask("01");
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

Test(flight_answers, HC_04_etag_is_for_the_responder_that_gave_it)
{
	kit_prepare();
	kit.urls[1] = KIT_URL(2);
	kit_start();
	store_with_etag(2 * PKI_DAY);
	start_refresh();
	cr_expect_str_eq(last_request()->etag, ETAG);
	kit_refuse(500);
	cr_assert_eq(stage_upstream.n_requests, 3);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}

/* Whoever says so unasked has not answered. */
Test(flight_answers, HC_04_EM_11_not_modified_without_a_condition_is_a_failure)
{
	struct connection *client;

	kit_open();
	client = kit_ask("01");
	answer_304();
	cr_expect(slice_eq(stage_body(client), TRY_LATER));
	kit_close();
}

/* A client that says no-cache wants the octets. */
Test(flight_answers, HC_04_HS_25_no_cache_is_unconditional)
{
	kit_open();
	store_with_etag(2 * PKI_DAY);
	stage_pass(61 * 1000);
	kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
	cr_assert_eq(stage_upstream.n_requests, 2);
	cr_expect_str_eq(last_request()->etag, "");
	kit_close();
}
