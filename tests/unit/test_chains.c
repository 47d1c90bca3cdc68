/* SPDX-License-Identifier: ISC */
/* The chained hash table: growth, equal hashes, removal from anywhere in a chain. */
#include <criterion/criterion.h>

#include "base/list.h"
#include "state/chains.h"

enum {
	N_THINGS = 1000
};

struct thing {
	unsigned n;
	struct chain_node node;
};

static struct thing *find(const struct chains *chains, uint64_t hash, unsigned n)
{
	for (struct chain_node *node = chains_first(chains, hash); node != NULL;
	     node = chains_next(node)) {
		struct thing *thing = LIST_ENTRY(node, struct thing, node);

		cr_assert_eq(node->hash, hash);
		if (thing->n == n)
			return thing;
	}
	return NULL;
}

Test(chains, holds_nodes_of_equal_and_of_colliding_hashes)
{
	static struct thing things[N_THINGS];
	struct chains chains;

	cr_assert(chains_init(&chains));
	cr_assert_null(chains_first(&chains, 0));
	for (unsigned n = 0; n < N_THINGS; n++) {
		things[n].n = n;
		chains_add(&chains, &things[n].node, (n / 2) << 4); /* pairs, one chain at first */
	}
	cr_assert_eq(chains.n_nodes, N_THINGS);
	for (unsigned n = 0; n < N_THINGS; n += 3)
		chains_remove(&chains, &things[n].node);
	for (unsigned n = 0; n < N_THINGS; n++)
		cr_assert_eq(find(&chains, (n / 2) << 4, n), n % 3 == 0 ? NULL : &things[n], "%u",
			     n);
	chains_fini(&chains, NULL);
}

static unsigned n_freed;

static void count(struct chain_node *node)
{
	node->next = NULL;
	n_freed++;
}

Test(chains, fini_hands_out_every_node_once)
{
	static struct thing things[N_THINGS];
	struct chains chains;

	cr_assert(chains_init(&chains));
	for (unsigned n = 0; n < N_THINGS; n++)
		chains_add(&chains, &things[n].node, n);
	chains_fini(&chains, count);
	cr_assert_eq(n_freed, N_THINGS);
}
