/* SPDX-License-Identifier: ISC */
/* The intrusive list: order, removal from any place, and the unlinked node. */
#include <criterion/criterion.h>

#include "base/list.h"

struct item {
	int before; /* so that the link is not the first member */
	struct list link;
	int number;
};

static struct list head;
static struct item items[3];

static void fill(void)
{
	list_init(&head);
	for (int i = 0; i < 3; i++) {
		items[i].number = i;
		list_append(&head, &items[i].link);
	}
}

/* The numbers in list order as one decimal number, with a 1 in front; both directions agree. */
static int order(void)
{
	int forward = 1, backward = 0, factor = 1;

	for (struct list *node = head.next; node != &head; node = node->next)
		forward = forward * 10 + LIST_ENTRY(node, struct item, link)->number;
	for (struct list *node = head.prev; node != &head; node = node->prev) {
		backward += LIST_ENTRY(node, struct item, link)->number * factor;
		factor *= 10;
	}
	cr_expect_eq(forward, backward + factor);
	return forward;
}

TestSuite(list, .init = fill);

Test(list, keeps_the_order_of_appending)
{
	cr_expect_not(list_is_empty(&head));
	cr_expect_eq(order(), 1012);
}

Test(list, removes_first_middle_and_last)
{
	list_remove(&items[1].link);
	cr_expect_eq(order(), 102);
	list_remove(&items[2].link);
	cr_expect_eq(order(), 10);
	list_remove(&items[0].link);
	cr_expect_eq(order(), 1);
	cr_expect(list_is_empty(&head));
}

Test(list, removing_an_unlinked_node_changes_nothing)
{
	list_remove(&items[1].link);
	cr_expect(list_is_empty(&items[1].link));
	list_remove(&items[1].link);
	cr_expect_eq(order(), 102);
	list_append(&head, &items[1].link);
	cr_expect_eq(order(), 1021);
}

Test(list, shift_gives_the_first_node_until_empty)
{
	for (int i = 0; i < 3; i++) {
		struct list *node = list_shift(&head);

		cr_assert_eq(node, &items[i].link);
		cr_expect_eq(LIST_ENTRY(node, struct item, link), &items[i]);
		cr_expect(list_is_empty(node));
	}
	cr_expect_null(list_shift(&head));
	cr_expect(list_is_empty(&head));
}
