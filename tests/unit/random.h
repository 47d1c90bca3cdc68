/* SPDX-License-Identifier: ISC */
/*
 * Chance for property tests: the same in every run. A case is made from its seed alone; a test that
 * fails prints it, and "PROPERTY_SEED=n ./unit_xxx --filter ..." begins with that case.
 */
#ifndef OCSPRELAY_TESTS_RANDOM_H
#define OCSPRELAY_TESTS_RANDOM_H

#include <stdlib.h>

#include "build.h"

/* Case i has the seed first_seed() + i. */
static inline uint64_t first_seed(void)
{
	const char *text = getenv("PROPERTY_SEED");

	return text ? strtoull(text, NULL, 10) : 1;
}

struct chance {
	uint64_t state;
};

/* SplitMix64. */
static inline uint64_t chance_next(struct chance *chance)
{
	uint64_t z = chance->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 to n - 1; n is small. */
static inline size_t chance_below(struct chance *chance, size_t n)
{
	return (size_t)(chance_next(chance) % n);
}

static inline bool chance_one_in(struct chance *chance, size_t n)
{
	return chance_below(chance, n) == 0;
}

/* Octets in memory that may grow to cap. */
struct draft {
	uint8_t *p;
	size_t len, cap;
};

/* Puts n octets in the place of n_old at this offset, as far as there is room. */
static inline void draft_replace(struct draft *draft, size_t at, size_t n_old, const uint8_t *p,
				 size_t n)
{
	uint8_t copy[256];

	if (n > sizeof(copy) || draft->len - n_old + n > draft->cap)
		return;
	memcpy(copy, p, n); /* p may be in the draft */
	memmove(draft->p + at + n, draft->p + at + n_old, draft->len - at - n_old);
	memcpy(draft->p + at, copy, n);
	draft->len += n - n_old;
}

/* One change: octets overwritten, inserted, removed, repeated or exchanged, or the end cut off. */
static inline void draft_mutate(struct draft *draft, struct chance *chance)
{
	static const uint8_t telling[] = {0x00, 0x01, 0x05, 0x06, 0x0a, 0x18, 0x30, 0x31,
					  0x7f, 0x80, 0x81, 0x82, 0xa0, 0xa1, 0xa2, 0xff};
	size_t at = chance_below(chance, draft->len + 1), left = draft->len - at;
	size_t n = 1 + chance_below(chance, chance_one_in(chance, 4) ? 32 : 4);
	uint8_t octets[32];

	for (size_t i = 0; i < n; i++)
		octets[i] = chance_one_in(chance, 2)
				? telling[chance_below(chance, sizeof(telling))]
				: (uint8_t)chance_next(chance);
	if (n > left)
		n = left;
	switch (chance_below(chance, 8)) {
	case 0: /* one bit */
		if (left > 0)
			draft->p[at] ^= (uint8_t)(1 << chance_below(chance, 8));
		return;
	case 1:
		draft_replace(draft, at, n, octets, n);
		return;
	case 2:
		draft_replace(draft, at, 0, octets, n);
		return;
	case 3:
		draft_replace(draft, at, n, octets, 0);
		return;
	case 4:
		draft_replace(draft, at, 0, draft->p + at, n);
		return;
	case 5: /* from another place */
		if (left > 0)
			draft_replace(draft, at, n,
				      draft->p + chance_below(chance, draft->len - n + 1), n);
		return;
	case 6: /* a little more or less: lengths */
		if (left > 0)
			draft->p[at] = (uint8_t)(draft->p[at] + 15 - chance_below(chance, 31));
		return;
	default:
		if (chance_one_in(chance, 4))
			draft->len = at;
		return;
	}
}

/* in, changed at up to four places; lives in room of cap octets, at least in.len. */
static inline struct slice mutated(struct slice in, uint8_t *room, size_t cap,
				   struct chance *chance)
{
	struct draft draft = {.p = room, .len = in.len, .cap = cap};
	size_t n = 1 + chance_below(chance, 4);

	if (in.len > 0)
		memcpy(room, in.p, in.len);
	while (n-- > 0)
		draft_mutate(&draft, chance);
	return slice_of(room, draft.len);
}

#endif
