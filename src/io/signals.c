/* SPDX-License-Identifier: ISC */
/*
 * libevent's signal events: the handler only writes to a pipe that wakes the loop. Whichever thread
 * the kernel picks for the signal, the call happens on the loop's.
 */
#include "io/signals.h"

#include <signal.h>
#include <stdlib.h>

#include "io/event.h"

struct signals {
	struct event *events[3];
	loop_fn *stop, *reload;
	void *arg;
};

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct signals *signals = arg;

	(void)what;
	(number == SIGHUP ? signals->reload : signals->stop)(signals->arg);
}

struct signals *signals_new(struct loop *loop, loop_fn *stop, loop_fn *reload, void *arg)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct signals *signals = calloc(1, sizeof(*signals));

	if (signals == NULL)
		return NULL;
	signals->stop = stop;
	signals->reload = reload;
	signals->arg = arg;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a store's file at the limit is an error of that write */
	for (size_t i = 0; i < N_ELEMENTS(numbers); i++) {
		signals->events[i] = evsignal_new(loop_base(loop), numbers[i], on_signal, signals);
		if (signals->events[i] == NULL || event_add(signals->events[i], NULL) != 0) {
			signals_free(signals);
			return NULL;
		}
	}
	return signals;
}

void signals_free(struct signals *signals)
{
	if (signals == NULL)
		return;
	for (size_t i = 0; i < N_ELEMENTS(signals->events); i++) {
		if (signals->events[i] != NULL)
			event_free(signals->events[i]);
	}
	free(signals);
}
