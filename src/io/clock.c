/* SPDX-License-Identifier: ISC */
/* The only place that asks the kernel for the time; every other floor is told it (rule CL-21). */
#include "io/clock.h"

#include <time.h>

/* One that goes on while the machine sleeps, where there is one: what came due then is due when it
 * wakes up. */
#ifdef CLOCK_BOOTTIME
#define MONOTONIC CLOCK_BOOTTIME
#else
#define MONOTONIC CLOCK_MONOTONIC
#endif

/* The time of the last tick, which is there to be read: the others ask the processor, too. Not for
 * the wall clock: a tick late, an answer would be served after its end. */
#ifdef CLOCK_MONOTONIC_COARSE
#define TICK CLOCK_MONOTONIC_COARSE
#else
#define TICK CLOCK_MONOTONIC
#endif

static struct timespec read_clock(clockid_t id)
{
	struct timespec now = {0};

	/* Fails only for clocks that the system lacks; POSIX systems have these. */
	(void)clock_gettime(id, &now);
	return now;
}

int64_t clock_wall(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME).tv_sec;
}

static int64_t ms_of(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return ms_of(read_clock(MONOTONIC));
}

int64_t clock_tick_ms(void)
{
	return ms_of(read_clock(TICK));
}

int64_t clock_mono_us(void)
{
	struct timespec now = read_clock(MONOTONIC);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
