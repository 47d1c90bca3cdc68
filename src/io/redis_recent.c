/* SPDX-License-Identifier: ISC */
/* A table of times. */
#include "io/redis_recent.h"

#include <stdatomic.h>
#include <stdlib.h>

#define N_SLOTS 8192
#define NEVER	(INT64_MIN / 2)

struct redis_recent {
	_Atomic int64_t all;
	_Atomic int64_t slots[N_SLOTS];
};

struct redis_recent *redis_recent_new(void)
{
	struct redis_recent *recent = malloc(sizeof(*recent));

	if (!recent)
		return NULL;
	atomic_init(&recent->all, NEVER);
	for (size_t i = 0; i < N_SLOTS; i++)
		atomic_init(&recent->slots[i], NEVER);
	return recent;
}

void redis_recent_free(struct redis_recent *recent)
{
	free(recent);
}

/* FNV-1a. Whoever finds keys that collide makes us read the original, as everybody does by default.
 */
unsigned redis_recent_slot(struct slice key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ key.p[i]) * UINT64_C(1099511628211);
	return (unsigned)((hash ^ hash >> 32) % N_SLOTS);
}

void redis_recent_note(struct redis_recent *recent, unsigned slot, int64_t ms_now)
{
	atomic_store(&recent->slots[slot], ms_now);
}

void redis_recent_note_all(struct redis_recent *recent, int64_t ms_now)
{
	atomic_store(&recent->all, ms_now);
}

bool redis_recent_is_settled(const struct redis_recent *recent, unsigned slot, int64_t ms_now,
			     int64_t ms)
{
	return ms_now - atomic_load(&recent->all) > ms &&
	       ms_now - atomic_load(&recent->slots[slot]) > ms;
}
