/* SPDX-License-Identifier: ISC */
/*
 * What libcurl asks for becomes events: one per descriptor, made at its first request and freed
 * when libcurl lets go of it, and one timer. A timeout of 0 goes through the loop too, so nothing
 * of libcurl ever runs inside curl_multi_add_handle's caller.
 */
#include "io/upstream_socket.h"

#include <stdlib.h>

#include "io/event.h"

struct upstream_sockets {
	struct event_base *base;
	CURLM *multi;
	loop_fn *turn;
	void *arg;
	struct event timer;
};

static void act(struct upstream_sockets *sockets, curl_socket_t fd, int what)
{
	int n_running;

	/* Its failures are those of memory; the transfers concerned end by their timeouts. */
	(void)curl_multi_socket_action(sockets->multi, fd, what, &n_running);
	sockets->turn(sockets->arg);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct upstream_sockets *sockets = arg;

	(void)fd;
	(void)what;
	act(sockets, CURL_SOCKET_TIMEOUT, 0);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct upstream_sockets *sockets = arg;

	act(sockets, fd,
	    (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

/* Both callbacks always return 0: a failure would make libcurl give up the whole multi handle for
 * ever (CURLM_ABORTED_BY_CALLBACK), where now one transfer runs into its timeout. */
static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct upstream_sockets *sockets = arg;
	struct timeval interval;

	(void)multi;
	if (ms < 0) {
		event_del(&sockets->timer);
		return 0;
	}
	interval.tv_sec = ms / 1000;
	interval.tv_usec = ms % 1000 * 1000;
	(void)event_add(&sockets->timer, &interval);
	return 0;
}

static short events_of(int what)
{
	return (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
		       (what & CURL_POLL_OUT ? EV_WRITE : 0));
}

/* libcurl lets go of a descriptor before it closes it: the number may come back as another one. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct upstream_sockets *sockets = arg;
	struct event *event = of_socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (event)
			event_free(event);
		return 0;
	}
	if (event) {
		event_del(event);
		(void)event_assign(event, sockets->base, fd, events_of(what), on_ready, sockets);
	} else {
		event = event_new(sockets->base, fd, events_of(what), on_ready, sockets);
		if (!event)
			return 0;
		(void)curl_multi_assign(sockets->multi, fd, event);
	}
	(void)event_add(event, NULL);
	return 0;
}

struct upstream_sockets *upstream_sockets_new(struct loop *loop, CURLM *multi, loop_fn *turn,
					      void *arg)
{
	struct upstream_sockets *sockets = calloc(1, sizeof(*sockets));

	if (!sockets)
		return NULL;
	sockets->base = loop_base(loop);
	sockets->multi = multi;
	sockets->turn = turn;
	sockets->arg = arg;
	if (event_assign(&sockets->timer, sockets->base, -1, 0, on_timer, sockets) != 0) {
		free(sockets);
		return NULL;
	}
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets);
	return sockets;
}

void upstream_sockets_free(struct upstream_sockets *sockets)
{
	if (!sockets)
		return;
	event_del(&sockets->timer);
	free(sockets);
}
