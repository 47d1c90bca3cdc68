/* SPDX-License-Identifier: ISC */
/*
 * One event loop per thread, and its timers. Everything of a loop is used by its own thread only,
 * except loop_stop. No callback is ever called from inside the function that started it.
 */
#ifndef OCSPRELAY_IO_LOOP_H
#define OCSPRELAY_IO_LOOP_H

#include "err.h"
#include "types.h"

struct event_base;
struct loop;
struct timer;

typedef void loop_fn(void *arg);

struct loop *loop_new(void);	   /* NULL without memory or epoll */
void loop_free(struct loop *loop); /* after its timers and mailboxes */
void loop_run(struct loop *loop);  /* until loop_stop; the calling thread is then the loop's */
void loop_stop(struct loop *loop); /* from any thread */

/* For this floor only. */
struct event_base *loop_base(struct loop *loop);

/* Calls fn once, ms from now (0: in the next turn of the loop), or every ms with timer_every. NULL
 * without memory. The handle of a one-shot timer is void once fn is called; timer_cancel guarantees
 * that fn is not called any more, and may be called from inside a timer_every's fn. NULL is fine.
 */
struct timer *timer_start(struct loop *loop, int64_t ms, loop_fn *fn, void *arg);
struct timer *timer_every(struct loop *loop, int64_t ms, loop_fn *fn, void *arg);
void timer_cancel(struct timer *timer);

#endif
