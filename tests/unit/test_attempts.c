/* SPDX-License-Identifier: ISC */
/* Whom a flight asks, in which order and by which method, and what it makes of failures. */
#include "relay/attempts.h"

#include "core/upstream_url.h"
#include "relay_kit.h"

static void expect_methods_at(int line, const char *methods)
{
	cr_assert_eq(stage_upstream.n_requests, strlen(methods), "line %d: %zu requests", line,
		     stage_upstream.n_requests);
	for (size_t i = 0; i < stage_upstream.n_requests; i++)
		cr_expect_eq(stage_upstream.requests[i].post, methods[i] == 'P',
			     "line %d: request %zu", line, i);
}

/* All requests there were: G by GET, P by POST. */
#define expect_methods(methods) expect_methods_at(__LINE__, methods)

static void expect_asked(size_t i, const char *url)
{
	cr_assert_lt(i, stage_upstream.n_requests);
	cr_expect_str_eq(stage_upstream.requests[i].url, url);
}

static void open_with_two_responders(void)
{
	kit_prepare();
	kit.urls[1] = KIT_URL(2);
	kit_start();
}

/* --- how a responder is asked (section 6) ----------------------------------------------------- */

Test(attempts, NK_05_NK_06_NO_08_request_is_minimal)
{
	kit_open();
	kit_post(kit_about("01", CAT(kit_ext("2a03", false, HEX("0500")),
				     kit_ext("2b0601050507300107", false, HEX("3000")))),
		 0);
	cr_assert_eq(stage_upstream.n_requests, 1);
	cr_expect(slice_eq(stage_upstream.requests[0].der, kit_about("01", NO_EXTS)));
	cr_expect_eq(stage_upstream.requests[0].ms_connect, 2000);
	cr_expect_eq(stage_upstream.requests[0].ms_attempt, 5000);
	cr_expect_not(stage_upstream.requests[0].no_cache);
	kit_close();
}

static const char *url_of_length(size_t len)
{
	char *url = (char *)build_take(300);
	size_t asked_len = upstream_url_get_len("", kit_about("01", NO_EXTS));

	memset(url, 'p', len);
	memcpy(url, "http://r/", 9);
	url[len - asked_len] = '\0';
	return url;
}

Test(attempts, HC_01_get_up_to_255_octets)
{
	kit_prepare();
	kit.urls[0] = url_of_length(255);
	kit_start();
	kit_ask("01");
	expect_methods("G");
	kit_close();
}

Test(attempts, HC_01_post_from_256_octets)
{
	kit_prepare();
	kit.urls[0] = url_of_length(256);
	kit_start();
	kit_ask("01");
	expect_methods("P");
	kit_close();
}

Test(attempts, HC_01_get_refused_then_post_which_is_remembered_for_an_hour)
{
	struct connection *client;
	struct slice response;

	kit_open();
	client = kit_ask("01");
	kit_refuse(405);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_WANTS_POST], 1);
	kit_ask("02");
	expect_methods("GPP");
	kit_answer(kit_good("02", 0, PKI_DAY));
	stage_pass(3600 * 1000);
	kit_ask("03");
	expect_methods("GPPG");
	kit_close();
}

Test(attempts, HC_01_EM_14_refusals_of_get)
{
	static const unsigned refusals[] = {400, 404, 414, 501};
	unsigned n = 0;

	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(refusals); i++) {
		kit_ask(kit_serial(n++));
		kit_refuse(refusals[i]);
		cr_expect(stage_upstream.requests[stage_upstream.n_requests - 1].post);
		kit_refuse(503);
	}
	expect_methods("GPGPGPGP");
	kit_close();
}

/* Not to where it leads (HC-08): the same responder is asked by POST. */
Test(attempts, HC_01_redirects_of_those_who_clean_paths_refuse_get)
{
	static const struct {
		unsigned http_status;
		bool is_refusal;
	} rows[] = {{301, true}, {302, false}, {303, false}, {307, true}, {308, false}};

	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(rows); i++) {
		kit_ask(kit_serial(i));
		kit_end(&(struct upstream_answer){.err = ERR_UP_REDIRECT,
						  .http_status = rows[i].http_status});
		if (rows[i].is_refusal)
			kit_refuse(503);
	}
	expect_methods("GPGGGPG");
	kit_close();
}

Test(attempts, HC_01_other_failures_of_get_are_not_repeated)
{
	static const unsigned failures[] = {401, 403, 429, 500, 503};

	kit_open();
	for (unsigned i = 0; i < N_ELEMENTS(failures); i++) {
		kit_ask(kit_serial(i));
		kit_refuse(failures[i]);
	}
	expect_methods("GGGGG");
	kit_close();
}

Test(attempts, method_get_never_posts)
{
	kit_prepare();
	kit.policy.method = METHOD_GET;
	kit.urls[0] = url_of_length(256);
	kit_start();
	kit_ask("01");
	kit_refuse(405);
	expect_methods("G");
	kit_close();
}

Test(attempts, method_post_never_gets)
{
	kit_prepare();
	kit.policy.method = METHOD_POST;
	kit_start();
	kit_ask("01");
	kit_refuse(405);
	expect_methods("P");
	kit_close();
}

Test(attempts, VS_09_expired_answer_is_asked_for_once_more_around_caches)
{
	struct connection *client;
	struct slice response;

	kit_open();
	client = kit_ask("01");
	kit_answer(kit_good("01", -PKI_DAY, -1));
	expect_methods("GP");
	cr_expect_not(stage_upstream.requests[0].no_cache);
	cr_expect(stage_upstream.requests[1].no_cache);
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	/* an old copy on the way says nothing of GET itself */
	kit_ask("02");
	expect_methods("GPG");
	kit_close();
}

Test(attempts, VS_09_EM_13_still_expired)
{
	struct connection *client;

	kit_open();
	client = kit_ask("01");
	kit_answer(kit_good("01", -PKI_DAY, -1));
	kit_answer(kit_good("01", -PKI_DAY, -1));
	kit_expect(client, TRY_LATER,
		   "ocsprelay; fwd=miss; fwd-status=200; detail=expired-upstream");
	expect_methods("GP");
	kit_close();
}

Test(attempts, VS_09_when_a_client_said_no_cache_already)
{
	kit_open();
	kit_store("01", 0, PKI_DAY);
	stage_pass(61 * 1000);
	kit_post(kit_about("01", NO_EXTS), HTTP_NO_CACHE);
	kit_answer(kit_good("01", -PKI_DAY, -1)); /* of a cache that knows better */
	expect_methods("GGP");
	cr_expect(stage_upstream.requests[2].no_cache);
	kit_answer(kit_good("01", -PKI_DAY, -1));
	expect_methods("GGP");
	kit_close();
}

/* --- several responders (HC-12, HC-13) -------------------------------------------------------- */

Test(attempts, HC_12_next_responder_is_asked_in_order)
{
	struct connection *client;
	struct slice response;

	kit_prepare();
	kit.urls[1] = KIT_URL(2);
	kit.urls[2] = KIT_URL(3);
	kit_start();
	client = kit_ask("01");
	expect_asked(0, KIT_URL(1));
	kit_refuse(500);
	expect_asked(1, KIT_URL(2));
	kit_answer(TRY_LATER);
	expect_asked(2, KIT_URL(3));
	response = kit_good("01", 0, PKI_DAY);
	kit_answer(response);
	kit_expect(client, response, KIT_MISS);
	cr_expect_eq(stage_upstream.n_requests, 3);
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_DOWN], 2);
	kit_ask("02");
	expect_asked(3, KIT_URL(1));
	kit_close();
}

Test(attempts, VS_09_HC_12_next_responder_is_asked_in_the_plain_way)
{
	open_with_two_responders();
	kit_ask("01");
	kit_answer(kit_good("01", -PKI_DAY, -1));
	kit_answer(kit_good("01", -PKI_DAY, -1));
	expect_methods("GPG");
	expect_asked(2, KIT_URL(2));
	cr_expect_not(stage_upstream.requests[2].no_cache);
	kit_close();
}

/* What the first did not understand by GET says nothing about the second. */
Test(attempts, HC_12_each_responder_is_asked_in_its_own_way)
{
	open_with_two_responders();
	kit_ask("01");
	kit_refuse(405);
	kit_refuse(503);
	expect_methods("GPG");
	kit_answer(kit_good("01", 0, PKI_DAY));
	kit_ask("02");
	kit_refuse(500);
	expect_methods("GPGGG");
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_WANTS_POST], 0);
	kit_close();
}

static void answer_invalid(void)
{
	kit_end(&(struct upstream_answer){.http_status = 200, .body = slice_text("<html>")});
}

static void answer_unauthorized(void)
{
	kit_answer(UNAUTHORIZED);
}

static void answer_try_later(void)
{
	kit_answer(TRY_LATER);
}

static void answer_internal(void)
{
	kit_answer(INTERNAL_ERROR);
}

static void answer_nothing(void)
{
	kit_end(&(struct upstream_answer){.err = ERR_UP_UNREACHABLE});
}

static void answer_503(void)
{
	kit_refuse(503);
}

/* Who knows more counts for more; of equals the first, for they stand in order of preference. */
Test(attempts, HC_12_HC_13_best_error_is_kept)
{
	static const struct {
		void (*first)(void), (*second)(void);
		enum ocsp_status status;
		const char *cache_status;
	} rows[] = {
	    {answer_unauthorized, answer_nothing, OCSP_UNAUTHORIZED, "; fwd-status=200"},
	    {answer_nothing, answer_unauthorized, OCSP_UNAUTHORIZED, "; fwd-status=200"},
	    {answer_unauthorized, answer_invalid, OCSP_UNAUTHORIZED, "; fwd-status=200"},
	    {answer_try_later, answer_unauthorized, OCSP_UNAUTHORIZED, "; fwd-status=200"},
	    {answer_unauthorized, answer_try_later, OCSP_UNAUTHORIZED, "; fwd-status=200"},
	    {answer_internal, answer_503, OCSP_INTERNAL_ERROR, "; fwd-status=200"},
	    {answer_try_later, answer_internal, OCSP_TRY_LATER, "; fwd-status=200"},
	    {answer_503, answer_invalid, OCSP_INTERNAL_ERROR,
	     "; fwd-status=200; detail=invalid-upstream"},
	    {answer_invalid, answer_try_later, OCSP_TRY_LATER, "; fwd-status=200"},
	    {answer_503, answer_nothing, OCSP_TRY_LATER, "; fwd-status=503"},
	    {answer_nothing, answer_503, OCSP_TRY_LATER, "; detail=upstream-unreachable"},
	};
	char cache_status[100];

	open_with_two_responders();
	for (unsigned i = 0; i < N_ELEMENTS(rows); i++) {
		struct connection *client;

		stage_pass(30 * 1000); /* whoever is broken is probed again */
		client = kit_ask(kit_serial(i));
		rows[i].first();
		rows[i].second();
		snprintf(cache_status, sizeof(cache_status), "ocsprelay; fwd=miss%s",
			 rows[i].cache_status);
		cr_expect(slice_eq(stage_body(client), response_error(rows[i].status)), "row %u",
			  i);
		cr_expect_str_eq(stage_field(client, "Cache-Status"), cache_status, "row %u: %s", i,
				 stage_field(client, "Cache-Status"));
	}
	kit_close();
}

Test(attempts, HC_09_silent_responders_take_their_time_each)
{
	struct connection *client;

	open_with_two_responders();
	client = kit_ask("01");
	stage_pass(5000);
	expect_asked(1, KIT_URL(2));
	stage_pass(3000);
	kit_expect(client, TRY_LATER, "ocsprelay; fwd=miss; detail=timeout");
	stage_pass(2000);
	cr_expect_eq(counter_sum(METRIC_INFLIGHT, 0, 0, 0), 0);
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_expect(kit_ask("01"), TRY_LATER, KIT_NEGATIVE);
	kit_close();
}

/* --- Retry-After (HC-14) ---------------------------------------------------------------------- */

static void refuse_for(int64_t seconds)
{
	kit_end(&(struct upstream_answer){
	    .err = ERR_UP_HTTP, .http_status = 503, .retry_after = seconds});
}

Test(attempts, HC_14_responder_is_left_alone_as_it_asked)
{
	kit_open();
	kit_ask("01");
	refuse_for(200);
	stage_pass(199 * 1000);
	kit_expect(kit_ask("02"), TRY_LATER, "ocsprelay; fwd=miss");
	cr_expect_eq(stage_upstream.n_requests, 1);
	stage_pass(1000);
	kit_ask("03");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(attempts, HC_14_others_are_asked_meanwhile)
{
	struct connection *client;

	open_with_two_responders();
	kit_ask("01");
	refuse_for(200);
	expect_asked(1, KIT_URL(2));
	kit_answer(kit_good("01", 0, PKI_DAY));
	kit_ask("02");
	expect_asked(2, KIT_URL(2));
	/* a failure here is not remembered for as long as the other one asked for */
	client = kit_ask("03");
	kit_refuse(500);
	cr_expect_eq(stage_answers(client), 1);
	stage_pass(5000);
	kit_ask("03");
	expect_asked(4, KIT_URL(2));
	kit_close();
}

Test(attempts, CL_19_HC_14_failure_is_kept_until_any_responder_may_be_asked)
{
	open_with_two_responders();
	kit_ask("01");
	kit_refuse(500);
	refuse_for(200);
	stage_pass(5000);
	kit_ask("01");
	cr_expect_eq(stage_upstream.n_requests, 3);
	expect_asked(2, KIT_URL(1));
	kit_close();
}

Test(attempts, HC_14_retry_after_of_an_answer_in_order_means_nothing)
{
	kit_open();
	kit_ask("01");
	kit_end(&(struct upstream_answer){
	    .http_status = 200, .retry_after = 200, .body = kit_good("01", 0, PKI_DAY)});
	kit_ask("02");
	cr_expect_eq(stage_upstream.n_requests, 2);
	kit_close();
}

Test(attempts, HC_14_skipped_responder_leaves_no_method_behind)
{
	open_with_two_responders();
	kit_ask("01");
	kit_end(
	    &(struct upstream_answer){.err = ERR_UP_HTTP, .http_status = 405, .retry_after = 10});
	expect_asked(1, KIT_URL(2)); /* the POST to the first must wait */
	expect_methods("GG");
	kit_answer(kit_good("01", 0, PKI_DAY));
	cr_expect_eq(kit.n_events[EVENT_RESPONDER_WANTS_POST], 0);
	kit_close();
}
