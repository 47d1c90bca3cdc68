/* SPDX-License-Identifier: ISC */
/* Wiring of a front thread: the server's door opens into exchanges. */
#include "relay/front.h"

#include <stdlib.h>

#include "base/counters.h"
#include "io/entropy.h"
#include "io/thread.h"
#include "relay/ask.h"
#include "relay/exchange.h"
#include "relay/waiting.h"

/* Request lines are at most 64 KiB (tbl/options.h); the decoder wants twice the target. */
#define SCRATCH_SIZE (2 * 65536)

static void on_request(void *arg, struct connection *connection, const struct http_request *request,
		       struct slice body)
{
	exchange_begin(arg, connection, request, body);
}

static void on_refuse(void *arg, struct connection *connection, err_t err,
		      const struct http_request *request)
{
	exchange_refuse(arg, connection, err, request);
}

static void on_gone(void *arg, struct connection *connection, void *context)
{
	(void)arg;
	(void)connection;
	waiting_abandon(context);
}

static void send_home(struct front *front, struct notice *notice)
{
	/* the main thread's mailbox is unbounded */
	if (mailbox_post(front->common->main_mailbox, &notice->message) != OK)
		notice_free(notice);
}

static void on_drained(void *arg)
{
	struct front *front = arg;
	struct notice *notice = front->draining;

	front->draining = NULL;
	if (notice != NULL)
		send_home(front, notice);
}

static void on_answer(void *arg, struct message *message)
{
	(void)arg;
	waiting_end((struct ask *)message);
}

static void on_notice(void *arg, struct message *message)
{
	struct front *front = arg;
	struct notice *notice = (struct notice *)message;
	struct rules *old = front->rules;

	switch (notice->kind) {
	case NOTICE_RULES:
		front->rules = notice->rules;
		notice->rules = old;
		server_set_limits(front->server, &front->rules->settings->limits,
				  front->rules->allow);
		send_home(front, notice);
		break;
	case NOTICE_DRAIN:
		front->draining = notice;
		server_drain(front->server);
		break;
	case NOTICE_PULSE:
		send_home(front, notice);
		break;
	}
}

struct front *front_new(const struct common *common, struct rules *rules)
{
	struct front *front = calloc(1, sizeof(*front));
	struct server_opts opts = {.limits = &rules->settings->limits,
				   .allow = rules->allow,
				   .addresses = common->addresses,
				   .pseudonym = common->pseudonym};

	if (front == NULL)
		return NULL;
	front->common = common;
	front->rules = rules_ref(rules);
	front->date_of = -1;
	entropy_fill(&front->n_told, sizeof(front->n_told));
	entropy_fill(&front->id_key, sizeof(front->id_key));
	front->scratch = malloc(SCRATCH_SIZE);
	front->loop = loop_new();
	if (front->scratch == NULL || front->loop == NULL)
		goto fail;
	front->answers = mailbox_new(front->loop, 0, on_answer, front);
	front->notices = mailbox_new(front->loop, 0, on_notice, front);
	opts.loop = front->loop;
	opts.door = (struct server_door){.request = on_request,
					 .refuse = on_refuse,
					 .gone = on_gone,
					 .drained = on_drained,
					 .arg = front};
	front->server = server_new(&opts);
	if (front->answers == NULL || front->notices == NULL || front->server == NULL)
		goto fail;
	return front;
fail:
	front_free(front);
	return NULL;
}

void front_free(struct front *front)
{
	if (front == NULL)
		return;
	server_free(front->server);
	mailbox_free(front->answers, ask_drop, NULL);
	mailbox_free(front->notices, notice_drop, NULL);
	notice_free(front->draining);
	loop_free(front->loop);
	rules_unref(front->rules);
	free(front->scratch);
	free(front);
}

void *front_run(void *arg)
{
	struct front *front = arg;

	thread_begin("front", THREAD_PROMPT);
	loop_run(front->loop);
	counter_thread_end();
	return NULL;
}

const char *front_date(struct front *front, int64_t now)
{
	if (now != front->date_of) {
		front->date_of = now;
		date_to_http(front->date, now);
	}
	return front->date;
}
