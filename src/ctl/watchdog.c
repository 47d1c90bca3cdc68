/* SPDX-License-Identifier: ISC */
/* The watchdog's timer, three times as often as it has to be told. */
#include "ctl/watchdog.h"

#include <stdlib.h>

#include "io/notify.h"

struct watchdog {
	struct timer *timer;
	struct relay *relay;
};

static void on_pulse(void *arg)
{
	(void)arg;
	notify_alive();
}

/* Without memory it is tried again the next time. */
static void on_time(void *arg)
{
	struct watchdog *watchdog = arg;

	if (relay_pulse(watchdog->relay, on_pulse, NULL) != OK)
		return;
}

struct watchdog *watchdog_new(struct loop *loop, struct relay *relay)
{
	int64_t ms = notify_watchdog_ms();
	struct watchdog *watchdog = ms > 0 ? calloc(1, sizeof(*watchdog)) : NULL;

	if (watchdog == NULL)
		return NULL;
	watchdog->relay = relay;
	watchdog->timer = timer_every(loop, ms / 3 > 0 ? ms / 3 : 1, on_time, watchdog);
	if (watchdog->timer == NULL) {
		free(watchdog);
		return NULL;
	}
	return watchdog;
}

void watchdog_free(struct watchdog *watchdog)
{
	if (watchdog == NULL)
		return;
	timer_cancel(watchdog->timer);
	free(watchdog);
}
