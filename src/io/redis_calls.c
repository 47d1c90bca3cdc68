/* SPDX-License-Identifier: ISC */
/* Lists, and the judgement that follows from them. */
#include "io/redis_calls.h"

#include <stdlib.h>

#define MAX_LATE     3 /* in a row: the server is slow */
#define STALL_FACTOR 3 /* times of a look-up without a reply: the server hangs */

struct redis_call {
	struct redis_calls *calls;
	struct list pending;
	struct list deadline; /* unlinked: it has passed */
	enum redis_pace pace;
	int64_t ms_sent;
	redis_reply_fn *fn;
	void *arg;
};

static struct redis_call *first_pending(const struct redis_calls *calls)
{
	return list_is_empty(&calls->pending)
		   ? NULL
		   : LIST_ENTRY(calls->pending.next, struct redis_call, pending);
}

void redis_calls_init(struct redis_calls *calls, int64_t ms_quick, int64_t ms_patient)
{
	*calls = (struct redis_calls){.ms = {[REDIS_QUICK] = ms_quick,
					     [REDIS_PATIENT] = ms_patient,
					     [REDIS_HURRIED] = (ms_quick + 1) / 2}};
	list_init(&calls->pending);
	for (size_t i = 0; i < N_REDIS_PACES; i++)
		list_init(&calls->deadlines[i]);
}

static void call_free(struct redis_call *call)
{
	list_remove(&call->pending);
	list_remove(&call->deadline);
	call->calls->n--;
	free(call);
}

void redis_calls_close(struct redis_calls *calls)
{
	struct redis_call *call;

	calls->is_closed = true;
	while ((call = first_pending(calls)))
		call_free(call);
}

struct redis_call *redis_calls_add(struct redis_calls *calls, enum redis_pace pace, int64_t ms_now,
				   redis_reply_fn *fn, void *arg)
{
	struct redis_call *call = malloc(sizeof(*call));

	if (!call)
		return NULL;
	*call = (struct redis_call){
	    .calls = calls, .pace = pace, .ms_sent = ms_now, .fn = fn, .arg = arg};
	list_append(&calls->pending, &call->pending);
	list_append(&calls->deadlines[pace], &call->deadline);
	calls->n++;
	return call;
}

void redis_call_drop(struct redis_call *call)
{
	call->fn = NULL;
}

static void tell(struct redis_call *call, err_t err, const redisReply *reply)
{
	redis_reply_fn *fn = call->fn;

	call->fn = NULL;
	if (fn)
		fn(call->arg, err, reply);
}

/* Many replies that come late together are one hiccup. */
static void judge_pace(struct redis_calls *calls, const struct redis_call *call, int64_t ms_now)
{
	if (call->pace == REDIS_PATIENT)
		return;
	if (ms_now - call->ms_sent < calls->ms[REDIS_QUICK]) {
		calls->n_late = 0;
	} else if (call->ms_sent >= calls->ms_last_late) {
		calls->n_late++;
		calls->ms_last_late = ms_now;
	}
}

err_t redis_calls_answer(struct redis_calls *calls, int64_t ms_now, const redisReply *reply)
{
	struct redis_call *call = first_pending(calls), told;

	if (!call)
		return ERR_NOT_FOUND;
	judge_pace(calls, call, ms_now);
	told = *call;
	call_free(call);
	tell(&told, OK, reply);
	return OK;
}

void redis_calls_expire(struct redis_calls *calls, int64_t ms_now)
{
	for (size_t i = 0; i < N_REDIS_PACES; i++) {
		while (!list_is_empty(&calls->deadlines[i])) {
			struct redis_call *call =
			    LIST_ENTRY(calls->deadlines[i].next, struct redis_call, deadline);

			if (call->ms_sent + calls->ms[i] > ms_now)
				break;
			list_remove(&call->deadline);
			tell(call, ERR_STORE_FAULT, NULL);
		}
	}
}

void redis_calls_fail(struct redis_calls *calls)
{
	struct redis_call *call;

	while ((call = first_pending(calls))) {
		struct redis_call told = *call;

		call_free(call);
		tell(&told, ERR_STORE_FAULT, NULL);
	}
	calls->n_late = 0;
}

static int64_t stalls_at(const struct redis_calls *calls, const struct redis_call *call)
{
	int64_t ms = calls->ms[REDIS_QUICK] * STALL_FACTOR;

	return call->ms_sent + (call->pace == REDIS_PATIENT ? calls->ms[REDIS_PATIENT] : ms);
}

const char *redis_calls_complaint(const struct redis_calls *calls, int64_t ms_now)
{
	const struct redis_call *call = first_pending(calls);

	if (call && stalls_at(calls, call) <= ms_now)
		return "no answer in time";
	return calls->n_late >= MAX_LATE ? "answers come too late" : NULL;
}

int64_t redis_calls_next(const struct redis_calls *calls)
{
	const struct redis_call *call = first_pending(calls);
	int64_t next = call ? stalls_at(calls, call) : INT64_MAX;

	for (size_t i = 0; i < N_REDIS_PACES; i++) {
		if (list_is_empty(&calls->deadlines[i]))
			continue;
		call = LIST_ENTRY(calls->deadlines[i].next, struct redis_call, deadline);
		if (call->ms_sent + calls->ms[i] < next)
			next = call->ms_sent + calls->ms[i];
	}
	return next;
}
