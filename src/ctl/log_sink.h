/* SPDX-License-Identifier: ISC */
/*
 * Where log events go: logfmt or JSON, to stderr, syslog or a file, with repeated events folded.
 * A target that does not take a line loses it (counted), it never holds up a thread for long.
 */
#ifndef OCSPRELAY_CTL_LOG_SINK_H
#define OCSPRELAY_CTL_LOG_SINK_H

#include "err.h"
#include "settings.h"

/*
 * Opens the target and becomes the sink of base/log.h. ERR_SYSTEM (errno): the target cannot be
 * opened (ELOOP: root, and a symbolic link); the old one stays. Called again after a reload (also
 * reopens a rotated file). Main thread. */
MUST_CHECK err_t log_sink_open(const struct settings_log *settings);

/* Writes out counts of folded events that are due; to be called about once a second. */
void log_sink_tick(void);
void log_sink_close(void);

/* The level named by text ("error" ... "debug"), or -1. */
int log_level_named(const char *text);

#endif
