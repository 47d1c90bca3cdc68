/* SPDX-License-Identifier: ISC */
/* Who may fetch, who waits, who is turned away (SL-08). */
#include "relay/gate.h"

#include <criterion/criterion.h>

#include "types.h"

#define MAX_VISITORS 64

struct visitor {
	struct gate_visitor gate; /* first */
	unsigned number;
	bool leaves_at_once;
};

static struct visitor visitors[MAX_VISITORS];
static unsigned entered[MAX_VISITORS], n_entered;
static unsigned depth; /* of calls inside of calls */
static struct gates *gates;

static void on_enter(void *arg, struct gate_visitor *link)
{
	const struct visitor *visitor = (struct visitor *)link;

	cr_assert_eq(arg, &gates);
	entered[n_entered++] = visitor->number;
	cr_expect_eq(++depth, 1);
	if (visitor->leaves_at_once)
		gate_leave(gates, 1, link);
	depth--;
}

static void open_gates(void)
{
	gates = gates_new(on_enter, &gates);
	cr_assert_not_null(gates);
	for (unsigned i = 0; i < MAX_VISITORS; i++) {
		visitors[i].number = i;
		list_init(&visitors[i].gate.link);
	}
}

/* Visitors from first up to, but not with, end come to slot 1. */
static void expect_enter(unsigned first, unsigned end, unsigned max_inside, err_t expected)
{
	for (unsigned i = first; i < end; i++)
		cr_expect_eq(gate_enter(gates, 1, max_inside, &visitors[i].gate), expected,
			     "visitor %u", i);
}

static void expect_entered(const unsigned *numbers, unsigned n)
{
	cr_assert_eq(n_entered, n, "%u entered, not %u", n_entered, n);
	for (unsigned i = 0; i < n; i++)
		cr_expect_eq(entered[i], numbers[i]);
	n_entered = 0;
}

#define EXPECT_ENTERED(...)                             \
	expect_entered((const unsigned[]){__VA_ARGS__}, \
		       sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

Test(gate, SL_08_EM_19_inside_then_queue_then_refused)
{
	open_gates();
	expect_enter(0, 3, 3, OK);
	expect_enter(3, 15, 3, ERR_AGAIN);
	expect_enter(15, 20, 3, ERR_OVERLOAD_UPSTREAM);
	cr_expect(list_is_empty(&visitors[15].gate.link), "who is refused is in no queue");
	cr_expect_eq(n_entered, 0);
	gates_free(gates);
}

Test(gate, SL_08_queue_enters_in_order)
{
	open_gates();
	expect_enter(0, 2, 2, OK);
	expect_enter(2, 5, 2, ERR_AGAIN);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(2);
	cr_expect(list_is_empty(&visitors[2].gate.link));
	gate_leave(gates, 1, &visitors[0].gate);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(3, 4);
	gate_leave(gates, 1, &visitors[0].gate);
	gate_leave(gates, 1, &visitors[0].gate);
	cr_expect_eq(n_entered, 0);
	expect_enter(5, 7, 2, OK);
	expect_enter(7, 8, 2, ERR_AGAIN);
	gates_free(gates);
}

Test(gate, nobody_overtakes_the_queue)
{
	open_gates();
	expect_enter(0, 1, 1, OK);
	expect_enter(1, 2, 1, ERR_AGAIN);
	expect_enter(2, 3, 4, ERR_AGAIN); /* a reload has made room for four */
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(1, 2);
	gates_free(gates);
}

Test(gate, reload_that_narrows_it_lets_those_inside_end)
{
	open_gates();
	expect_enter(0, 3, 3, OK);
	expect_enter(3, 4, 3, ERR_AGAIN);
	expect_enter(4, 5, 1, ERR_AGAIN);
	gate_leave(gates, 1, &visitors[0].gate);
	gate_leave(gates, 1, &visitors[0].gate);
	cr_expect_eq(n_entered, 0);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(3);
	gates_free(gates);
}

/* Many who leave while they enter must not stand on one another's stack. */
Test(gate, visitors_that_leave_at_once)
{
	open_gates();
	expect_enter(0, 10, 10, OK);
	for (unsigned i = 10; i < 50; i++)
		visitors[i].leaves_at_once = true;
	expect_enter(10, 50, 10, ERR_AGAIN);
	gate_leave(gates, 1, &visitors[0].gate);
	cr_expect_eq(n_entered, 40);
	for (unsigned i = 0; i < 40; i++)
		cr_expect_eq(entered[i], i + 10);
	expect_enter(50, 51, 10, OK);
	expect_enter(51, 52, 10, ERR_AGAIN);
	gates_free(gates);
}

Test(gate, background_has_a_quarter_and_comes_last)
{
	open_gates();
	for (unsigned i = 0; i < 20; i += 2)
		visitors[i].gate.is_background = true;
	cr_expect_eq(gate_enter(gates, 1, 8, &visitors[0].gate), OK);
	cr_expect_eq(gate_enter(gates, 1, 8, &visitors[2].gate), OK);
	cr_expect_eq(gate_enter(gates, 1, 8, &visitors[4].gate), ERR_AGAIN, "a quarter of 8");
	for (unsigned i = 1; i < 12; i += 2)
		cr_expect_eq(gate_enter(gates, 1, 8, &visitors[i].gate), OK);
	cr_expect_eq(gate_enter(gates, 1, 8, &visitors[13].gate), ERR_AGAIN);
	cr_expect_eq(gate_enter(gates, 1, 8, &visitors[6].gate), ERR_AGAIN);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(13); /* later, but a client waits for it */
	gate_leave(gates, 1, &visitors[1].gate);
	EXPECT_ENTERED(4);
	gate_leave(gates, 1, &visitors[3].gate);
	cr_expect_eq(n_entered, 0, "the background is full");
	gate_leave(gates, 1, &visitors[2].gate);
	EXPECT_ENTERED(6);
	gates_free(gates);
}

Test(gate, background_of_few_is_one)
{
	open_gates();
	visitors[0].gate.is_background = visitors[1].gate.is_background = true;
	cr_expect_eq(gate_enter(gates, 1, 3, &visitors[0].gate), OK);
	cr_expect_eq(gate_enter(gates, 1, 3, &visitors[1].gate), ERR_AGAIN);
	cr_expect_eq(gate_enter(gates, 1, 3, &visitors[2].gate), OK);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(1);
	gates_free(gates);
}

Test(gate, slots_have_gates_of_their_own)
{
	open_gates();
	expect_enter(0, 1, 1, OK);
	cr_expect_eq(gate_enter(gates, 4095, 1, &visitors[1].gate), OK);
	cr_expect_eq(gate_enter(gates, 0, 1, &visitors[2].gate), OK);
	expect_enter(3, 4, 1, ERR_AGAIN);
	gate_leave(gates, 4095, &visitors[0].gate);
	gate_leave(gates, 0, &visitors[0].gate);
	cr_expect_eq(n_entered, 0);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(3);
	gates_free(gates);
	gates_free(NULL);
}

Test(gate, SL_08_background_is_promoted_wherever_it_is)
{
	open_gates();
	for (unsigned i = 0; i < 6; i++)
		visitors[i].gate.is_background = true;
	expect_enter(0, 2, 8, OK);
	expect_enter(2, 5, 8, ERR_AGAIN);
	gate_promote(gates, 1, &visitors[5].gate);
	gate_promote(gates, 1, &visitors[3].gate);
	EXPECT_ENTERED(3); /* there is room for those whom a client waits for */
	gate_promote(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(2); /* the background has lost one of its two */
	expect_enter(5, 9, 8, OK);
	cr_expect_eq(n_entered, 0);
	gate_leave(gates, 1, &visitors[0].gate);
	cr_expect_eq(n_entered, 0);
	gate_leave(gates, 1, &visitors[1].gate);
	EXPECT_ENTERED(4);
	gate_promote(gates, 1, &visitors[4].gate);
	gate_promote(gates, 1, &visitors[4].gate);
	gate_leave(gates, 1, &visitors[4].gate);
	gates_free(gates);
}

Test(gate, SL_08_promoted_ones_stand_in_line)
{
	open_gates();
	visitors[1].gate.is_background = visitors[2].gate.is_background = true;
	expect_enter(0, 1, 1, OK);
	expect_enter(1, 4, 1, ERR_AGAIN);
	gate_promote(gates, 1, &visitors[2].gate);
	gate_leave(gates, 1, &visitors[0].gate);
	EXPECT_ENTERED(3);
	gate_leave(gates, 1, &visitors[3].gate);
	EXPECT_ENTERED(2);
	gate_leave(gates, 1, &visitors[2].gate);
	EXPECT_ENTERED(1);
	gate_leave(gates, 1, &visitors[1].gate);
	cr_expect_eq(n_entered, 0);
	gates_free(gates);
}
