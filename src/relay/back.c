/* SPDX-License-Identifier: ISC */
/* Wiring of a back thread: asks become flights, answers go home. */
#include "relay/back.h"

#include <assert.h>
#include <stdlib.h>

#include "base/counters.h"
#include "io/clock.h"
#include "io/thread.h"
#include "relay/ask.h"
#include "relay/fleet.h"
#include "relay/flight.h"
#include "relay/notice.h"
#include "relay/refresher.h"
#include "state/due.h"

#define MAX_ASKS 65536 /* in the mailbox; beyond, requests are shed (EM-19) */

static void on_ask(void *arg, struct message *message)
{
	flight_join(arg, (struct ask *)message);
}

static void on_notice(void *arg, struct message *message)
{
	struct back *back = arg;
	struct notice *notice = (struct notice *)message;
	struct rules *old = back->rules;

	if (notice->kind == NOTICE_RULES) {
		back->rules = notice->rules;
		notice->rules = old;
	}
	if (mailbox_post(back->common->main_mailbox, message) != OK)
		notice_free(notice);
}

struct back *back_new(const struct common *common, struct rules *rules)
{
	struct back *back = calloc(1, sizeof(*back));
	struct upstream_opts opts = {.max_response = rules->settings->limits.max_upstream_response,
				     .via = common->pseudonym,
				     .max_connections = 256};

	if (back == NULL)
		return NULL;
	back->common = common;
	back->rules = rules_ref(rules);
	list_init(&back->flights);
	back->loop = loop_new();
	back->stores = calloc(common->n_stores + 1, sizeof(struct store *));
	if (back->loop == NULL || back->stores == NULL)
		goto fail;
	for (size_t i = 0; i < common->n_stores; i++) {
		back->stores[i] = store_attach(common->stores[i], back->loop);
		if (back->stores[i] == NULL)
			goto fail;
		if (back->shared == NULL && store_is_shared(back->stores[i])) {
			back->shared = back->stores[i];
			back->shared_index = i;
		}
	}
	opts.loop = back->loop;
	back->upstream = upstream_new(&opts);
	back->asks = mailbox_new(back->loop, MAX_ASKS, on_ask, back);
	back->notices = mailbox_new(back->loop, 0, on_notice, back);
	back->inflight = inflight_new(common->hash_key);
	back->gates = gates_new(flight_enter, back);
	back->fleet = fleet_new(back);
	back->due = due_new(clock_mono_ms() / 1000);
	back->refresher = refresher_new(back);
	if (back->upstream == NULL || back->asks == NULL || back->notices == NULL ||
	    back->inflight == NULL || back->gates == NULL || back->fleet == NULL ||
	    back->due == NULL || back->refresher == NULL)
		goto fail;
	return back;
fail:
	back_free(back);
	return NULL;
}

void back_free(struct back *back)
{
	if (back == NULL)
		return;
	flights_drop(back);
	fleet_free(back->fleet);
	refresher_free(back->refresher);
	due_free(back->due);
	gates_free(back->gates);
	inflight_free(back->inflight);
	mailbox_free(back->asks, ask_drop, NULL);
	mailbox_free(back->notices, notice_drop, NULL);
	upstream_free(back->upstream);
	for (size_t i = 0; back->stores != NULL && i < back->common->n_stores; i++)
		store_detach(back->stores[i]);
	free(back->stores);
	loop_free(back->loop);
	rules_unref(back->rules);
	free(back);
}

void *back_run(void *arg)
{
	struct back *back = arg;

	thread_begin("back", THREAD_PATIENT);
	loop_run(back->loop);
	counter_thread_end();
	return NULL;
}

void back_send_home(struct ask *ask, err_t err)
{
	ask->err = err;
	if (ask->home == NULL) {
		if (ask->refresher != NULL)
			refresher_end(ask->refresher, ask);
		ask_free(ask);
		return;
	}
	/* An answer must not be lost, so the mailboxes of front threads have no bound of their own:
	 * every ask in them was counted by the bounds on its way here. */
	err = mailbox_post(ask->home, &ask->message);
	assert(err == OK);
}
