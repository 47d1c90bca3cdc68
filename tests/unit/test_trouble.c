/* SPDX-License-Identifier: ISC */
/* Rehearsals and what was answered during outages. */
#include "state/trouble.h"

#include <criterion/criterion.h>

Test(trouble, rehearsal_ends_by_itself)
{
	struct trouble *trouble = trouble_new();

	cr_expect_eq(trouble_rehearsal_left(trouble, 3, 1000), 0);
	trouble_rehearse(trouble, 3, 5000);
	cr_expect_eq(trouble_rehearsal_left(trouble, 3, 1000), 4000);
	cr_expect_eq(trouble_rehearsal_left(trouble, 3, 4999), 1);
	cr_expect_eq(trouble_rehearsal_left(trouble, 3, 5000), 0);
	cr_expect_eq(trouble_rehearsal_left(trouble, 2, 1000), 0);
	trouble_rehearse(trouble, 3, 0);
	cr_expect_eq(trouble_rehearsal_left(trouble, 3, 1000), 0);
	trouble_free(trouble);
	trouble_free(NULL);
}

Test(trouble, answers_are_saved_while_none_works)
{
	struct trouble *trouble = trouble_new();

	trouble_note(trouble, 1, false, 10);
	cr_expect_eq(trouble_saved(trouble, 1, 100), 0);
	trouble_note(trouble, 1, true, 100);
	cr_expect_eq(trouble_saved(trouble, 1, 130), 30);
	trouble_note(trouble, 1, true, 140); /* goes on */
	trouble_note(trouble, 1, false, 150);
	cr_expect_eq(trouble_saved(trouble, 1, 900), 50);
	trouble_note(trouble, 1, true, 1000);
	cr_expect_eq(trouble_saved(trouble, 1, 1001), 51);
	cr_expect_eq(trouble_saved(trouble, 2, 1001), 0);
	trouble_free(trouble);
}

/* Counters are summed without a lock, so a sum may lag behind one that another thread has seen. */
Test(trouble, count_that_lags_behind_takes_nothing_away)
{
	struct trouble *trouble = trouble_new();

	trouble_note(trouble, 1, true, 100);
	cr_expect_eq(trouble_saved(trouble, 1, 99), 0);
	trouble_note(trouble, 1, false, 99);
	cr_expect_eq(trouble_saved(trouble, 1, 200), 0);
	trouble_free(trouble);
}
