/* SPDX-License-Identifier: ISC */
/* The loop, its timers, the clocks and the random octets. */
#include "io/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "io/clock.h"
#include "io/entropy.h"

struct ticker {
	struct loop *loop;
	struct timer *timer;
	unsigned n_calls;
	unsigned last; /* call at which it ends */
};

static void stop(void *arg)
{
	loop_stop(arg);
}

static void fail(void *arg)
{
	(void)arg;
	cr_assert_fail("a cancelled timer was called");
}

static void count(void *arg)
{
	struct ticker *ticker = arg;

	if (++ticker->n_calls < ticker->last)
		return;
	timer_cancel(ticker->timer);
	loop_stop(ticker->loop);
}

static void note(void *arg)
{
	bool *was_called = arg;

	*was_called = true;
}

Test(loop, CL_21_timers_run_on_the_monotonic_clock)
{
	struct loop *loop = loop_new();
	int64_t before = clock_mono_us();

	cr_assert_not_null(timer_start(loop, 20, stop, loop));
	loop_run(loop);
	cr_assert_geq(clock_mono_us() - before, 19000);
	loop_free(loop);
}

Test(loop, a_timer_of_0_ms_is_not_called_by_timer_start)
{
	struct loop *loop = loop_new();
	bool was_called = false;

	cr_assert_not_null(timer_start(loop, 0, note, &was_called));
	cr_assert_not(was_called);
	cr_assert_not_null(timer_start(loop, -1, stop, loop));
	loop_run(loop);
	cr_assert(was_called);
	loop_free(loop);
}

Test(loop, timer_every_repeats_until_cancelled_by_itself)
{
	struct ticker ticker = {.loop = loop_new(), .last = 3};

	ticker.timer = timer_every(ticker.loop, 0, count, &ticker);
	cr_assert_not_null(ticker.timer);
	loop_run(ticker.loop);
	cr_assert_eq(ticker.n_calls, 3);
	loop_free(ticker.loop);
}

Test(loop, a_cancelled_timer_is_never_called)
{
	struct loop *loop = loop_new();
	struct timer *timer = timer_start(loop, 0, fail, NULL);

	timer_cancel(timer);
	timer_cancel(NULL);
	cr_assert_not_null(timer_start(loop, 5, stop, loop));
	loop_run(loop);
	loop_free(loop);
}

Test(loop, a_stop_before_the_run_is_not_lost_and_the_loop_runs_again)
{
	struct loop *loop = loop_new();
	bool was_called = false;

	loop_stop(loop);
	loop_stop(loop);
	loop_run(loop);
	cr_assert_not_null(timer_start(loop, 5, note, &was_called));
	cr_assert_not_null(timer_start(loop, 10, stop, loop));
	loop_run(loop);
	cr_assert(was_called, "the stops before the first run are forgotten");
	loop_free(loop);
	loop_free(NULL);
}

static void *run(void *arg)
{
	loop_run(arg);
	return NULL;
}

Test(loop, another_thread_can_stop_it)
{
	struct loop *loop = loop_new();
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, run, loop), 0);
	loop_stop(loop);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	loop_free(loop);
}

Test(clock, the_clocks_agree_with_each_other)
{
	int64_t us = clock_mono_us();
	int64_t ms = clock_mono_ms();

	cr_assert_geq(ms, us / 1000);
	cr_assert_leq(ms, clock_mono_us() / 1000);
	cr_assert_gt(clock_wall(), 1767225600, "the machine's clock stands before 2026");
}

Test(entropy, SL_11_keys_differ_and_every_octet_is_filled)
{
	uint8_t octets[600];
	uint8_t seen[600] = {0};
	struct hash_key a = entropy_hash_key(), b = entropy_hash_key();

	cr_assert(a.k0 != b.k0 || a.k1 != b.k1);
	/* An octet that stays 0 in 16 rounds by chance: once in 2^128. */
	for (unsigned round = 0; round < 16; round++) {
		entropy_fill(octets, sizeof(octets));
		for (size_t i = 0; i < sizeof(octets); i++)
			seen[i] |= octets[i];
	}
	cr_assert_null(memchr(seen, 0, sizeof(seen)));
	entropy_fill(octets, 0);
}

Test(entropy, jitter_covers_its_range)
{
	uint32_t any = 0, all = UINT32_MAX;

	for (unsigned i = 0; i < 1000; i++) {
		uint32_t n = entropy_jitter();

		any |= n;
		all &= n;
	}
	cr_assert_eq(any, UINT32_MAX);
	cr_assert_eq(all, 0);
}
