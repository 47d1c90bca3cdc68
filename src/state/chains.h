/* SPDX-License-Identifier: ISC */
/*
 * A chained hash table of nodes that their owners embed: for the tables off the hot path, whose
 * things live in blocks of their own and are looked up by a keyed hash. It owns its chains only, no
 * lock, and cannot fail once it exists: without memory to grow its chains get longer.
 *
 *	for (node = chains_first(&chains, hash); node != NULL; node = chains_next(node))
 *		if (LIST_ENTRY(node, struct thing, node) is the one) ...
 */
#ifndef OCSPRELAY_STATE_CHAINS_H
#define OCSPRELAY_STATE_CHAINS_H

#include "types.h"

struct chain_node {
	struct chain_node *next;
	uint64_t hash;
};

struct chains {
	struct chain_node **heads; /* owned */
	size_t n_heads;		   /* a power of two */
	size_t n_nodes;
};

MUST_CHECK bool chains_init(struct chains *chains); /* false without memory */

/* Hands every node to fn, which may free it and may be NULL, then ends the table. */
typedef void chains_fn(struct chain_node *node);
void chains_fini(struct chains *chains, chains_fn *fn);

/* The nodes of exactly this hash, in any order; NULL at the end. */
struct chain_node *chains_first(const struct chains *chains, uint64_t hash);
struct chain_node *chains_next(const struct chain_node *node);

void chains_add(struct chains *chains, struct chain_node *node, uint64_t hash);
void chains_remove(struct chains *chains, struct chain_node *node); /* which is in the table */

#endif
