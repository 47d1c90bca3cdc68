/* SPDX-License-Identifier: ISC */
/* The bar, the rate and the time that is left. */
#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/clock.h"

#define MS_BETWEEN 100
#define BAR	   30

void progress_init(struct progress *progress, enum progress_unit unit, bool is_quiet)
{
	*progress = (struct progress){.unit = unit,
				      .is_shown = !is_quiet && isatty(STDERR_FILENO),
				      .ms_start = clock_mono_ms()};
}

void progress_amount(char dst[PROGRESS_TEXT], enum progress_unit unit, uint64_t n)
{
	static const char *const units[] = {"octets", "KiB", "MiB", "GiB", "TiB"};
	double amount = (double)n;
	size_t i = 0;

	while (unit == PROGRESS_OCTETS && amount >= 1024 &&
	       i + 1 < sizeof(units) / sizeof(*units)) {
		amount /= 1024;
		i++;
	}
	if (unit == PROGRESS_ANSWERS)
		snprintf(dst, PROGRESS_TEXT, "%" PRIu64, n);
	else
		snprintf(dst, PROGRESS_TEXT, i == 0 ? "%.0f %s" : "%.1f %s", amount, units[i]);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t all)
{
	int64_t now = clock_mono_ms(), ms = now - progress->ms_start;
	char amount[PROGRESS_TEXT], rate[PROGRESS_TEXT], bar[BAR + 1];
	uint64_t per_second;

	if (!progress->is_shown || now - progress->ms_last < MS_BETWEEN)
		return;
	progress->ms_last = now;
	per_second = ms > 0 ? (uint64_t)((double)done * 1000 / (double)ms) : 0;
	progress_amount(amount, progress->unit, done);
	progress_amount(rate, progress->unit, per_second);
	if (all == 0) {
		fprintf(stderr, "\r\033[K%s, %s/s", amount, rate);
	} else {
		uint64_t part = done < all ? done : all;

		memset(bar, ' ', BAR);
		memset(bar, '#', (size_t)((double)part / (double)all * BAR));
		bar[BAR] = '\0';
		fprintf(stderr, "\r\033[K[%s] %3.0f %%  %s, %s/s", bar,
			(double)part / (double)all * 100, amount, rate);
		if (part > 0) /* also of what takes longer than a second each */
			fprintf(stderr, ", %.0f s left",
				(double)(all - part) * (double)ms / (double)part / 1000);
	}
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown && progress->ms_last != 0)
		fputs("\r\033[K", stderr);
	progress->ms_last = 0;
}
