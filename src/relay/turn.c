/* SPDX-License-Identifier: ISC */
/* Leases of keys. */
#include "relay/turn.h"

#include "io/clock.h"
#include "relay/back.h"

#define MS_POLL 250
#define DEATHS	4 /* of others, one after the other, within a client's deadline */

void turn_init(struct turn *turn, struct back *back, const struct ask *question, turn_fn *wake,
	       void *arg)
{
	*turn = (struct turn){.back = back, .question = question, .wake = wake, .arg = arg};
}

static void on_lease(void *arg, err_t err)
{
	struct turn *turn = arg;

	if (err != OK)
		turn->lease = NULL;
	turn->err = err;
	turn->wake(turn->arg);
}

/* A request that is one client's own concerns nobody else. When the one who fetches dies, or takes
 * too long, those who wait for it have half of a client's time left to do it themselves. */
enum step turn_ask(struct turn *turn)
{
	const struct ask *question = turn->question;
	int64_t ms_deadline = question->issuer->policy.ms_deadline, ms_now = clock_mono_ms();
	const struct store_lease_ops ops = {
	    .fn = on_lease, .arg = turn, .ms = ms_deadline / DEATHS};

	if (turn->is_ours || turn->back->shared == NULL || question->kind == ASK_ALONE)
		return STEP_NEXT;
	if (turn->ms_patience == 0)
		turn->ms_patience = time_add(ms_now, ms_deadline / 2);
	if (ms_now >= turn->ms_patience)
		return STEP_NEXT;
	if (store_lease(turn->back->shared, key_bytes(&question->key), &ops, &turn->lease) !=
	    ERR_AGAIN)
		return STEP_NEXT;
	return STEP_WAIT;
}

static void on_poll(void *arg)
{
	struct turn *turn = arg;

	turn->poll = NULL;
	turn->wake(turn->arg);
}

enum step turn_wait(struct turn *turn)
{
	turn->is_ours = turn->err == OK;
	if (turn->is_ours)
		return STEP_NEXT;
	if (turn->err != ERR_BUSY)
		return STEP_DONE;
	turn->poll = timer_start(turn->back->loop, MS_POLL, on_poll, turn);
	return turn->poll != NULL ? STEP_WAIT : STEP_DONE;
}

void turn_hear(struct turn *turn)
{
	if (turn->poll == NULL)
		return;
	timer_cancel(turn->poll);
	on_poll(turn);
}

void turn_end(struct turn *turn)
{
	timer_cancel(turn->poll);
	store_release(turn->lease);
	turn->poll = NULL;
	turn->lease = NULL;
}
