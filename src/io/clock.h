/* SPDX-License-Identifier: ISC */
/* The clocks. Wall time judges what is signed; monotonic time drives timers (rule CL-21). */
#ifndef OCSPRELAY_IO_CLOCK_H
#define OCSPRELAY_IO_CLOCK_H

#include "types.h"

int64_t clock_wall(void);    /* seconds since 1970 */
int64_t clock_mono_ms(void); /* milliseconds since some start */
int64_t clock_mono_us(void);

/* Milliseconds at the pace of the kernel's ticks, from a start of their own, without the time that
 * the machine sleeps: a quarter of the others' price, for what every request notes. */
int64_t clock_tick_ms(void);

#endif
