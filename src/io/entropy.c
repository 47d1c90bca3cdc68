/* SPDX-License-Identifier: ISC */
/*
 * Random octets from the kernel, and a quick generator for jitter: splitmix64 over a counter that
 * each thread starts at a random place. Jitter spreads load; it keeps no secret.
 */
#include "io/entropy.h"

#include <stdlib.h>
#include <unistd.h>

#define MAX_GETENTROPY 256 /* octets per call, POSIX.1-2024 */

static _Thread_local uint64_t jitter_state;
static _Thread_local bool jitter_is_seeded;

void entropy_fill(void *dst, size_t len)
{
	uint8_t *p = dst;

	while (len > 0) {
		size_t n = len < MAX_GETENTROPY ? len : MAX_GETENTROPY;

		if (getentropy(p, n) != 0)
			abort();
		p += n;
		len -= n;
	}
}

struct hash_key entropy_hash_key(void)
{
	struct hash_key key;

	entropy_fill(&key, sizeof(key));
	return key;
}

uint32_t entropy_jitter(void)
{
	uint64_t z;

	if (!jitter_is_seeded) {
		entropy_fill(&jitter_state, sizeof(jitter_state));
		jitter_is_seeded = true;
	}
	jitter_state += 0x9e3779b97f4a7c15U;
	z = jitter_state;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (uint32_t)(z >> 32);
}
