/* SPDX-License-Identifier: ISC */
/*
 * The commands that one connection has sent and that are not answered yet, with their deadlines. A
 * call whose deadline passed stays where its reply will be looked for, deaf. Pure bookkeeping: now
 * is a parameter, and the connection asks when to look again.
 *
 * All wait in one list, in the order in which the server answers; those whose deadline is ahead are
 * in one more for its pace, which are in the order of deadlines as well because all
 * calls of a pace have the same time.
 */
#ifndef OCSPRELAY_IO_REDIS_CALLS_H
#define OCSPRELAY_IO_REDIS_CALLS_H

#include <hiredis/hiredis.h>

#include "base/list.h"
#include "err.h"

/* OK: the server's reply, borrowed until it returns; it may be an error. ERR_STORE_FAULT: none in
 * time, or the connection was lost; reply is NULL. */
typedef void redis_reply_fn(void *arg, err_t err, const redisReply *reply);

enum redis_pace {
	REDIS_QUICK,   /* within the timeout of look-ups: somebody waits for it */
	REDIS_PATIENT, /* within seconds: nobody does */
	REDIS_HURRIED, /* within half of a look-up's: another server has had the other half */
	N_REDIS_PACES
};

struct redis_call;

struct redis_calls {
	int64_t ms[N_REDIS_PACES]; /* what a call of the pace may take */
	struct list pending, deadlines[N_REDIS_PACES];
	size_t n;
	unsigned n_late;      /* replies that came too late, in a row */
	int64_t ms_last_late; /* when the last of them came */
	bool is_closed;
};

void redis_calls_init(struct redis_calls *calls, int64_t ms_quick, int64_t ms_patient);

/* Forgets all, calls nothing; legal from inside a callback. */
void redis_calls_close(struct redis_calls *calls);

/* A call that has been sent. fn may be NULL. NULL without memory. */
struct redis_call *redis_calls_add(struct redis_calls *calls, enum redis_pace pace, int64_t ms_now,
				   redis_reply_fn *fn, void *arg);

/* Whatever comes of it is thrown away. */
void redis_call_drop(struct redis_call *call);

/* Hands the reply to the call that it answers. ERR_NOT_FOUND: there is none. */
MUST_CHECK err_t redis_calls_answer(struct redis_calls *calls, int64_t ms_now,
				    const redisReply *reply);

/* Calls those whose time is over. */
void redis_calls_expire(struct redis_calls *calls, int64_t ms_now);

/* Fails all. */
void redis_calls_fail(struct redis_calls *calls);

/* Why the connection should be given up, or NULL: it hangs, or is slow. */
const char *redis_calls_complaint(const struct redis_calls *calls, int64_t ms_now);

/* When redis_calls_expire and _complaint should be asked again; INT64_MAX: no need. */
int64_t redis_calls_next(const struct redis_calls *calls);

#endif
