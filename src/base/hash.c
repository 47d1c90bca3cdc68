/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 with 64 bits of result, after Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF", 2012. Words are little endian on every machine, so that the paper's vectors hold.
 */
#include "base/hash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline void mix(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 = rotate_left(s->v2, 32);
}

static inline void absorb(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	mix(s);
	s->v0 ^= word;
}

/* Fewer than 8 octets are a word with zeros behind them. */
static uint64_t word_at(const uint8_t *p, size_t n_octets)
{
	uint64_t word = 0;

	memcpy(&word, p, n_octets);
	return le64toh(word);
}

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len)
{
	const uint8_t *octets = p;
	size_t whole = len - len % 8;
	struct sip s = {
	    .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
	    .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
	    .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
	    .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};

	for (size_t i = 0; i < whole; i += 8)
		absorb(&s, word_at(octets + i, 8));
	/* The last word: what is left over, below the length's low octet. */
	absorb(&s, (uint64_t)len << 56 | (len > whole ? word_at(octets + whole, len - whole) : 0));
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
