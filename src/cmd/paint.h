/* SPDX-License-Identifier: ISC */
/* Colours for people: only on a terminal, and not where NO_COLOR (https://no-color.org) is set. */
#ifndef OCSPRELAY_CMD_PAINT_H
#define OCSPRELAY_CMD_PAINT_H

enum paint {
	PAINT_NONE, /* ends the others */
	PAINT_HEAD,
	PAINT_GOOD,
	PAINT_DOUBT,
	PAINT_BAD
};

/* What to print on standard output for it, or "". */
const char *paint(enum paint colour);

#endif
