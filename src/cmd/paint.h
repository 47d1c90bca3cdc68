/* SPDX-License-Identifier: ISC */
/* Colours for people: only on a terminal, and not where NO_COLOR (https://no-color.org) is set. */
#ifndef OCSPRELAY_CMD_PAINT_H
#define OCSPRELAY_CMD_PAINT_H

#include "types.h"

enum paint {
	PAINT_NONE, /* ends the others */
	PAINT_HEAD,
	PAINT_GOOD,
	PAINT_DOUBT,
	PAINT_BAD
};

/* Whether standard output is to have colours. */
bool paint_is_wanted(void);

/* The escape sequence of a colour, wanted or not; static. */
const char *paint_sequence(enum paint colour);

/* What to print on standard output for it: the same, or "" if none is wanted. */
const char *paint(enum paint colour);

#endif
