/* SPDX-License-Identifier: ISC */
/* Responder health and habits. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>

#include "state/responders.h"

#define URL   "http://ocsp.example/"
#define OTHER "http://ocsp.example/2"
#define HOUR  INT64_C(3600000)

Test(responders, tells_when_one_goes_down_and_comes_back)
{
	struct responders *responders = responders_new();
	struct responder_state state = responder_get(responders, URL, 0);

	cr_expect_not(state.is_down || state.is_asked);
	responder_set_mark(responders, URL, 1);
	cr_expect_not(responder_get(responders, URL, 5).is_asked);
	cr_expect_eq(responder_report(responders, URL, true, 10), RESPONDER_SAME);
	cr_expect(responder_get(responders, URL, 15).is_asked);
	cr_expect_eq(responder_report(responders, URL, false, 20), RESPONDER_WENT_DOWN);
	cr_expect_eq(responder_report(responders, URL, false, 30), RESPONDER_SAME);
	state = responder_get(responders, URL, 40);
	cr_expect(state.is_down);
	cr_expect_eq(state.n_failures, 2);
	cr_expect_eq(state.ms_down_since, 20);
	state = responder_get(responders, OTHER, 40);
	cr_expect_not(state.is_down || state.is_asked);
	cr_expect_eq(responder_report(responders, URL, true, 50), RESPONDER_CAME_BACK);
	cr_expect_eq(responder_report(responders, URL, true, 60), RESPONDER_SAME);
	state = responder_get(responders, URL, 70);
	cr_expect_not(state.is_down);
	cr_expect_eq(state.n_failures, 0);
	cr_expect_eq(responder_report(responders, URL, false, 80), RESPONDER_WENT_DOWN);
	state = responder_get(responders, URL, 90);
	cr_expect_eq(state.ms_down_since, 80);
	responders_free(responders);
	responders_free(NULL);
}

Test(responders, HC_01_post_is_remembered_for_an_hour)
{
	struct responders *responders = responders_new();

	cr_expect_not(responder_get(responders, URL, 1000).wants_post);
	responder_set_wants_post(responders, URL, 1000);
	cr_expect(responder_get(responders, URL, 1000).wants_post);
	cr_expect(responder_get(responders, URL, 1000 + HOUR - 1).wants_post);
	cr_expect_not(responder_get(responders, URL, 1000).skips_nonce);
	cr_expect_not(responder_get(responders, OTHER, 1000).wants_post);
	cr_expect_not(responder_get(responders, URL, 1000 + HOUR).wants_post);
	responder_set_wants_post(responders, URL, 1000 + HOUR);
	cr_expect(responder_get(responders, URL, 1000 + HOUR).wants_post);
	responders_free(responders);
}

Test(responders, NO_04_missing_nonce_is_remembered_for_an_hour)
{
	struct responders *responders = responders_new();

	cr_expect_not(responder_get(responders, URL, 0).skips_nonce);
	responder_set_skips_nonce(responders, URL, 0);
	cr_expect(responder_get(responders, URL, HOUR - 1).skips_nonce);
	cr_expect_not(responder_get(responders, URL, 0).wants_post);
	cr_expect_not(responder_get(responders, URL, HOUR).skips_nonce);
	responders_free(responders);
}

Test(responders, HC_14_retry_after_holds_until_its_time)
{
	struct responders *responders = responders_new();

	cr_expect_eq(responder_get(responders, URL, 0).ms_not_before, 0);
	responder_set_not_before(responders, URL, 11000);
	cr_expect_eq(responder_get(responders, URL, 1000).ms_not_before, 11000);
	cr_expect_eq(responder_get(responders, URL, 10999).ms_not_before, 11000);
	cr_expect_eq(responder_get(responders, URL, 11000).ms_not_before, 0);
	responders_free(responders);
}

Test(responders, many_are_told_apart)
{
	struct responders *responders = responders_new();
	char url[64];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(url, sizeof(url), "http://%u.example/", i);
		if (i % 2 == 0)
			responder_report(responders, url, false, i);
	}
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(url, sizeof(url), "http://%u.example/", i);
		cr_assert_eq(responder_get(responders, url, 0).is_down, i % 2 == 0, "%u", i);
	}
	responders_free(responders);
}

static void *work(void *arg)
{
	for (int i = 0; i < 10000; i++) {
		const char *url = i % 2 == 0 ? URL : OTHER;

		responder_report(arg, url, i % 3 == 0, i);
		responder_set_wants_post(arg, url, i);
		if (!responder_get(arg, url, i).wants_post)
			abort();
	}
	return NULL;
}

Test(responders, threads_may_use_it_at_once)
{
	struct responders *responders = responders_new();
	pthread_t threads[4];

	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, work, responders), 0);
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	responders_free(responders);
}

Test(responders, HC_12_probe_is_one_for_all_issuers)
{
	struct responders *responders = responders_new();

	cr_expect(responder_take_probe(responders, URL, 1000, 30000));
	cr_expect_not(responder_take_probe(responders, URL, 1000, 30000));
	cr_expect_not(responder_take_probe(responders, URL, 30999, 30000));
	cr_expect(responder_take_probe(responders, OTHER, 1001, 30000));
	cr_expect(responder_take_probe(responders, URL, 31000, 30000));
	cr_expect_not(responder_take_probe(responders, URL, 60999, 30000));
	responders_free(responders);
}

Test(responders, time_that_one_was_down_is_kept)
{
	struct responders *responders = responders_new();

	cr_expect_eq(responder_report(responders, URL, false, 1000), RESPONDER_WENT_DOWN);
	responder_set_mark(responders, URL, 7);
	cr_expect_eq(responder_report(responders, URL, false, 3000), RESPONDER_SAME);
	cr_expect_eq(responder_report(responders, URL, true, 5500), RESPONDER_CAME_BACK);
	cr_expect_eq(responder_get(responders, URL, 9000).ms_was_down, 4500);
	cr_expect_eq(responder_get(responders, URL, 9000).mark, 7);
	cr_expect_eq(responder_report(responders, URL, false, 9000), RESPONDER_WENT_DOWN);
	cr_expect_eq(responder_report(responders, URL, true, 9010), RESPONDER_CAME_BACK);
	cr_expect_eq(responder_get(responders, URL, 9100).ms_was_down, 10);
	responders_free(responders);
}
