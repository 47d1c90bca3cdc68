/* SPDX-License-Identifier: ISC */
/* Days, hours, minutes, seconds. */
#include "cmd/span.h"

#include <inttypes.h>
#include <stdio.h>

void span_text(char dst[SPAN_TEXT], int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;
	int len;

	if (seconds < 0)
		seconds = 0;
	while (i < 3 && seconds < units[i].seconds)
		i++;
	len = snprintf(dst, SPAN_TEXT, "%" PRId64 "%c", seconds / units[i].seconds, units[i].unit);
	seconds %= units[i].seconds;
	if (i < 3 && seconds / units[i + 1].seconds > 0)
		snprintf(dst + len, SPAN_TEXT - (size_t)len, " %" PRId64 "%c",
			 seconds / units[i + 1].seconds, units[i + 1].unit);
}
