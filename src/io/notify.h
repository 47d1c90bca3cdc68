/* SPDX-License-Identifier: ISC */
/* What systemd is told (sd_notify), where the build has libsystemd; else nothing happens. */
#ifndef OCSPRELAY_IO_NOTIFY_H
#define OCSPRELAY_IO_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
