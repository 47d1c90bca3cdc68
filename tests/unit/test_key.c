/* SPDX-License-Identifier: ISC */
/* The cache key: what tells two apart, and that its octets and its text come back as the key. */
#include <criterion/criterion.h>

#include "build.h"
#include "core/key.h"

#define ID_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"

static struct cache_key key_with(enum hash_alg alg, struct slice serial)
{
	struct cache_key key;

	key_make(&key, HEX(ID_HEX).p, alg, serial);
	return key;
}

static err_t from_text(const char *text)
{
	struct cache_key key = {.serial_len = 99};
	err_t e = key_from_text(slice_text(text), &key);

	if (e != OK)
		cr_expect_eq(key.serial_len, 99, "%s", text);
	return e;
}

Test(key, NK_03_issuer_algorithm_and_serial_tell_keys_apart)
{
	struct cache_key key = key_with(HASH_SHA1, HEX("0102"));
	struct cache_key same = key_with(HASH_SHA1, HEX("0102"));
	struct cache_key alg = key_with(HASH_SHA256, HEX("0102"));
	struct cache_key serial = key_with(HASH_SHA1, HEX("0103"));
	struct cache_key longer = key_with(HASH_SHA1, HEX("010200"));
	struct cache_key issuer = key;

	issuer.issuer_id[31] ^= 1;
	memset(same.serial + 2, 0xaa, MAX_SERIAL_LEN - 2); /* is no part of the key */
	cr_expect(key_eq(&key, &same));
	cr_expect_not(key_eq(&key, &alg));
	cr_expect_not(key_eq(&key, &serial));
	cr_expect_not(key_eq(&key, &longer));
	cr_expect_not(key_eq(&key, &issuer));
}

Test(key, NK_11_text_form)
{
	const struct {
		enum hash_alg alg;
		const char *serial_hex;
		const char *text;
	} rows[] = {
	    {HASH_SHA1, "00", ID_HEX ":s1:00"},
	    {HASH_SHA224, "ff01", ID_HEX ":s224:ff01"},
	    {HASH_SHA256, "120d7a6ce943fcd4690c0dfbffddc5fc",
	     ID_HEX ":s256:120d7a6ce943fcd4690c0dfbffddc5fc"},
	    {HASH_SHA384, "01", ID_HEX ":s384:01"},
	    {HASH_SHA512, "01", ID_HEX ":s512:01"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct cache_key key = key_with(rows[i].alg, HEX(rows[i].serial_hex));
		struct cache_key again;
		char text[KEY_TEXT_SIZE];

		key_text(text, &key);
		cr_expect_str_eq(text, rows[i].text);
		cr_assert_eq(key_from_text(slice_text(text), &again), OK);
		cr_expect(key_eq(&key, &again));
	}
}

Test(key, NK_11_the_longest_text_fills_its_buffer)
{
	struct cache_key key = key_with(HASH_SHA512, build_fill(0xab, MAX_SERIAL_LEN));
	struct cache_key again;
	char text[KEY_TEXT_SIZE];

	key_text(text, &key);
	cr_expect_eq(strlen(text), KEY_TEXT_SIZE - 1);
	cr_assert_eq(key_from_text(slice_text(text), &again), OK);
	cr_expect(key_eq(&key, &again));
}

Test(key, NK_11_what_is_no_text_of_a_key_is_refused)
{
	const char *rows[] = {
	    "",
	    ID_HEX,
	    ID_HEX ":",
	    ID_HEX ":s1",
	    ID_HEX ":s1:",
	    ID_HEX ":s1:0",
	    ID_HEX ":s1:010",
	    ID_HEX ":s1:0g",
	    ID_HEX ":s1:01 ",
	    ID_HEX ":s2:01",
	    ID_HEX ":s2560:01",
	    ID_HEX ":sha1:01",
	    ID_HEX "::01",
	    ID_HEX "-s1:01",
	    "g" ID_HEX ":s1:01",
	    "00" ID_HEX ":s1:01",
	    ":s1:01",
	    "ocspr:1:" ID_HEX ":s1:01",
	    ID_HEX ":s1:0000000000000000000000000000000000000000"
		   "000000000000000000000000000000000000000000",
	};

	cr_expect_eq(from_text(ID_HEX ":s1:01"), OK);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(from_text(rows[i]), ERR_SYNTAX, "%s", rows[i]);
}

Test(key, NK_11_octets_come_back_as_the_key)
{
	for (size_t len = 1; len <= MAX_SERIAL_LEN; len++) {
		struct cache_key key = key_with(HASH_SHA384, build_fill(9, len));
		struct slice exact = build_exact(key_bytes(&key));
		struct cache_key again;

		cr_expect_eq(exact.len, ISSUER_ID_LEN + 2 + len);
		cr_assert_eq(key_from_bytes(exact, &again), OK);
		cr_expect(key_eq(&key, &again));
		free((void *)exact.p);
	}
}

Test(key, NK_11_what_are_no_octets_of_a_key_are_refused)
{
	struct slice id = HEX(ID_HEX);
	const struct slice rows[] = {
	    EMPTY,
	    id,
	    CAT(id, HEX("00")),
	    CAT(id, HEX("0000")),
	    CAT(id, HEX("0001")),
	    CAT(id, HEX("00010203")),
	    CAT(id, HEX("000201")),
	    CAT(id, HEX("050101")),
	    CAT(id, HEX("ff0101")),
	    CAT(id, HEX("0029"), build_fill(1, 41)),
	    CAT(id, HEX("00ff"), build_fill(1, 255)),
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct slice exact = build_exact(rows[i]);
		struct cache_key key = {.serial_len = 99};

		cr_expect_eq(key_from_bytes(exact, &key), ERR_SYNTAX, "%zu", i);
		cr_expect_eq(key.serial_len, 99);
		free((void *)exact.p);
	}
}
