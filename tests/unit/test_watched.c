/* SPDX-License-Identifier: ISC */
/* The certificates that are kept warm. */
#include "state/watched.h"

#include <criterion/criterion.h>

#include "entries.h"

static uint64_t hash_of(uint64_t n)
{
	const struct cache_key key = key_number(n);
	struct slice octets = key_bytes(&key);

	return hash_bytes(&entries_hash_key, octets.p, octets.len);
}

Test(watched, is_found_by_hash_once_built)
{
	struct watched *watched = watched_new(entries_hash_key);

	for (uint64_t n = 0; n < 1000; n++) {
		const struct cache_key key = key_number(n);

		cr_assert_eq(watched_add(watched, &key, "a name"), OK);
	}
	cr_expect_null(watched_find(watched, hash_of(5)), "not yet");
	watched_seal(watched);
	cr_expect_eq(watched_count(watched), 1000);
	for (uint64_t n = 0; n < 1000; n++) {
		const struct cache_key key = key_number(n);
		const struct watched_cert *cert = watched_find(watched, hash_of(n));

		cr_assert_not_null(cert);
		cr_expect(key_eq(&cert->key, &key));
		cr_expect_str_eq(cert->name, "a name");
	}
	cr_expect_null(watched_find(watched, hash_of(1000)));
	watched_free(watched);
	watched_free(NULL);
}

Test(watched, same_certificate_in_two_files_is_one)
{
	struct watched *watched = watched_new(entries_hash_key);
	const struct cache_key one = key_number(1), two = key_number(2);

	watched_seal(watched);
	cr_expect_null(watched_find(watched, 1));
	cr_assert_eq(watched_add(watched, &one, "one"), OK);
	cr_assert_eq(watched_add(watched, &two, "two"), OK);
	cr_assert_eq(watched_add(watched, &one, "again"), OK);
	watched_seal(watched);
	cr_expect_eq(watched_count(watched), 2);
	cr_expect_not_null(watched_find(watched, hash_of(1)));
	cr_expect_not_null(watched_find(watched, hash_of(2)));
	watched_free(watched);
}
