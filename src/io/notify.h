/* SPDX-License-Identifier: ISC */
/* What systemd is told (sd_notify), where the build has libsystemd; else nothing happens. */
#ifndef OCSPRELAY_IO_NOTIFY_H
#define OCSPRELAY_IO_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *text); /* for systemctl status */

/* Systemd's watchdog: within so many milliseconds it is to be told that all is alive; 0: never. */
int64_t notify_watchdog_ms(void);
void notify_alive(void);

#endif
