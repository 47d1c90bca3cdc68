/* SPDX-License-Identifier: ISC */
/* By getrusage, getrlimit and /proc/self. */
#include "io/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void read_memory(struct usage *usage)
{
	FILE *file = fopen("/proc/self/statm", "re");
	double page = (double)sysconf(_SC_PAGESIZE);
	unsigned long size, resident;

	if (file == NULL)
		return;
	if (fscanf(file, "%lu %lu", &size, &resident) == 2) {
		usage->virtual_bytes = (double)size * page;
		usage->resident_bytes = (double)resident * page;
	}
	fclose(file);
}

static void count_fds(struct usage *usage)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *one;
	double n = -1; /* that of the directory itself */

	if (directory == NULL)
		return;
	while ((one = readdir(directory)) != NULL)
		n += one->d_name[0] != '.';
	closedir(directory);
	usage->open_fds = n;
}

struct usage usage_read(int64_t started_at)
{
	struct usage usage = {-1, (double)started_at, -1, -1, -1, -1};
	struct rlimit limit;
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) == 0)
		usage.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		usage.max_fds = (double)limit.rlim_cur;
	read_memory(&usage);
	count_fds(&usage);
	return usage;
}
