/* SPDX-License-Identifier: ISC */
/* Escape sequences. */
#include "cmd/paint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool paint_is_wanted(void)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return (no == NULL || *no == '\0') && isatty(STDOUT_FILENO) == 1 &&
	       (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

const char *paint_sequence(enum paint colour)
{
	static const char *const sequences[] = {[PAINT_NONE] = "\033[0m",
						[PAINT_HEAD] = "\033[1m",
						[PAINT_GOOD] = "\033[32m",
						[PAINT_DOUBT] = "\033[33m",
						[PAINT_BAD] = "\033[1;31m"};

	return sequences[colour];
}

const char *paint(enum paint colour)
{
	return paint_is_wanted() ? paint_sequence(colour) : "";
}
