/* SPDX-License-Identifier: ISC */
/* The first story: what a client gets, from its request to its answer. */
#include "relay/exchange.h"

#include "relay_kit.h"
#include "stage.h"
#include "stage_clients.h"
#include "stage_upstream.h"

/* --- hits ------------------------------------------------------------------------------------- */

Test(exchange, miss_then_hit_which_waits_for_nobody)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	kit_expect(kit_send(kit_about("01", NO_EXTS), 0), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	cr_expect_eq(
	    counter_sum(METRIC_REQUESTS, kit.issuer->slot, LABEL_METHOD_POST, LABEL_RESULT_MISS),
	    1);
	cr_expect_eq(
	    counter_sum(METRIC_REQUESTS, kit.issuer->slot, LABEL_METHOD_POST, LABEL_RESULT_HIT), 1);
	cr_expect_eq(counter_sum(METRIC_RESPONSES, kit.issuer->slot, LABEL_STATUS_GOOD, 0), 2);
	kit_close();
}

Test(exchange, NK_09_get_and_post_share_an_entry)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	kit_expect(kit_get(HTTP_GET, kit_about("01", NO_EXTS), EMPTY), response, KIT_HIT(86400));
	kit_expect(kit_get(HTTP_HEAD, kit_about("01", NO_EXTS), EMPTY), EMPTY, KIT_HIT(86400));
	kit_close();
}

Test(exchange, HS_04_conditions_are_for_those_who_do_not_wait)
{
	struct connection *client;
	char etag[100];

	kit_open();
	client = kit_get(HTTP_GET, kit_about("01", NO_EXTS), slice_text("*"));
	stage_pass(0);
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_eq(stage_status(client), 200);
	snprintf(etag, sizeof(etag), "%s", stage_field(client, "ETag"));
	client = kit_get(HTTP_GET, kit_about("01", NO_EXTS), slice_text(etag));
	cr_expect_eq(stage_status(client), 304);
	kit_expect(client, EMPTY, KIT_HIT(86400));
	kit_close();
}

/* --- refused at once -------------------------------------------------------------------------- */

Test(exchange, HS_23_EM_21_loop)
{
	struct connection *client;

	kit_open();
	client = kit_post(kit_about("01", NO_EXTS), HTTP_LOOP);
	cr_expect_eq(stage_status(client), 508);
	kit_expect(client, TRY_LATER, "");
	cr_expect(stage_is_closed(client));
	cr_expect_eq(stage_upstream.n_requests, 0);
	kit_close();
}

static void expect_rejected(struct slice der, struct slice body, err_t err)
{
	struct connection *client = kit_send(der, 0);

	kit_expect(client, body, "");
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, (unsigned)err, 0), 1, "%s",
		     err_row(err)->label);
	cr_expect_eq(stage_upstream.n_requests, 0);
}

Test(exchange, EM_07_EM_08_HC_18_rejected_without_asking_anybody)
{
	struct certid strange;
	uint8_t der[MAX_CERTID_LEN];

	kit_prepare();
	kit.policy.nonce = NONCE_REJECT;
	kit_start();
	strange = pki_certid(kit.ca, "01", HASH_SHA1);
	strange.name_hash = build_fill(7, 20);

	expect_rejected(HEX("3003020101"), MALFORMED_REQUEST, ERR_REQ_DER);
	expect_rejected(
	    kit_request(PARTS(kit_certid(pki_cert(&(struct pki_cert){.name = "Unknown CA",
								     .key = pki_key(PKI_P256, 2),
								     .exts = PKI_CA_EXTS}),
					 "01", HASH_SHA256)),
			NO_EXTS),
	    UNAUTHORIZED, ERR_ISSUER_UNKNOWN);
	expect_rejected(kit_request(PARTS(slice_of(der, certid_encode(der, &strange))), NO_EXTS),
			UNAUTHORIZED, ERR_ISSUER_NAME);
	cr_expect_eq(kit.n_events[EVENT_ISSUER_NAME], 1);
	expect_rejected(kit_request(PARTS(kit_certid(kit.ca, "01", HASH_SHA1),
					  kit_certid(kit.other_ca, "01", HASH_SHA1)),
				    NO_EXTS),
			UNAUTHORIZED, ERR_ISSUER_SEVERAL);
	expect_rejected(kit_about("01", kit_nonce("0102030405060708")), MALFORMED_REQUEST,
			ERR_REQ_NONCE_POLICY);
	kit_close();
}

Test(exchange, RP_14_what_is_no_request_goes_nowhere)
{
	const struct http_request http = {.method = HTTP_GET,
					  .minor = 1,
					  .flags = HTTP_KEEP_ALIVE,
					  .target = slice_text("/favicon.ico")};
	struct connection *client;

	kit_open();
	client = stage_connect(kit.front->server);
	stage_ask(client, &http, EMPTY);
	cr_expect_eq(stage_status(client), 400);
	kit_expect(client, MALFORMED_REQUEST, "");
	cr_expect_not(stage_is_closed(client));
	kit_close();
}

Test(exchange, EM_01_what_the_server_refuses)
{
	struct connection *client;

	kit_open();
	client = stage_connect(kit.front->server);
	stage_refuse(client, ERR_HTTP_SYNTAX, NULL);
	cr_expect_eq(stage_status(client), 400);
	cr_expect_str_eq(stage_field(client, "Content-Type"), "text/plain");
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, ERR_HTTP_SYNTAX, 0), 1);
	kit_close();
}

Test(exchange, issuer_without_responders_is_an_error_and_no_rejection)
{
	struct connection *client;

	kit_open();
	client =
	    kit_post(kit_request(PARTS(kit_certid(kit.other_ca, "01", HASH_SHA1)), NO_EXTS), 0);
	kit_expect(client, UNAUTHORIZED, "");
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, ERR_ISSUER_NO_RESPONDER, 0), 0);
	kit_close();
}

/* --- waiting ---------------------------------------------------------------------------------- */

Test(exchange, EM_10_HC_09_deadline_answers_while_the_flight_goes_on)
{
	struct connection *client;
	struct slice response;

	kit_prepare();
	kit.policy.ms_attempt = 20000;
	kit_start();
	client = kit_ask("01");
	stage_pass(7999);
	cr_expect_eq(stage_answers(client), 0);
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 1);
	stage_pass(1);
	kit_expect(client, TRY_LATER, "ocsprelay; fwd=miss; detail=timeout");
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 0);
	cr_expect_eq(counter_sum(METRIC_INFLIGHT, 0, 0, 0), 1);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	cr_expect_eq(stage_answers(client), 1);
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(exchange, EM_10_F4_deadline_with_an_answer_that_a_store_gave_meanwhile)
{
	struct connection *client;
	struct slice response;
	struct cache_key key;

	kit_prepare();
	kit.policy.ms_attempt = 20000;
	kit_start();
	response = kit_store("01", 0, 1000);
	kit_key("01", &key);
	cache_remove(kit.common.cache, key_bytes(&key),
		     cache_hash(kit.common.cache, key_bytes(&key)));
	stage_pass(800 * 1000);
	client = kit_ask("01"); /* ending, so it is fetched first */
	cr_expect_eq(stage_upstream.n_requests, 2);
	stage_pass(8000);
	kit_expect(client, response, KIT_HIT(192));
	kit_close();
}

Test(exchange, client_gone_and_the_flight_fills_the_cache)
{
	struct connection *client;
	struct slice response;

	kit_open();
	client = kit_ask("01");
	stage_hang_up(client);
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 0);
	stage_pass(3000);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	cr_expect_eq(stage_answers(client), 0);
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	cr_expect_eq(stage_upstream.n_requests, 1);
	kit_close();
}

Test(exchange, client_gone_after_the_deadline_is_nobody_s_loss)
{
	struct connection *client;

	kit_prepare();
	kit.policy.ms_attempt = 20000;
	kit_start();
	client = kit_ask("01");
	stage_pass(8000);
	cr_expect_eq(stage_answers(client), 1);
	stage_hang_up(client);
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 0);
	kit_close();
}

Test(exchange, CL_02_answer_that_ended_on_its_way_home_is_not_served)
{
	struct connection *client;

	kit_open();
	client = kit_ask("01");
	stage_hold(kit.front->answers, true);
	kit_answer(kit_good("01", -1000, 2));
	stage_pass(2000);
	stage_hold(kit.front->answers, false);
	stage_pass(0);
	kit_expect(client, TRY_LATER,
		   "ocsprelay; fwd=miss; fwd-status=200; detail=expired-upstream");
	kit_close();
}

Test(exchange, CL_21_clock_that_jumps_is_believed)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, PKI_DAY);
	stage_set_wall(PKI_NOW + 8 * PKI_DAY);
	cr_expect_eq(stage_answers(kit_ask("01")), 0);
	cr_expect_eq(stage_upstream.n_requests, 2);
	stage_set_wall(PKI_NOW + 10);
	kit_expect(kit_ask("01"), response, KIT_HIT(86390));
	kit_close();
}

/* --- shedding --------------------------------------------------------------------------------- */

Test(exchange, EM_19_full_mailbox_sheds_misses_only)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, 1000);
	stage.is_mail_refused = true;
	kit_expect(kit_ask("02"), TRY_LATER, "");
	stage_pass(800 * 1000);
	kit_expect(kit_ask("01"), response, KIT_HIT(200)); /* CL-18: was to be refreshed first */
	kit_expect(kit_post(kit_about("01", kit_nonce("0102030405060708")), 0), response,
		   "ocsprelay; hit; ttl=200; detail=nonce-fallback");
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), 0);
	kit_close();
}

static struct connection *ask_from(struct slice address, struct slice der)
{
	const struct http_request http = {.method = HTTP_POST,
					  .minor = 1,
					  .flags = HTTP_KEEP_ALIVE,
					  .target = slice_text("/"),
					  .content_length = der.len};
	struct connection *client = stage_connect(kit.front->server);

	stage_move(client, address);
	stage_ask(client, &http, der);
	stage_pass(0);
	return client;
}

Test(exchange, SL_09_EM_19_misses_of_one_client_above_the_rate)
{
	struct slice response;

	kit_prepare();
	kit.settings.limits.miss_rate_per_client = 2;
	kit_start();
	response = kit_store("01", 0, PKI_DAY);
	cr_expect_eq(stage_answers(kit_ask("02")), 0);
	cr_expect_eq(stage_answers(kit_ask("03")), 0);
	cr_expect_eq(stage_answers(kit_ask("03")), 0, "who joins misses, too");
	kit_expect(kit_ask("03"), TRY_LATER, "");
	kit_expect(kit_ask("04"), TRY_LATER, "");
	cr_expect_eq(stage_upstream.n_requests, 3);
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, ERR_OVERLOAD_CLIENT, 0), 2);
	cr_expect_eq(kit.n_events[EVENT_OVERLOAD], 2);
	kit_expect(kit_ask("01"), response, KIT_HIT(86400));
	kit_expect(kit_post(kit_about("01", kit_nonce("0102030405060708")), 0), response,
		   "ocsprelay; hit; ttl=86400; detail=nonce-fallback");
	cr_expect_eq(stage_answers(ask_from(slice_of("\xc0\0\2\x8", 4), kit_about("04", NO_EXTS))),
		     0, "another client");
	cr_expect_eq(stage_answers(ask_from(EMPTY, kit_about("05", NO_EXTS))), 0, "a Unix socket");
	stage_pass(500);
	cr_expect_eq(stage_answers(kit_ask("06")), 0);
	kit_expect(kit_ask("07"), TRY_LATER, "");
	kit_close();
}

Test(exchange, SL_09_hits_refreshes_and_known_failures_do_not_count)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, 1000);
	kit_store("08", 0, 1000);
	kit_ask("02");
	kit_answer(UNAUTHORIZED);
	kit.settings.limits.miss_rate_per_client = 1;
	for (unsigned i = 0; i < 5; i++) {
		kit_expect(kit_ask("01"), response, KIT_HIT(1000));
		kit_expect(kit_ask("02"), UNAUTHORIZED, KIT_NEGATIVE);
	}
	kit_ask("03");
	kit_ask("04");
	kit_expect(kit_ask("05"), TRY_LATER, "");
	stage_pass(800 * 1000);
	kit_ask("05");
	kit_ask("06");
	kit_expect(kit_ask("07"), TRY_LATER, "");
	cr_expect_eq(stage_answers(kit_ask("08")), 0, "ending, so it is fetched first");
	kit_close();
}

Test(exchange, EM_20_no_memory_to_wait)
{
	struct slice response;

	kit_open();
	response = kit_store("01", 0, 1000);
	stage_pass(800 * 1000);
	stage.has_no_memory = true;
	kit_expect(kit_ask("02"), INTERNAL_ERROR, "");
	kit_expect(kit_ask("01"), response, KIT_HIT(200));
	stage.has_no_memory = false;
	kit_close();
}
