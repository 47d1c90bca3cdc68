/* SPDX-License-Identifier: ISC */
/*
 * Which keys were written a moment ago, by us or by others who told us: those a copy may not have
 * yet. Bounded: keys share slots, by a hash, and what is said of one counts for all of its slot,
 * which costs a read of the original and nothing else. Any thread; now is a parameter.
 */
#ifndef OCSPRELAY_IO_REDIS_RECENT_H
#define OCSPRELAY_IO_REDIS_RECENT_H

#include "types.h"

struct redis_recent;

struct redis_recent *redis_recent_new(void); /* NULL without memory */
void redis_recent_free(struct redis_recent *recent);

/* The slot of a key, by its octets. */
unsigned redis_recent_slot(struct slice key);

/* It has just been written, or may be at any moment. */
void redis_recent_note(struct redis_recent *recent, unsigned slot, int64_t ms_now);
void redis_recent_note_all(struct redis_recent *recent, int64_t ms_now);

/* Whether nothing was noted of it in the last ms. */
bool redis_recent_is_settled(const struct redis_recent *recent, unsigned slot, int64_t ms_now,
			     int64_t ms);

#endif
