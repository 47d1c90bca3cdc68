/* SPDX-License-Identifier: ISC */
/*
 * Memory that ends where an unreadable page begins: a parser that reads beyond its input crashes
 * even in a build without sanitizers.
 */
#ifndef OCSPRELAY_TESTS_GUARD_H
#define OCSPRELAY_TESTS_GUARD_H

#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"

#define GUARD_SIZE ((size_t)1 << 16)

/* A copy of s right in front of the unreadable page; valid until the next call. */
static inline uint8_t *guard_copy(struct slice s)
{
	static uint8_t *end;

	if (end == NULL) {
		uint8_t *p = mmap(NULL, 2 * GUARD_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || mprotect(p + GUARD_SIZE, GUARD_SIZE, PROT_NONE) != 0)
			abort();
		end = p + GUARD_SIZE;
	}
	if (s.len > 0)
		memcpy(end - s.len, s.p, s.len);
	return end - s.len;
}

static inline struct slice guard_slice(struct slice s)
{
	return slice_of(guard_copy(s), s.len);
}

#endif
