/* SPDX-License-Identifier: ISC */
/* Counting who is inside, queueing who is not. */
#include "relay/gate.h"

#include <stdlib.h>

struct gate {
	unsigned n_inside, max_inside, n_queued;
	bool is_admitting; /* a visitor that leaves at once must not recurse */
	struct list queue;
};

struct gates {
	struct gate **of_slot; /* NULL where nobody came yet */
	unsigned n;
	gate_fn *fn;
	void *arg;
};

struct gates *gates_new(gate_fn *fn, void *arg)
{
	struct gates *gates = calloc(1, sizeof(*gates));

	if (gates == NULL)
		return NULL;
	gates->fn = fn;
	gates->arg = arg;
	return gates;
}

void gates_free(struct gates *gates)
{
	if (gates == NULL)
		return;
	for (unsigned i = 0; i < gates->n; i++)
		free(gates->of_slot[i]);
	free(gates->of_slot);
	free(gates);
}

static struct gate *find(struct gates *gates, unsigned slot)
{
	struct gate **grown;
	struct gate *gate;

	if (slot >= gates->n) {
		grown = realloc(gates->of_slot, (slot + 1) * sizeof(struct gate *));
		if (grown == NULL)
			return NULL;
		gates->of_slot = grown;
		while (gates->n <= slot)
			gates->of_slot[gates->n++] = NULL;
	}
	gate = gates->of_slot[slot];
	if (gate == NULL && (gate = calloc(1, sizeof(*gate))) != NULL) {
		list_init(&gate->queue);
		gates->of_slot[slot] = gate;
	}
	return gate;
}

err_t gate_enter(struct gates *gates, unsigned slot, unsigned max_inside, struct list *visitor)
{
	struct gate *gate = find(gates, slot);

	if (gate == NULL)
		return ERR_NO_MEMORY;
	gate->max_inside = max_inside;
	if (gate->n_inside < max_inside && gate->n_queued == 0) {
		gate->n_inside++;
		return OK;
	}
	if (gate->n_queued >= 4 * max_inside)
		return ERR_OVERLOAD_UPSTREAM;
	gate->n_queued++;
	list_append(&gate->queue, visitor);
	return ERR_AGAIN;
}

void gate_leave(struct gates *gates, unsigned slot)
{
	struct gate *gate = gates->of_slot[slot];
	struct list *visitor;

	gate->n_inside--;
	if (gate->is_admitting)
		return;
	gate->is_admitting = true;
	while (gate->n_inside < gate->max_inside && (visitor = list_shift(&gate->queue)) != NULL) {
		gate->n_queued--;
		gate->n_inside++;
		gates->fn(gates->arg, visitor);
	}
	gate->is_admitting = false;
}
