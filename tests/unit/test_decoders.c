/* SPDX-License-Identifier: ISC */
/*
 * The decoders of the front, POST body and GET target, against libcrypto: any octets either are a
 * request in which libcrypto finds the same CertIDs, or are refused; and what is a request in order
 * is read, in whatever spelling of GET. Rules RP-01 to RP-03, RP-07 to RP-11, RP-30, SL-16.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>

#include "../fuzz/compare_request.h"
#include "core/base64.h"
#include "core/get_target.h"
#include "parts.h"
#include "random.h"

enum {
	N_CASES = 50000,
	MAX_LEN = 2000 /* of a request */
};

static const struct ocsp_request_limits limits = {.max_certids = 8, .max_extensions = 16};

#define SEEDS                          \
	uint64_t seed = first_seed();  \
	seed < first_seed() + N_CASES; \
	seed++
#define WITH(seed) "PROPERTY_SEED=%llu", (unsigned long long)(seed)

/* --- requests in order ------------------------------------------------------------------------ */

static struct slice some_octets(struct chance *chance, size_t n)
{
	uint8_t *p = build_take(n);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)chance_next(chance);
	return slice_of(p, n);
}

/* Content of an INTEGER, minimal by its first octet. */
static struct slice some_serial(struct chance *chance)
{
	struct slice s = some_octets(chance, 1 + chance_below(chance, MAX_SERIAL_LEN));

	if (s.len > 1)
		*(uint8_t *)(uintptr_t)s.p = (uint8_t)(1 + chance_below(chance, 0x7f));
	return s;
}

static struct slice some_certid(struct chance *chance)
{
	const struct hash_alg_row *alg = &hash_algs[chance_below(chance, N_HASH_ALGS)];

	return TLV(0x30,
		   TLV(0x30, TLV(0x06, alg->oid), chance_one_in(chance, 2) ? EMPTY : HEX("0500")),
		   TLV(0x04, some_octets(chance, alg->len)),
		   TLV(0x04, some_octets(chance, alg->len)), TLV(0x02, some_serial(chance)));
}

static struct slice some_extensions(struct chance *chance, uint8_t tag)
{
	static const char *const oids[] = {UNKNOWN_OID, LOCATOR_OID, PREFERRED_OID, "2b060104"};
	struct slice all = EMPTY;

	if (!chance_one_in(chance, 3))
		return EMPTY;
	for (size_t n = 1 + chance_below(chance, 3); n > 0; n--)
		all = CAT(all, ext(oids[chance_below(chance, N_ELEMENTS(oids))],
				   chance_one_in(chance, 3) ? CRITICAL : NOT_CRITICAL,
				   some_octets(chance, chance_below(chance, 40))));
	if (tag == 0xa2 && chance_one_in(chance, 2))
		all = CAT(all, ext(NONCE_OID, NOT_CRITICAL,
				   TLV(0x04, some_octets(chance, 1 + chance_below(chance, 128)))));
	return TLV(tag, TLV(0x30, all));
}

/* In its own part of the arena: who has used it resets build_used. */
static struct slice some_request(struct chance *chance)
{
	struct slice list = EMPTY, signature = EMPTY, version = EMPTY, name = EMPTY;

	for (size_t n = chance_one_in(chance, 4) ? 1 + chance_below(chance, 8) : 1; n > 0; n--)
		list = CAT(list, TLV(0x30, some_certid(chance), some_extensions(chance, 0xa0)));
	if (chance_one_in(chance, 6))
		version = HEX("a003020100");
	if (chance_one_in(chance, 6))
		name = TLV(0xa1, TLV(0x82, some_octets(chance, chance_below(chance, 20))));
	if (chance_one_in(chance, 6))
		signature = TLV(0xa0, TLV(0x30, HEX("300a06082a8648ce3d040302"),
					  TLV(0x03, HEX("00"),
					      some_octets(chance, 70 + chance_below(chance, 5)))));
	return TLV(0x30, TLV(0x30, version, name, TLV(0x30, list), some_extensions(chance, 0xa2)),
		   signature);
}

/* --- POST ------------------------------------------------------------------------------------- */

/* From memory of its own; what libcrypto does not read alike is a failure. */
static bool is_accepted(struct slice octets, uint64_t seed)
{
	struct slice exact = build_exact(octets);
	struct ocsp_request request;
	bool is_ok = ocsp_request_parse(exact, &limits, &request) == OK;

	if (is_ok)
		cr_expect(is_same_request(&request), WITH(seed));
	free((void *)(uintptr_t)exact.p);
	return is_ok;
}

Test(decoders, RP_30_a_request_in_order_is_read_as_libcrypto_reads_it)
{
	for (SEEDS) {
		struct chance chance = {.state = seed};
		size_t mark = build_used;

		cr_expect(is_accepted(some_request(&chance), seed), WITH(seed));
		build_used = mark;
	}
}

/* The start of one and the end of another. */
static struct slice spliced(struct slice a, struct slice b, struct chance *chance)
{
	size_t from = chance_below(chance, b.len);

	return CAT(slice_take(a, chance_below(chance, a.len + 1)), slice_skip(b, from));
}

Test(decoders, RP_30_SL_16_octets_are_read_as_libcrypto_reads_them_or_refused)
{
	static uint8_t room[MAX_LEN];
	unsigned n_accepted = 0;

	for (SEEDS) {
		struct chance chance = {.state = seed};
		size_t mark = build_used;
		struct slice octets = some_request(&chance);

		if (chance_one_in(&chance, 8))
			octets = some_octets(&chance, chance_below(&chance, 100));
		else if (chance_one_in(&chance, 4))
			octets = spliced(octets, some_request(&chance), &chance);
		else if (octets.len <= sizeof(room))
			octets = mutated(octets, room, sizeof(room), &chance);
		n_accepted += is_accepted(octets, seed);
		build_used = mark;
	}
	cr_expect_gt(n_accepted, N_CASES / 50, "hardly anything was accepted: %u", n_accepted);
	cr_expect_lt(n_accepted, N_CASES / 2, "hardly anything was refused: %u", n_accepted);
}

/* --- GET -------------------------------------------------------------------------------------- */

struct text {
	char p[4 * MAX_LEN];
	size_t len;
};

static void put(struct text *text, const char *string)
{
	size_t len = strlen(string);

	cr_assert_leq(text->len + len, sizeof(text->p));
	memcpy(text->p + text->len, string, len);
	text->len += len;
}

static void put_one_of(struct text *text, const char *const *strings, size_t n,
		       struct chance *chance)
{
	put(text, strings[chance_below(chance, n)]);
}
#define PUT_ONE_OF(text, chance, ...)                        \
	put_one_of(text, (const char *const[]){__VA_ARGS__}, \
		   N_ELEMENTS(((const char *const[]){__VA_ARGS__})), chance)

static void put_digit(struct text *text, char digit, struct chance *chance)
{
	char as_is[] = {digit, '\0'}, escaped[8];

	if (digit == '+')
		PUT_ONE_OF(text, chance, "+", "%2B", "%2b", "%20", " ", "-", "%2D", "%252B");
	else if (digit == '/')
		PUT_ONE_OF(text, chance, "/", "%2F", "%2f", "_", "%5f", "%252F");
	else if (chance_one_in(chance, 20)) {
		sprintf(escaped, "%%%02X", digit);
		put(text, escaped);
	} else
		put(text, as_is);
	if (chance_one_in(chance, 60))
		PUT_ONE_OF(text, chance, "%0A", "%0D%0A", "\t", "%09");
}

/* A target of this request, in one of the spellings that clients have. */
static void spell(struct text *text, struct slice der, struct chance *chance)
{
	static char digits[2 * MAX_LEN];
	size_t n = base64_len(der.len);
	bool is_padded = chance_one_in(chance, 2);

	text->len = 0;
	PUT_ONE_OF(text, chance, "/", "//", "////", "/ocsp/", "/MAIN/ocsp/", "/MEM/", "/a%2Fb/",
		   "http://a.example/", "http://10.0.0.1:22//x/", "/a/b/c/d/e/f/g/");
	base64_encode(digits, der);
	for (size_t i = 0; i < n; i++) {
		if (digits[i] != '=')
			put_digit(text, digits[i], chance);
		else if (is_padded)
			PUT_ONE_OF(text, chance, "=", "%3D", "%3d", "%253D");
	}
	PUT_ONE_OF(text, chance, "", "", "?x=/1", "#top", "/", "//", "%2F", "%0A");
}

/* What a target is decoded to, by the letter of section 1.1 and without regard to cost. Line breaks
 * may stand inside of an escape that was escaped: they go in each round. */
static void decode_once(struct text *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++) {
		unsigned c = (unsigned char)text->p[i];

		if (c == '%' && i + 2 < text->len && isxdigit((unsigned char)text->p[i + 1]) &&
		    isxdigit((unsigned char)text->p[i + 2])) {
			sscanf(text->p + i + 1, "%2x", &c);
			i += 2;
		}
		if (c != '\r' && c != '\n' && c != '\t')
			text->p[n++] = (char)c;
	}
	text->len = n;
}

static void normalise(struct text *text)
{
	for (size_t i = 0; i < text->len; i++) {
		if (text->p[i] == '?' || text->p[i] == '#')
			text->len = i;
	}
	decode_once(text);
	decode_once(text);
	for (char *c = text->p; c < text->p + text->len; c++)
		*c = (char)(*c == ' ' || *c == '-' ? '+' : *c == '_' ? '/' : *c);
}

/* Whether the target, decoded, is this request in base64 at its start or behind a slash, and
 * nothing behind it but padding and slashes. */
static bool is_in(struct text *text, struct slice der)
{
	static char digits[2 * MAX_LEN];
	size_t n = base64_len(der.len), at;

	base64_encode(digits, der);
	while (digits[n - 1] == '=')
		n--;
	for (at = text->len; at > 0 && (text->p[at - 1] == '=' || text->p[at - 1] == '/'); at--)
		;
	/* a slash of the base64 itself may have gone with those behind it */
	for (size_t end = at; end <= text->len; end++) {
		if (end >= n && memcmp(text->p + end - n, digits, n) == 0 &&
		    (end == n || text->p[end - n - 1] == '/'))
			return true;
	}
	return false;
}

static struct slice decoded(struct slice target, struct ocsp_request *out, uint64_t seed)
{
	static uint8_t scratch[sizeof(((struct text *)0)->p) * 2];
	struct slice exact = build_exact(target);
	err_t e = get_target_decode(exact, &limits, scratch, out);

	free((void *)(uintptr_t)exact.p);
	if (e != OK)
		return EMPTY;
	cr_expect(is_same_request(out), WITH(seed));
	return out->der;
}

Test(decoders, RP_01_RP_02_RP_03_RP_07_RP_08_RP_09_RP_10_RP_11_every_spelling_is_read)
{
	static struct text text;

	for (SEEDS) {
		struct chance chance = {.state = seed};
		size_t mark = build_used;
		struct slice der = some_request(&chance);
		struct ocsp_request request;

		if (der.len <= MAX_LEN / 2) {
			spell(&text, der, &chance);
			cr_expect(
			    slice_eq(decoded(slice_of(text.p, text.len), &request, seed), der),
			    "PROPERTY_SEED=%llu: %.*s", (unsigned long long)seed, (int)text.len,
			    text.p);
		}
		build_used = mark;
	}
}

Test(decoders, RP_30_SL_16_targets_are_read_as_what_they_spell_or_refused)
{
	static struct text text;
	unsigned n_accepted = 0;

	for (SEEDS) {
		struct chance chance = {.state = seed};
		size_t mark = build_used;
		struct slice der = some_request(&chance), got;
		struct draft draft = {(uint8_t *)text.p, 0, sizeof(text.p) - 1};
		struct ocsp_request request;

		text.len = 0;
		if (der.len <= MAX_LEN / 2 && !chance_one_in(&chance, 8))
			spell(&text, der, &chance);
		else
			PUT_ONE_OF(&text, &chance, "/", "/MF", "/M%", "MA==", "http://", "*");
		draft.len = text.len;
		for (size_t n = 1 + chance_below(&chance, 3); n > 0; n--)
			draft_mutate(&draft, &chance);
		text.len = draft.len;
		text.p[text.len] = '\0';
		got = decoded(slice_of(text.p, text.len), &request, seed);
		if (got.len > 0) {
			n_accepted++;
			normalise(&text);
			cr_expect(is_in(&text, got), "PROPERTY_SEED=%llu: %.*s",
				  (unsigned long long)seed, (int)text.len, text.p);
		}
		build_used = mark;
	}
	cr_expect_gt(n_accepted, N_CASES / 50, "hardly anything was accepted: %u", n_accepted);
	cr_expect_lt(n_accepted, N_CASES / 2, "hardly anything was refused: %u", n_accepted);
}
