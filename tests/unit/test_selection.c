/* SPDX-License-Identifier: ISC */
/* What operators mean: how they write it, what it has, which keys and entries that is. */
#include "relay/selection.h"

#include <criterion/criterion.h>

#include "build.h"
#include "relay_kit.h"

static struct selection of_serial(const char *text)
{
	struct selection selection = {.has_issuer = false};

	cr_assert_eq(selection_set_serial(&selection, slice_text(text)), OK, "%s", text);
	return selection;
}

static struct cache_key key_of(const struct issuer *issuer, enum hash_alg alg, const char *hex)
{
	struct cache_key key;

	key_make(&key, issuer->id, alg, HEX(hex));
	return key;
}

Test(selection, RP_38_serials_as_people_write_them)
{
	static const struct {
		const char *text, *serial; /* NULL: none */
	} rows[] = {
	    {"0a1b", "0a1b"}, {"0A1B", "0a1b"},	    {"0x0a1b", "0a1b"},	  {"0a:1b", "0a1b"},
	    {"a1b", "0a1b"},  {"00000a1b", "0a1b"}, {"00:ff:01", "ff01"}, {"0", "00"},
	    {"0000", "00"},   {"7", "07"},	    {"", NULL},		  {"0x", NULL},
	    {"0a:", NULL},    {":0a", NULL},	    {"0a1b:", NULL},	  {"0:a1", NULL},
	    {"0a::1b", NULL}, {"0a 1b", NULL},	    {"-1", NULL},	  {"0xg", NULL},
	    {"0a1:b", NULL},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct selection selection = {.serial_len = 0};
		err_t err = selection_set_serial(&selection, slice_text(rows[i].text));

		if (rows[i].serial == NULL) {
			cr_expect_eq(err, ERR_REQ_SERIAL, "%s", rows[i].text);
			cr_expect_eq(selection.serial_len, 0);
			continue;
		}
		cr_expect_eq(err, OK, "%s", rows[i].text);
		cr_expect(
		    slice_eq(slice_of(selection.serial, selection.serial_len), HEX(rows[i].serial)),
		    "%s", rows[i].text);
	}
}

Test(selection, RP_38_longest_serial)
{
	char text[2 * MAX_SERIAL_LEN + 5];
	struct selection selection = {.serial_len = 0};

	memset(text, 'f', sizeof(text));
	cr_expect_eq(selection_set_serial(&selection, slice_of(text, 2 * MAX_SERIAL_LEN)), OK);
	cr_expect_eq(selection.serial_len, MAX_SERIAL_LEN);
	cr_expect_eq(selection_set_serial(&selection, slice_of(text, 2 * MAX_SERIAL_LEN + 1)),
		     ERR_REQ_SERIAL);
	memcpy(text, "00", 2);
	cr_expect_eq(selection_set_serial(&selection, slice_of(text, 2 * MAX_SERIAL_LEN + 2)), OK);
}

Test(selection, issuers_by_label_and_by_id)
{
	struct selection selection = {.has_issuer = false};
	char id[2 * ISSUER_ID_LEN + 1] = {0};

	kit_open();
	cr_expect_eq(selection_set_issuer(&selection, kit.issuers, slice_text("tes")),
		     ERR_ISSUER_UNKNOWN);
	cr_expect_not(selection.has_issuer);
	cr_expect_eq(selection_set_issuer(&selection, kit.issuers, slice_text("test")), OK);
	cr_expect_arr_eq(selection.issuer_id, kit.issuer->id, ISSUER_ID_LEN);
	memset(id, 'a', sizeof(id) - 1);
	cr_expect_eq(selection_set_issuer(&selection, kit.issuers, slice_text(id)), OK,
		     "that of one that is configured no more");
	cr_expect_eq(selection.issuer_id[31], 0xaa);
	kit_close();
}

Test(selection, has_what_it_says)
{
	struct selection all = {.has_issuer = false}, issuer = all, serial, both;
	struct cache_key key, padded, other_serial, other_issuer;

	kit_open();
	key = key_of(kit.issuer, HASH_SHA1, "f1");
	padded = key_of(kit.issuer, HASH_SHA256, "00f1");
	other_serial = key_of(kit.issuer, HASH_SHA1, "f2");
	other_issuer = key_of(issuers_at(kit.issuers, 1), HASH_SHA1, "00f1");
	cr_assert_eq(selection_set_issuer(&issuer, kit.issuers, slice_text("test")), OK);
	serial = of_serial("f1");
	both = issuer;
	cr_assert_eq(selection_set_serial(&both, slice_text("f1")), OK);
	{
		const struct {
			const struct selection *selection;
			bool key, padded, other_serial, other_issuer;
		} rows[] = {
		    {&all, true, true, true, true},
		    {&issuer, true, true, true, false},
		    {&serial, true, true, false, true},
		    {&both, true, true, false, false},
		};

		for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
			const struct selection *selection = rows[i].selection;

			cr_expect_eq(selection_has(selection, &key), rows[i].key, "%zu", i);
			cr_expect_eq(selection_has(selection, &padded), rows[i].padded, "%zu", i);
			cr_expect_eq(selection_has(selection, &other_serial), rows[i].other_serial,
				     "%zu", i);
			cr_expect_eq(selection_has(selection, &other_issuer), rows[i].other_issuer,
				     "%zu", i);
		}
	}
	kit_close();
}

struct keys {
	struct cache_key keys[40];
	size_t n;
};

static void note_key(void *arg, const struct cache_key *key)
{
	struct keys *keys = arg;

	cr_assert_lt(keys->n, N_ELEMENTS(keys->keys));
	keys->keys[keys->n++] = *key;
}

Test(selection, RP_38_each_key_that_may_be_meant)
{
	static const struct {
		const char *issuer, *serial;
		size_t n;
	} rows[] = {
	    {"test", "71", N_HASH_ALGS},
	    {NULL, "71", 2 * N_HASH_ALGS},
	    {"test", "f1", 2 * N_HASH_ALGS}, /* with a zero in front and without */
	    {NULL, "00f1", 4 * N_HASH_ALGS},
	};

	kit_open();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct selection selection = of_serial(rows[i].serial);
		struct keys keys = {.n = 0};

		if (rows[i].issuer != NULL)
			cr_assert_eq(selection_set_issuer(&selection, kit.issuers,
							  slice_text(rows[i].issuer)),
				     OK);
		selection_each_key(&selection, kit.issuers, note_key, &keys);
		cr_expect_eq(keys.n, rows[i].n, "%zu", i);
		for (size_t j = 0; j < keys.n; j++) {
			cr_expect(selection_has(&selection, &keys.keys[j]), "%zu", i);
			for (size_t k = 0; k < j; k++)
				cr_expect_not(key_eq(&keys.keys[j], &keys.keys[k]), "%zu", i);
		}
	}
	kit_close();
}

Test(selection, what_others_tell)
{
	struct news news = {.kind = NEWS_STORED};
	struct selection selection;
	struct cache_key other;

	kit_open();
	news.key = key_of(kit.issuer, HASH_SHA1, "00f1");
	other = key_of(kit.issuer, HASH_SHA1, "f2");
	cr_expect_not(selection_of_news(&news, &selection));
	news.kind = NEWS_PURGE_ALL;
	cr_assert(selection_of_news(&news, &selection));
	cr_expect(!selection.has_issuer && selection.serial_len == 0);
	news.kind = NEWS_PURGE_ISSUER;
	cr_assert(selection_of_news(&news, &selection));
	cr_expect(selection_has(&selection, &other) && selection.has_issuer);
	news.kind = NEWS_PURGE_KEY;
	cr_assert(selection_of_news(&news, &selection));
	cr_expect(selection_has(&selection, &news.key) && !selection_has(&selection, &other));
	kit_close();
}

/* n entries, of which the i-th expires after i + 1 hours. */
static void fill(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		kit_store(kit_serial(i), -100, 3600 * (int64_t)(i + 1));
}

Test(selection, gathers_by_expiry)
{
	const struct selection all = {.has_issuer = false};
	struct gathering gathering;
	int64_t now;

	kit_open();
	now = clock_wall();
	fill(5);
	cr_assert_eq(selection_gather(&all, kit.common.cache, now, INT64_MAX, &gathering), OK);
	cr_assert_eq(gathering.n, 5);
	for (size_t i = 1; i < gathering.n; i++)
		cr_expect_lt(gathering.entries[i - 1]->hard_expiry,
			     gathering.entries[i]->hard_expiry);
	gathering_fini(&gathering);
	cr_assert_eq(selection_gather(&all, kit.common.cache, now, now + 3 * 3600, &gathering), OK);
	cr_expect_eq(gathering.n, 2, "%zu expire before", gathering.n);
	gathering_fini(&gathering);
	cr_assert_eq(
	    selection_gather(&all, kit.common.cache, now + 3 * 3600, INT64_MAX, &gathering), OK);
	cr_expect_eq(gathering.n, 2, "%zu have not expired", gathering.n);
	gathering_fini(&gathering);
	kit_close();
}
