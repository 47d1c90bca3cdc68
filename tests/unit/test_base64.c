/* SPDX-License-Identifier: ISC */
/* Base64, against the vectors of RFC 4648 10 and against itself. */
#include "core/base64.h"

#include <criterion/criterion.h>

#include "guard.h"

static const struct {
	const char *plain, *padded;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf\xfe", "+/+//g=="},
};

static struct slice without_padding(const char *text)
{
	return slice_of(text, strcspn(text, "="));
}

Test(base64, RP_02_vectors_of_RFC_4648_both_ways)
{
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		struct slice plain = slice_text(vectors[i].plain);
		size_t padded_len = strlen(vectors[i].padded), len = 99;
		char text[20];
		uint8_t octets[20];

		cr_expect(base64_len(plain.len) == padded_len);
		base64_encode(text, guard_slice(plain));
		cr_expect(memcmp(text, vectors[i].padded, padded_len) == 0, "%s",
			  vectors[i].padded);
		cr_assert(base64_decode(octets, guard_slice(without_padding(vectors[i].padded)),
					&len) == OK);
		cr_expect(slice_eq(slice_of(octets, len), plain), "%s", vectors[i].padded);
	}
}

Test(base64, RP_07_what_is_not_unpadded_standard_base64_is_refused)
{
	static const char *const bad[] = {
	    "Z",    "Zm9vY",  "Zg==", "Zm8=", "Zm9v=", "Zm 9",	 "Zm-v",
	    "Zm_v", "Zm\n9v", "Zh",   "Zm9",  "%2B",   "Zm9\x80"};
	uint8_t octets[20];
	size_t len = 4711;

	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		cr_expect(base64_decode(octets, slice_text(bad[i]), &len) == ERR_SYNTAX, "%s",
			  bad[i]);
	cr_expect(len == 4711);
}

Test(base64, RP_02_exactly_64_octets_are_digits_at_every_position)
{
	for (size_t at = 0; at < 7; at++) {
		unsigned n_good = 0;

		for (unsigned c = 0; c < 256; c++) {
			uint8_t text[7] = "AAAAAAA", octets[8];
			size_t len;

			text[at] = (uint8_t)c;
			n_good += base64_decode(octets, slice_of(text, 7), &len) == OK;
		}
		/* the last of three ends in two spare bits */
		cr_expect(n_good == (at == 6 ? 16 : 64), "%zu: %u", at, n_good);
	}
}

Test(base64, every_length_comes_back_also_in_place)
{
	uint8_t plain[256];
	char text[400];
	size_t len;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 151 + 7);
	for (size_t n = 0; n <= sizeof(plain); n++) {
		size_t text_len = base64_len(n);

		base64_encode(text, slice_of(plain, n));
		while (text_len > 0 && text[text_len - 1] == '=')
			text_len--;
		cr_assert(base64_decode((uint8_t *)text, slice_of(text, text_len), &len) == OK);
		cr_assert(slice_eq(slice_of(text, len), slice_of(plain, n)), "%zu", n);
	}
}
