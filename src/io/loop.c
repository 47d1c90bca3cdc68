/* SPDX-License-Identifier: ISC */
/*
 * A libevent base without locks: only its own thread touches it. What comes from another thread
 * comes through a descriptor (wake.h), loop_stop included, so that a stop that is asked for before
 * loop_run is not lost. The bell's event also keeps the base from ever running empty. What
 * a turn tells to other threads they hear at its end.
 */
#include "io/loop.h"

#include <stdlib.h>

#include "io/event.h"
#include "io/wake.h"

struct loop {
	struct event_base *base;
	struct wake stop;
	struct event stop_event;
	bool is_stopped;
};

struct timer {
	struct event event;
	loop_fn *fn;
	void *arg;
};

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd;
	(void)what;
	wake_clear(&loop->stop);
	loop->is_stopped = true;
	event_base_loopbreak(loop->base);
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static err_t open_bell(struct loop *loop)
{
	err_t e = wake_init(&loop->stop);

	if (e != OK)
		return e;
	if (event_assign(&loop->stop_event, loop->base, loop->stop.fd, EV_READ | EV_PERSIST,
			 on_stop, loop) != 0 ||
	    event_add(&loop->stop_event, NULL) != 0) {
		wake_fini(&loop->stop);
		return ERR_NO_MEMORY;
	}
	return OK;
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->base = new_base();
	if (!loop->base)
		goto out;
	if (open_bell(loop) != OK)
		goto out;
	return loop;
out:
	if (loop->base)
		event_base_free(loop->base);
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	event_del(&loop->stop_event);
	wake_fini(&loop->stop);
	event_base_free(loop->base);
	free(loop);
}

void loop_run(struct loop *loop)
{
	for (loop->is_stopped = false; !loop->is_stopped;) {
		wake_begin_turn();
		event_base_loop(loop->base, EVLOOP_ONCE);
		wake_end_turn();
	}
}

void loop_stop(struct loop *loop)
{
	wake_ring(&loop->stop);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

static void on_once(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;
	loop_fn *fn = timer->fn;
	void *fn_arg = timer->arg;

	(void)fd;
	(void)what;
	free(timer);
	fn(fn_arg);
}

static void on_every(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;

	(void)fd;
	(void)what;
	/* Nothing of timer may be used afterwards: fn may cancel it. */
	timer->fn(timer->arg);
}

static struct timer *start(struct loop *loop, int64_t ms, short flags, struct timer model)
{
	struct timer *timer = malloc(sizeof(*timer));
	struct timeval interval;

	if (!timer)
		return NULL;
	if (ms < 0)
		ms = 0;
	interval.tv_sec = (time_t)(ms / 1000);
	interval.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	*timer = model;
	if (event_assign(&timer->event, loop->base, -1, flags,
			 flags & EV_PERSIST ? on_every : on_once, timer) != 0 ||
	    event_add(&timer->event, &interval) != 0) {
		free(timer);
		return NULL;
	}
	return timer;
}

struct timer *timer_start(struct loop *loop, int64_t ms, loop_fn *fn, void *arg)
{
	return start(loop, ms, 0, (struct timer){.fn = fn, .arg = arg});
}

struct timer *timer_every(struct loop *loop, int64_t ms, loop_fn *fn, void *arg)
{
	/* libevent takes an interval of 0 for "once". */
	return start(loop, ms > 0 ? ms : 1, EV_PERSIST, (struct timer){.fn = fn, .arg = arg});
}

void timer_cancel(struct timer *timer)
{
	if (!timer)
		return;
	event_del(&timer->event);
	free(timer);
}
