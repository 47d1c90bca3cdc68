/* SPDX-License-Identifier: ISC */
/* Of many entries the few that expire first, in order, and none is leaked. */
#include "state/soonest.h"

#include <criterion/criterion.h>

#include "entries.h"

enum {
	N = 100
};

/* The i-th in the order of expiry, n-th to come. */
static void offer(struct soonest *soonest, struct tails *tails, uint64_t i)
{
	struct entry *entry = entry_of(tails, &(struct entry_spec){.n = i, .this_update = 1});

	entry->hard_expiry = 1000 + (int)i;
	soonest_offer(soonest, entry);
	entry_unref(entry);
}

static void expect_first(const struct soonest *soonest, size_t n)
{
	cr_assert_eq(soonest->n, n);
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(soonest->entries[i]->hard_expiry, 1000 + (int64_t)i, "%zu", i);
}

Test(soonest, keeps_the_first_whatever_the_order)
{
	static const uint64_t steps[] = {1, N - 1, 37, 63}; /* coprime to N */
	struct tails *tails = tails_new(entries_hash_key);

	for (size_t row = 0; row < sizeof(steps) / sizeof(steps[0]); row++) {
		struct soonest soonest = {.n = 0};

		for (uint64_t i = 0; i < N; i++)
			offer(&soonest, tails, i * steps[row] % N);
		expect_first(&soonest, SOONEST_MAX);
		soonest_fini(&soonest);
		cr_expect_eq(soonest.n, 0);
	}
	cr_expect_eq(tails_memory(tails), 0, "an entry is left");
	tails_free(tails);
}

Test(soonest, fewer_than_it_holds)
{
	struct tails *tails = tails_new(entries_hash_key);
	struct soonest soonest = {.n = 0};

	expect_first(&soonest, 0);
	offer(&soonest, tails, 2);
	offer(&soonest, tails, 0);
	offer(&soonest, tails, 1);
	expect_first(&soonest, 3);
	soonest_fini(&soonest);
	tails_free(tails);
}
