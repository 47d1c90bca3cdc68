/* SPDX-License-Identifier: ISC */
/*
 * What it costs to plan the refreshes of so many entries: memory of the calendar, and CPU for one
 * round of all of them, spread over twelve hours and looked at four times a second.
 *
 *	schedule [ENTRIES]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "state/due.h"

#define HOURS_12 43200

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t scramble(uint64_t n)
{
	n *= UINT64_C(0x9e3779b97f4a7c15);
	return n ^ n >> 31;
}

int main(int argc, char **argv)
{
	const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct due *due = due_new(0);
	struct due_item items[256];
	uint64_t n_taken = 0;
	double start, added, taken;
	size_t octets, part;

	if (due == NULL)
		return 1;
	start = cpu_seconds();
	for (uint64_t i = 0; i < n; i++)
		due_add(due, (struct due_item){.hash = scramble(i), .stamp = 1},
			(int64_t)(scramble(i) % HOURS_12));
	added = cpu_seconds();
	octets = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	for (int64_t now = 0; now < HOURS_12; now++) {
		for (unsigned tick = 0; tick < 4; tick++) {
			while ((part = due_take(due, now, items, N_ELEMENTS(items))) > 0) {
				for (size_t i = 0; i < part; i++)
					due_add(due, items[i], now + HOURS_12);
				n_taken += part;
			}
		}
	}
	taken = cpu_seconds();
	due_free(due);
	printf("%llu entries: %.1f octets each; planning one %.0f ns; a round of all, twelve "
	       "hours: %.3f s of CPU (%llu taken and planned anew)\n",
	       (unsigned long long)n, (double)octets / (double)n, (added - start) / (double)n * 1e9,
	       taken - added, (unsigned long long)n_taken);
	return 0;
}
