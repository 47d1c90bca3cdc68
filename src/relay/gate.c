/* SPDX-License-Identifier: ISC */
/* Counting who is inside, queueing who is not. */
#include "relay/gate.h"

#include <stdlib.h>

struct queue {
	struct list visitors;
	unsigned n;
};

struct gate {
	unsigned n_inside, n_background, max_inside; /* n_inside: all of them */
	bool is_admitting;	/* a visitor that leaves at once must not recurse */
	struct queue queues[2]; /* [is_background] */
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
		list_init(&gate->queues[false].visitors);
		list_init(&gate->queues[true].visitors);
		gates->of_slot[slot] = gate;
	}
	return gate;
}

/* Whether there is room for the next one of this kind. */
static bool has_room(const struct gate *gate, bool is_background)
{
	unsigned share = gate->max_inside / 4;

	if (gate->n_inside >= gate->max_inside)
		return false;
	return !is_background ||
	       (gate->n_background < (share > 0 ? share : 1) && gate->queues[false].n == 0);
}

static void let_in(struct gate *gate, struct gate_visitor *visitor)
{
	visitor->is_inside = true;
	gate->n_inside++;
	gate->n_background += visitor->is_background;
}

err_t gate_enter(struct gates *gates, unsigned slot, unsigned max_inside,
		 struct gate_visitor *visitor)
{
	struct gate *gate = find(gates, slot);
	struct queue *queue;

	if (gate == NULL)
		return ERR_NO_MEMORY;
	gate->max_inside = max_inside;
	queue = &gate->queues[visitor->is_background];
	if (queue->n == 0 && has_room(gate, visitor->is_background)) {
		let_in(gate, visitor);
		return OK;
	}
	if (queue->n >= 4 * max_inside)
		return ERR_OVERLOAD_UPSTREAM;
	queue->n++;
	list_append(&queue->visitors, &visitor->link);
	return ERR_AGAIN;
}

static struct gate_visitor *next(struct gate *gate)
{
	for (int is_background = false; is_background <= true; is_background++) {
		struct queue *queue = &gate->queues[is_background];

		if (queue->n == 0 || !has_room(gate, is_background))
			continue;
		queue->n--;
		return LIST_ENTRY(list_shift(&queue->visitors), struct gate_visitor, link);
	}
	return NULL;
}

static void admit(struct gates *gates, struct gate *gate)
{
	struct gate_visitor *visitor;

	if (gate->is_admitting)
		return;
	gate->is_admitting = true;
	while ((visitor = next(gate)) != NULL) {
		let_in(gate, visitor);
		gates->fn(gates->arg, visitor);
	}
	gate->is_admitting = false;
}

void gate_leave(struct gates *gates, unsigned slot, struct gate_visitor *visitor)
{
	struct gate *gate = gates->of_slot[slot];

	visitor->is_inside = false;
	gate->n_inside--;
	gate->n_background -= visitor->is_background;
	admit(gates, gate);
}

void gate_promote(struct gates *gates, unsigned slot, struct gate_visitor *visitor)
{
	struct gate *gate;

	if (!visitor->is_background)
		return;
	visitor->is_background = false;
	if (!visitor->is_inside && list_is_empty(&visitor->link))
		return; /* it has not come here yet */
	gate = gates->of_slot[slot];
	if (visitor->is_inside) {
		gate->n_background--;
	} else {
		gate->queues[true].n--;
		list_remove(&visitor->link);
		gate->queues[false].n++;
		list_append(&gate->queues[false].visitors, &visitor->link);
	}
	admit(gates, gate);
}
