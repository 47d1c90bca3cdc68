/* SPDX-License-Identifier: ISC */
/* How far a long command is: one line on standard error that is written over, if that is a
 * terminal; else nothing. */
#ifndef OCSPRELAY_CMD_PROGRESS_H
#define OCSPRELAY_CMD_PROGRESS_H

#include "types.h"

enum progress_unit {
	PROGRESS_ANSWERS,
	PROGRESS_OCTETS
};

struct progress {
	enum progress_unit unit;
	bool is_shown;
	int64_t ms_start, ms_last;
};

/* quiet: there is a reason to show nothing. */
void progress_init(struct progress *progress, enum progress_unit unit, bool is_quiet);

/* all: 0 if nobody knows. Some times a second at most. */
void progress_show(struct progress *progress, uint64_t done, uint64_t all);

/* Takes the line away, if there is one. */
void progress_end(struct progress *progress);

/* "17", "1.5 MiB" */
#define PROGRESS_TEXT 32
void progress_amount(char dst[PROGRESS_TEXT], enum progress_unit unit, uint64_t n);

#endif
