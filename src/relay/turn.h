/* SPDX-License-Identifier: ISC */
/*
 * Whose turn it is, among the relays that share a store, to fetch a key: the one with the lease.
 * The others wait for news of what it stored, look into the store now and then because news get
 * lost, and take over when it gave up or died. Where the store is down, or it takes too long,
 * everybody fetches for himself: a fleet is never worse than its parts. Back threads only.
 */
#ifndef OCSPRELAY_RELAY_TURN_H
#define OCSPRELAY_RELAY_TURN_H

#include "relay/ask.h"
#include "relay/step.h"

struct back;

typedef void turn_fn(void *arg);

struct turn {
	struct back *back;
	const struct ask *question;
	turn_fn *wake;
	void *arg;

	struct store_lease *lease; /* asked for, or ours */
	struct timer *poll;	   /* while it is another one's */
	err_t err;		   /* what became of asking */
	bool is_ours;
	int64_t ms_patience; /* until then (monotonic) others may go first; 0: not asked yet */
};

/* All is kept. */
void turn_init(struct turn *turn, struct back *back, const struct ask *question, turn_fn *wake,
	       void *arg);

/* STEP_NEXT: there is nobody to wait for. STEP_WAIT: wake is called when turn_wait can be asked. */
enum step turn_ask(struct turn *turn);

/*
 * Afterwards. STEP_DONE: nobody knows whose turn it is. Else the store is to be looked into again,
 * since somebody may have fetched what was missing a moment ago: at once with STEP_NEXT, it is our
 * turn; or with STEP_WAIT when wake is called.
 */
enum step turn_wait(struct turn *turn);

/* There is news of the key. */
void turn_hear(struct turn *turn);

/* Gives up the lease. wake is not called any more. */
void turn_end(struct turn *turn);

#endif
