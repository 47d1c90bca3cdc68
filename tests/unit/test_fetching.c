/* SPDX-License-Identifier: ISC */
/* What is in memory is fetched again, or what is not there at all, some at a time. */
#include "relay/fetching.h"

#include "relay_kit.h"

static struct {
	struct desk *desk;
	unsigned n_done, n_failed;
	struct fetching_count count;
	err_t err; /* of the last failure */
	size_t i;
} play;

static void on_failed(void *arg, size_t i, const struct cache_key *key, err_t err)
{
	cr_expect_eq(arg, &play);
	cr_expect_eq(key->alg, HASH_SHA1);
	play.n_failed++;
	play.err = err;
	play.i = i;
}

static void on_done(void *arg, const struct fetching_count *count)
{
	cr_expect_eq(arg, &play);
	play.n_done++;
	play.count = *count;
}

static struct fetching *start(void)
{
	const struct selection all = {.has_issuer = false};

	return fetching_refresh(
	    play.desk, &all,
	    &(struct fetching_ops){.failed = on_failed, .done = on_done, .arg = &play});
}

static struct cache_key key_of(unsigned i)
{
	struct cache_key key;

	key_make(&key, kit.issuer->id, HASH_SHA1, HEX(kit_serial(i)));
	return key;
}

static struct cache_key key_of_nobody(void)
{
	struct cache_key key;

	key_make(&key, (const uint8_t[ISSUER_ID_LEN]){1}, HASH_SHA1, HEX("01"));
	return key;
}

/* The first n serials. */
static struct fetching *warm(unsigned n)
{
	struct cache_key keys[16];

	for (unsigned i = 0; i < n; i++)
		keys[i] = key_of(i);
	return fetching_warm(
	    play.desk, keys, n,
	    &(struct fetching_ops){.failed = on_failed, .done = on_done, .arg = &play});
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

Test(fetching, fetches_each_once_and_counts)
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

Test(fetching, HC_13_no_more_at_once_than_the_gate_lets_in)
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

Test(fetching, F4_a_failure_is_told_and_the_answer_stays)
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

Test(fetching, nothing_to_do_is_done)
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

Test(fetching, warm_asks_only_for_what_is_not_there)
{
	kit_prepare();
	open_desk(2);
	cr_assert_not_null(warm(4));
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_requests, 4);
	for (unsigned i = 2; i < 4; i++) {
		stage_answer_ok(i, kit_good(kit_serial(i), -50, PKI_DAY));
		stage_pass(0);
	}
	cr_expect_eq(play.n_done, 1);
	cr_expect_eq(play.count.n_all, 4);
	cr_expect_eq(play.count.n_there, 2);
	cr_expect_eq(play.count.n_fetched, 2);
	cr_expect_eq(play.n_failed, 0);
	cr_expect_not_null(strstr(stage_field(kit_ask(kit_serial(3)), "Cache-Status"), "hit"));
	close_desk();
}

Test(fetching, HC_13_what_warms_leaves_room_for_clients)
{
	kit_prepare();
	kit.policy.max_inflight = 8;
	open_desk(0);
	cr_assert_not_null(warm(9));
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 2);
	answer_all(0);
	cr_expect_eq(play.count.n_fetched, 9);
	close_desk();
}

/* The client's flight is one that the background has begun and not let in yet. */
Test(fetching, HC_13_whom_a_client_waits_for_does_not_wait_for_the_background)
{
	kit_prepare();
	kit.policy.max_inflight = 8;
	open_desk(0);
	cr_assert_not_null(warm(9));
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 2);
	(void)kit_ask(kit_serial(4));
	cr_expect_eq(stage_upstream.n_pending, 3);
	stage_answer_ok(2, kit_good(kit_serial(4), -50, PKI_DAY));
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 2);
	close_desk();
}

Test(fetching, what_cannot_be_warmed_is_told_by_its_place)
{
	const struct cache_key keys[] = {key_of_nobody(), key_of_nobody()};

	kit_prepare();
	open_desk(1);
	cr_assert_not_null(warm(2));
	stage_pass(0);
	kit_refuse(503);
	cr_expect_eq(play.count.n_there, 1);
	cr_expect_eq(play.n_failed, 1);
	cr_expect_eq(play.i, 1);
	cr_expect_eq(play.err, ERR_UP_HTTP);
	cr_assert_not_null(fetching_warm(
	    play.desk, keys, 2,
	    &(struct fetching_ops){.failed = on_failed, .done = on_done, .arg = &play}));
	stage_pass(0);
	cr_expect_eq(play.n_failed, 3);
	cr_expect_eq(play.err, ERR_ISSUER_UNKNOWN);
	close_desk();
}

Test(fetching, cancelled_it_sends_no_more)
{
	struct fetching *fetching;

	kit_prepare();
	kit.policy.max_inflight = 1;
	open_desk(5);
	fetching = start();
	stage_pass(0);
	cr_expect_eq(stage_upstream.n_pending, 1);
	fetching_cancel(fetching);
	fetching_cancel(NULL);
	answer_all(5);
	cr_expect_eq(stage_upstream.n_requests, 6);
	cr_expect_eq(play.n_done, 0);
	close_desk();
}

Test(fetching, ends_with_the_relay)
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

Test(fetching, without_memory)
{
	kit_prepare();
	open_desk(1);
	stage.has_no_memory = true;
	cr_expect_null(start());
	cr_expect_null(warm(1));
	stage.has_no_memory = false;
	close_desk();
}
