/* SPDX-License-Identifier: ISC */
/* What the process takes of the machine, as the kernel counts it. */
#ifndef OCSPRELAY_IO_USAGE_H
#define OCSPRELAY_IO_USAGE_H

#include "types.h"

struct usage { /* below 0: not known */
	double cpu_seconds;
	double start_time; /* as told */
	double resident_bytes, virtual_bytes;
	double open_fds, max_fds;
};

/* Reads a few files below /proc: for the main thread, now and then. */
struct usage usage_read(int64_t started_at);

#endif
