/* SPDX-License-Identifier: ISC */
/* Chained hash tables: as many chains as nodes or more, doubled when that ends. */
#include "state/chains.h"

#include <stdlib.h>

enum {
	FIRST_HEADS = 16 /* a power of two */
};

bool chains_init(struct chains *chains)
{
	struct chain_node **heads = calloc(FIRST_HEADS, sizeof(struct chain_node *));

	if (heads == NULL)
		return false;
	*chains = (struct chains){.heads = heads, .n_heads = FIRST_HEADS};
	return true;
}

void chains_fini(struct chains *chains, chains_fn *fn)
{
	for (size_t i = 0; fn != NULL && i < chains->n_heads; i++) {
		for (struct chain_node *node = chains->heads[i], *next; node != NULL; node = next) {
			next = node->next;
			fn(node);
		}
	}
	free(chains->heads);
	*chains = (struct chains){.heads = NULL};
}

static struct chain_node **head_of(const struct chains *chains, uint64_t hash)
{
	return &chains->heads[hash & (chains->n_heads - 1)];
}

static struct chain_node *skip_others(struct chain_node *node, uint64_t hash)
{
	while (node != NULL && node->hash != hash)
		node = node->next;
	return node;
}

struct chain_node *chains_first(const struct chains *chains, uint64_t hash)
{
	return skip_others(*head_of(chains, hash), hash);
}

struct chain_node *chains_next(const struct chain_node *node)
{
	return skip_others(node->next, node->hash);
}

static void link_in(struct chains *chains, struct chain_node *node)
{
	struct chain_node **head = head_of(chains, node->hash);

	node->next = *head;
	*head = node;
}

static void grow(struct chains *chains)
{
	struct chains wider = {.n_heads = chains->n_heads * 2, .n_nodes = chains->n_nodes};

	wider.heads = calloc(wider.n_heads, sizeof(struct chain_node *));
	if (wider.heads == NULL)
		return;
	for (size_t i = 0; i < chains->n_heads; i++) {
		for (struct chain_node *node = chains->heads[i], *next; node != NULL; node = next) {
			next = node->next;
			link_in(&wider, node);
		}
	}
	free(chains->heads);
	*chains = wider;
}

void chains_add(struct chains *chains, struct chain_node *node, uint64_t hash)
{
	if (chains->n_nodes >= chains->n_heads)
		grow(chains);
	node->hash = hash;
	link_in(chains, node);
	chains->n_nodes++;
}

void chains_remove(struct chains *chains, struct chain_node *node)
{
	struct chain_node **link = head_of(chains, node->hash);

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	node->next = NULL;
	chains->n_nodes--;
}
