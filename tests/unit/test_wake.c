/* SPDX-License-Identifier: ISC */
/* When a bell is heard: at once, or when the turn of a loop ends. */
#include "io/wake.h"

#include <criterion/criterion.h>
#include <poll.h>

#include "io/loop.h"

#define N_WAKES 20 /* more than a turn can hold back */

static bool has_rung(const struct wake *wake)
{
	struct pollfd fd = {.fd = wake->fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

Test(wake, without_a_turn_it_rings_at_once)
{
	struct wake wake;

	cr_assert_eq(wake_init(&wake), OK);
	cr_expect_not(has_rung(&wake));
	wake_ring_later(&wake);
	cr_expect(has_rung(&wake));
	wake_clear(&wake);
	cr_expect_not(has_rung(&wake));
	wake_fini(&wake);
}

Test(wake, in_a_turn_it_rings_at_the_end)
{
	struct wake wake;

	cr_assert_eq(wake_init(&wake), OK);
	wake_begin_turn();
	wake_ring_later(&wake);
	wake_ring_later(&wake);
	cr_expect_not(has_rung(&wake));
	wake_end_turn();
	cr_expect(has_rung(&wake));
	wake_clear(&wake);
	wake_begin_turn();
	wake_end_turn();
	cr_expect_not(has_rung(&wake), "forgotten when it has rung");
	wake_fini(&wake);
}

Test(wake, none_is_lost_when_there_are_many)
{
	struct wake wakes[N_WAKES];

	wake_begin_turn();
	for (int i = 0; i < N_WAKES; i++) {
		cr_assert_eq(wake_init(&wakes[i]), OK);
		wake_ring_later(&wakes[i]);
	}
	wake_end_turn();
	for (int i = 0; i < N_WAKES; i++) {
		cr_expect(has_rung(&wakes[i]), "%d", i);
		wake_fini(&wakes[i]);
	}
}

Test(wake, one_that_is_gone_is_not_rung)
{
	struct wake gone, other;

	cr_assert_eq(wake_init(&gone), OK);
	wake_begin_turn();
	wake_ring_later(&gone);
	wake_fini(&gone);
	cr_assert_eq(wake_init(&other), OK); /* has the descriptor now */
	cr_assert_eq(other.fd, gone.fd);
	wake_end_turn();
	cr_expect_not(has_rung(&other));
	wake_fini(&other);
}

struct turn {
	struct loop *loop;
	struct wake wake;
	bool has_rung_inside;
};

static void ring(void *arg)
{
	struct turn *turn = arg;

	wake_ring_later(&turn->wake);
	turn->has_rung_inside = has_rung(&turn->wake);
	loop_stop(turn->loop);
}

Test(wake, a_loop_has_turns)
{
	struct turn turn = {.loop = loop_new()};

	cr_assert_not_null(turn.loop);
	cr_assert_eq(wake_init(&turn.wake), OK);
	cr_assert_not_null(timer_start(turn.loop, 0, ring, &turn));
	loop_run(turn.loop);
	cr_expect_not(turn.has_rung_inside);
	cr_expect(has_rung(&turn.wake));
	wake_fini(&turn.wake);
	loop_free(turn.loop);
}
