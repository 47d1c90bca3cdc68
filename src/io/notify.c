/* SPDX-License-Identifier: ISC */
/* sd_notify, or nothing. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "io/notify.h"

#ifdef HAVE_LIBSYSTEMD
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "io/clock.h"

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
	/* With the time, Type=notify-reload can tell this reload's READY from an earlier one. */
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

int64_t notify_watchdog_ms(void)
{
	uint64_t us;

	return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)(us / 1000) : 0;
}

void notify_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void notify_status(const char *text)
{
	sd_notifyf(0, "STATUS=%s", text);
}

#else

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

int64_t notify_watchdog_ms(void)
{
	return 0;
}

void notify_alive(void)
{
}

void notify_status(const char *text)
{
	(void)text;
}

#endif
