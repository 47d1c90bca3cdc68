/* SPDX-License-Identifier: ISC */
/*
 * The gate to an issuer's responders: so many flights may fetch at once, four times as many may
 * queue, the rest is refused at once (rule SL-08). Flights that no client waits for go in the
 * background: at most a quarter of those inside, and never before one that a client waits for. One
 * gate per issuer and back thread; found by the issuer's slot number, which outlives reloads.
 */
#ifndef OCSPRELAY_RELAY_GATE_H
#define OCSPRELAY_RELAY_GATE_H

#include "base/list.h"
#include "err.h"
#include "types.h"

struct gates;

struct gate_visitor {
	struct list link;   /* list_init before the first call */
	bool is_background; /* set before the first call, then the gate's */
	bool is_inside;	    /* the gate's */
};

/* Called when a queued visitor has entered. */
typedef void gate_fn(void *arg, struct gate_visitor *visitor);

struct gates *gates_new(gate_fn *fn, void *arg); /* NULL without memory */
void gates_free(struct gates *gates);

/* OK: entered, gate_leave is due later. ERR_AGAIN: visitor is queued, fn is called when it has
 * entered. ERR_OVERLOAD_UPSTREAM, ERR_NO_MEMORY. */
MUST_CHECK err_t gate_enter(struct gates *gates, unsigned slot, unsigned max_inside,
			    struct gate_visitor *visitor);

/* A client waits for this visitor now, wherever it is: outside, in a queue, inside. It comes after
 * those whom clients have waited for before; a full queue does not refuse it. fn may be called
 * before this returns. */
void gate_promote(struct gates *gates, unsigned slot, struct gate_visitor *visitor);

/* Leaves, and lets in whoever waits. fn may be called before this returns. */
void gate_leave(struct gates *gates, unsigned slot, struct gate_visitor *visitor);

#endif
