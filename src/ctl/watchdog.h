/* SPDX-License-Identifier: ISC */
/*
 * Tells systemd's watchdog that the relay is alive: as long as the loops of the main thread and of
 * all front and back threads turn, and no longer. Main thread only.
 */
#ifndef OCSPRELAY_CTL_WATCHDOG_H
#define OCSPRELAY_CTL_WATCHDOG_H

#include "relay/relay.h"

struct watchdog;

/* NULL where there is no watchdog, or no memory. After relay_start; keeps relay. */
struct watchdog *watchdog_new(struct loop *loop, struct relay *relay);

/* After relay_free, which drops what is on its way. NULL is fine. */
void watchdog_free(struct watchdog *watchdog);

#endif
