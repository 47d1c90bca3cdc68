/* SPDX-License-Identifier: ISC */
/* What is in memory is fetched again, some at a time. */
#include "relay/refreshing.h"

#include "relay_kit.h"

static struct {
	struct desk *desk;
	unsigned n_done, n_failed;
	struct refreshing_count count;
	err_t err; /* of the last failure */
} play;

static void on_failed(void *arg, const struct cache_key *key, err_t err)
{
	cr_expect_eq(arg, &play);
	cr_expect_eq(key->alg, HASH_SHA1);
	play.n_failed++;
	play.err = err;
}

static void on_done(void *arg, const struct refreshing_count *count)
{
	cr_expect_eq(arg, &play);
	play.n_done++;
	play.count = *count;
}

static struct refreshing *start(void)
{
	const struct selection all = {.has_issuer = false};

	return refreshing_start(
	    play.desk, &all,
	    &(struct refreshing_ops){.failed = on_failed, .done = on_done, .arg = &play});
}

static void open_desk(unsigned n_entries)
{
	kit_start();
	play.desk = desk_new(&kit.common, kit.main_loop, kit.rules);
	cr_assert_not_null(play.desk);
	for (unsigned i = 0; i < n_entries; i++)
		kit_store(kit_serial(i), -100, PKI_DAY + i);
}

static void close_desk(void)
{
	stage_pass(0);
	desk_free(play.desk);
	kit_close();
}

static void answer_all(size_t from)
{
	for (size_t i = from; i < stage_upstream.n_requests; i++) {
		if (stage_upstream.requests[i].transfer == NULL)
			continue;
		stage_answer_ok(i, kit_good(kit_serial((unsigned)(i - from)), -50, 2 * PKI_DAY));
		stage_pass(0);
	}
}

Test(refreshing, fetches_each_once_and_counts)
{
	kit_prepare();
	open_desk(3);
	cr_assert_not_null(start());
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_requests, 6);
	cr_expect_eq(play.n_done, 0);
	answer_all(3);
	cr_expect_eq(play.n_done, 1);
	cr_expect_eq(play.count.n_all, 3);
	cr_expect_eq(play.count.n_fetched, 3);
	cr_expect_eq(play.count.n_failed, 0);
	cr_expect_str_eq(stage_field(kit_ask(kit_serial(0)), "Cache-Status"), KIT_HIT(172800));
	close_desk();
}

Test(refreshing, HC_13_no_more_at_once_than_the_gate_lets_in)
{
	kit_prepare();
	kit.policy.max_inflight = 8; /* a quarter of it for what no client waits for */
	open_desk(9);
	cr_assert_not_null(start());
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 2);
	answer_all(9);
	cr_expect_eq(play.count.n_fetched, 9);
	cr_expect_eq(play.n_failed, 0);
	close_desk();
}

Test(refreshing, F4_a_failure_is_told_and_the_answer_stays)
{
	kit_prepare();
	open_desk(1);
	cr_assert_not_null(start());
	stage_pass(0);
	kit_refuse(503);
	cr_expect_eq(play.count.n_fetched, 0);
	cr_expect_eq(play.count.n_failed, 1);
	cr_expect_eq(play.n_failed, 1);
	cr_expect_eq(play.err, ERR_NOT_FETCHED);
	cr_expect_not_null(strstr(stage_field(kit_ask(kit_serial(0)), "Cache-Status"), "hit"));
	close_desk();
}

Test(refreshing, nothing_to_do_is_done)
{
	kit_prepare();
	open_desk(0);
	cr_assert_not_null(start());
	cr_expect_eq(play.n_done, 0, "called from inside");
	stage_pass(0);
	cr_expect_eq(play.n_done, 1);
	cr_expect_eq(play.count.n_all, 0);
	close_desk();
}

Test(refreshing, cancelled_it_sends_no_more)
{
	struct refreshing *refreshing;

	kit_prepare();
	kit.policy.max_inflight = 1;
	open_desk(5);
	refreshing = start();
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 1);
	refreshing_cancel(refreshing);
	refreshing_cancel(NULL);
	answer_all(5);
	cr_expect_eq(stage_upstream.n_requests, 6);
	cr_expect_eq(play.n_done, 0);
	close_desk();
}

Test(refreshing, ends_with_the_relay)
{
	kit_prepare();
	open_desk(5);
	cr_assert_not_null(start());
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 5);
	front_free(kit.front);
	kit.front = NULL;
	back_free(kit.backs[0]);
	kit.backs[0] = NULL;
	desk_free(play.desk);
	cr_expect_eq(play.n_done, 0);
	kit_close();
}

Test(refreshing, without_memory)
{
	kit_prepare();
	open_desk(1);
	stage.has_no_memory = true;
	cr_expect_null(start());
	stage.has_no_memory = false;
	close_desk();
}
