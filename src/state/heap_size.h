/* SPDX-License-Identifier: ISC */
/*
 * What a block costs in the heap: the tables of this floor that are bounded in octets count what
 * the process grows by, not what was asked for.
 */
#ifndef OCSPRELAY_STATE_HEAP_SIZE_H
#define OCSPRELAY_STATE_HEAP_SIZE_H

#include "types.h"

/* A block of n octets with its header, rounded as glibc does it; other allocators come close. */
static inline size_t heap_size(size_t n)
{
	return (n + sizeof(size_t) + 15) & ~(size_t)15;
}

#endif
