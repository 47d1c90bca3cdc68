/* SPDX-License-Identifier: ISC */
/* A few transfers at once over kept connections; what cannot be asked is settled on the way. */
#include "cmd/staple_round.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/entropy.h"

#define AT_ONCE	     8
#define MAX_RESPONSE 1048576

struct slot {
	struct staple_round *round;
	struct staple *staple; /* NULL: free */
};

struct staple_round {
	struct staple_round_opts opts;
	struct upstream *upstream;
	struct slot slots[AT_ONCE];
	struct staples *staples; /* of this round */
	size_t next;		 /* of them to look at */
	unsigned n_asked;	 /* at this moment */
	size_t n_due, n_done;	 /* of this round */
	struct timer *later;
};

struct staple_round *staple_round_new(const struct staple_round_opts *opts)
{
	const struct upstream_opts upstream = {.loop = opts->loop,
					       .max_response = MAX_RESPONSE,
					       .via = "ocsprelay-staple",
					       .max_connections = AT_ONCE};
	struct staple_round *round = calloc(1, sizeof(*round));

	if (round == NULL)
		return NULL;
	round->opts = *opts;
	round->upstream = upstream_new(&upstream);
	for (size_t i = 0; i < AT_ONCE; i++)
		round->slots[i].round = round;
	if (round->upstream != NULL)
		return round;
	free(round);
	return NULL;
}

void staple_round_free(struct staple_round *round)
{
	if (round == NULL)
		return;
	timer_cancel(round->later);
	upstream_free(round->upstream);
	free(round);
}

static void on_later(void *arg)
{
	struct staple_round *round = arg;

	round->later = NULL;
	round->opts.done(round->opts.arg);
}

static void ask_next(struct staple_round *round);

static void show_progress(struct staple_round *round)
{
	if (round->opts.progress != NULL)
		round->opts.progress(round->opts.arg, round->n_done, round->n_due);
}

static void count_done(struct staple_round *round)
{
	round->n_done++;
	show_progress(round);
}

static void on_answer(void *arg, const struct upstream_answer *answer)
{
	struct slot *slot = arg;
	struct staple *staple = slot->staple;
	char status[32] = "";

	slot->staple = NULL;
	slot->round->n_asked--;
	if (answer->http_status != 0 && answer->http_status != 200)
		snprintf(status, sizeof(status), "HTTP status %u", answer->http_status);
	staple_take(staple,
		    &(struct staple_answer){.err = answer->err,
					    .detail = *answer->detail ? answer->detail : status,
					    .der = answer->body,
					    .now = clock_wall(),
					    .chance = entropy_jitter()});
	count_done(slot->round);
	ask_next(slot->round);
}

static struct slot *free_slot(struct staple_round *round)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		if (round->slots[i].staple == NULL)
			return &round->slots[i];
	}
	return NULL;
}

static void ask(struct slot *slot, struct staple *staple)
{
	struct staple_round *round = slot->round;

	if (question_ask(round->upstream, &staple->question, &round->opts.way, on_answer, slot)) {
		slot->staple = staple;
		round->n_asked++;
		return;
	}
	staple_take(staple, &(struct staple_answer){.err = ERR_NO_MEMORY,
						    .detail = "",
						    .now = clock_wall(),
						    .chance = entropy_jitter()});
	count_done(round);
}

static void ask_next(struct staple_round *round)
{
	struct slot *slot;

	while (round->next < round->staples->n && (slot = free_slot(round)) != NULL) {
		struct staple *staple = round->staples->items[round->next++];

		if (!staple->is_asked)
			continue;
		if (staple->cert != NULL) {
			ask(slot, staple);
		} else {
			staple_take_none(staple, clock_wall(), entropy_jitter());
			count_done(round);
		}
	}
	if (round->n_asked == 0 && round->later == NULL)
		round->later = timer_start(round->opts.loop, 0, on_later, round);
}

void staple_round_start(struct staple_round *round, struct staples *staples)
{
	int64_t now = clock_wall();

	round->staples = staples;
	round->next = round->n_due = round->n_done = 0;
	for (size_t i = 0; i < staples->n; i++) {
		staples->items[i]->is_asked = staples->items[i]->due <= now;
		round->n_due += staples->items[i]->is_asked;
	}
	show_progress(round);
	ask_next(round);
}
