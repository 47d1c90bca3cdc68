/* SPDX-License-Identifier: ISC */
/* The cache key, its octets and its text (rules NK-03, NK-11). */
#include "core/key.h"

#include <assert.h>

enum {
	HEAD_LEN = ISSUER_ID_LEN + 2, /* octets of a key before its serial */
	ID_TEXT_LEN = 2 * ISSUER_ID_LEN
};

static_assert(offsetof(struct cache_key, serial) == HEAD_LEN, "the octets of a key have no gaps");

void key_make(struct cache_key *out, const uint8_t issuer_id[ISSUER_ID_LEN], enum hash_alg alg,
	      struct slice serial)
{
	assert(serial.len <= MAX_SERIAL_LEN);
	*out = (struct cache_key){.alg = (uint8_t)alg, .serial_len = (uint8_t)serial.len};
	memcpy(out->issuer_id, issuer_id, ISSUER_ID_LEN);
	memcpy(out->serial, serial.p, serial.len);
}

static bool is_serial_len(size_t len)
{
	return len >= 1 && len <= MAX_SERIAL_LEN;
}

err_t key_from_bytes(struct slice bytes, struct cache_key *out)
{
	struct cache_key key = {.alg = 0};

	if (bytes.len < HEAD_LEN || bytes.len > sizeof(key))
		return ERR_SYNTAX;
	memcpy(&key, bytes.p, bytes.len);
	if (key.alg >= N_HASH_ALGS || !is_serial_len(key.serial_len) ||
	    key.serial_len != bytes.len - HEAD_LEN)
		return ERR_SYNTAX;
	*out = key;
	return OK;
}

void key_text(char dst[KEY_TEXT_SIZE], const struct cache_key *key)
{
	const char *alg = hash_algs[key->alg].short_name;
	const size_t alg_len = strlen(alg);

	hex_encode(dst, slice_of(key->issuer_id, ISSUER_ID_LEN));
	dst += ID_TEXT_LEN;
	*dst++ = ':';
	memcpy(dst, alg, alg_len);
	dst += alg_len;
	*dst++ = ':';
	hex_encode(dst, slice_of(key->serial, key->serial_len));
	dst[2 * key->serial_len] = '\0';
}

/* Cuts "s256:" off the front of text. */
static enum hash_alg cut_alg(struct slice *text)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		struct slice name = slice_text(hash_algs[i].short_name);

		if (text->len > name.len && text->p[name.len] == ':' &&
		    slice_eq(slice_take(*text, name.len), name)) {
			*text = slice_skip(*text, name.len + 1);
			return (enum hash_alg)i;
		}
	}
	return N_HASH_ALGS;
}

err_t key_from_text(struct slice text, struct cache_key *out)
{
	struct cache_key key = {.alg = 0};
	enum hash_alg alg;

	if (text.len <= ID_TEXT_LEN || text.p[ID_TEXT_LEN] != ':' ||
	    hex_decode(key.issuer_id, ISSUER_ID_LEN, slice_take(text, ID_TEXT_LEN)) != OK)
		return ERR_SYNTAX;
	text = slice_skip(text, ID_TEXT_LEN + 1);
	alg = cut_alg(&text);
	if (alg == N_HASH_ALGS || !is_serial_len(text.len / 2) ||
	    hex_decode(key.serial, text.len / 2, text) != OK)
		return ERR_SYNTAX;
	key.alg = (uint8_t)alg;
	key.serial_len = (uint8_t)(text.len / 2);
	*out = key;
	return OK;
}
