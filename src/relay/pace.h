/* SPDX-License-Identifier: ISC */
/*
 * How often something may happen for each of many: at a rate, after a burst. Any thread; no lock.
 */
#ifndef OCSPRELAY_RELAY_PACE_H
#define OCSPRELAY_RELAY_PACE_H

#include "types.h"

struct pace;

/* n_slots of their own, each of n_burst at once and then one every ms_each. NULL without memory. */
struct pace *pace_new(size_t n_slots, int64_t ms_each, int64_t n_burst);
void pace_free(struct pace *pace); /* NULL is fine */

/* True: it may happen now, and has. slot < n_slots. Monotonic milliseconds. */
bool pace_take(struct pace *pace, size_t slot, int64_t ms_now);

#endif
