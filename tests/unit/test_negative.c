/* SPDX-License-Identifier: ISC */
/* Failures remembered: for their time and no longer, the oldest out, never many. */
#include <criterion/criterion.h>

#include <pthread.h>

#include "base/bytes.h"
#include "entries.h"
#include "state/cache.h"
#include "state/negative.h"

static const struct hash_key hash_key = {.k0 = 1, .k1 = 2};

Test(negative, CL_19_repeated_until_its_time)
{
	struct negative *negative = negative_new(10, hash_key);
	struct slice key = slice_text("key");

	cr_expect_eq(negative_get(negative, key, 0), OK);
	negative_put(negative, key, ERR_UP_UNREACHABLE, 61000, 1000);
	cr_expect_eq(negative_get(negative, key, 1000), ERR_UP_UNREACHABLE);
	cr_expect_eq(negative_get(negative, key, 60999), ERR_UP_UNREACHABLE);
	cr_expect_eq(negative_get(negative, slice_text("kez"), 1000), OK);
	cr_expect_eq(negative_count(negative), 1);
	cr_expect_eq(negative_get(negative, key, 61000), OK);
	cr_expect_eq(negative_count(negative), 0);
	negative_free(negative);
	negative_free(NULL);
}

Test(negative, CL_19_the_latest_failure_counts)
{
	struct negative *negative = negative_new(10, hash_key);
	struct slice key = slice_text("key");

	negative_put(negative, key, ERR_UP_UNREACHABLE, 5000, 0);
	negative_put(negative, key, ERR_UP_TIMEOUT, 3000, 0);
	cr_expect_eq(negative_get(negative, key, 0), ERR_UP_TIMEOUT);
	cr_expect_eq(negative_get(negative, key, 3000), OK);
	cr_expect_eq(negative_count(negative), 0);
	negative_put(negative, key, ERR_UP_HTTP, 9000, 3000);
	negative_remove(negative, key);
	negative_remove(negative, key);
	cr_expect_eq(negative_get(negative, key, 3000), OK);
	negative_free(negative);
}

Test(negative, who_only_looks_sees_how_long_yet)
{
	struct negative *negative = negative_new(10, hash_key);
	struct slice key = slice_text("key");
	int64_t ms_left = -1;

	cr_expect_eq(negative_look(negative, key, 0, &ms_left), OK);
	cr_expect_eq(ms_left, -1);
	negative_put(negative, key, ERR_UP_TIMEOUT, 5000, 1000);
	cr_expect_eq(negative_look(negative, key, 2000, &ms_left), ERR_UP_TIMEOUT);
	cr_expect_eq(ms_left, 3000);
	cr_expect_eq(negative_look(negative, key, 5000, &ms_left), OK);
	cr_expect_eq(ms_left, 3000);
	cr_expect_eq(negative_count(negative), 1, "it changes nothing");
	negative_free(negative);
}

Test(negative, CL_19_no_time_or_no_table_is_off)
{
	struct negative *off = negative_new(0, hash_key);
	struct negative *negative = negative_new(10, hash_key);
	struct slice key = slice_text("key");

	negative_put(off, key, ERR_UP_UNREACHABLE, 5000, 0);
	cr_expect_eq(negative_get(off, key, 0), OK);
	negative_put(negative, key, ERR_UP_UNREACHABLE, 7, 7);
	cr_expect_eq(negative_count(negative), 0);
	negative_put(negative, key, ERR_UP_UNREACHABLE, 5000, 7);
	negative_put(negative, key, ERR_UP_TIMEOUT, 7, 7);
	cr_expect_eq(negative_get(negative, key, 7), ERR_UP_UNREACHABLE);
	negative_free(off);
	negative_free(negative);
}

Test(negative, SL_10_random_serials_push_out_the_oldest_and_stay_few)
{
	enum {
		MAX = 100,
		N = 100000
	};
	struct negative *negative = negative_new(MAX, hash_key);

	for (uint32_t i = 0; i < N; i++) {
		uint32_t kept = N;

		negative_put(negative, slice_of(&i, sizeof(i)), ERR_UP_HTTP, 5000, 0);
		if (i % (MAX / 2) == 0) /* put again and again: never the oldest */
			negative_put(negative, slice_of(&kept, sizeof(kept)), ERR_UP_TIMEOUT, 5000,
				     0);
		cr_assert_leq(negative_count(negative), MAX);
	}
	for (uint32_t i = 0; i <= N; i++) {
		err_t err = negative_get(negative, slice_of(&i, sizeof(i)), 0);

		if (i == N)
			cr_expect_eq(err, ERR_UP_TIMEOUT);
		else
			cr_expect_eq(err, i > N - MAX ? ERR_UP_HTTP : OK, "%u", i);
	}
	cr_expect_eq(negative_count(negative), MAX);
	negative_free(negative);
}

Test(negative, F4_SL_10_failures_neither_hide_nor_evict_signed_answers)
{
	struct tails *tails = tails_new(hash_key);
	struct cache *cache = cache_new(1 << 20, hash_key);
	struct negative *negative = negative_new(1000, hash_key);
	const struct cache_key key = key_number(1);
	struct entry *entry = entry_of(tails, &(struct entry_spec){.n = 1}), *current;
	struct cache_stats before, after;
	int old_status;

	cr_assert_eq(cache_put(cache, entry, 1, &current, &old_status), CACHE_STORED);
	entry_unref(current);
	cache_stats(cache, &before);
	negative_put(negative, key_bytes(&key), ERR_UP_HTTP, 5000, 0);
	for (uint32_t i = 0; i < 10000; i++)
		negative_put(negative, slice_of(&i, sizeof(i)), ERR_UP_HTTP, 5000, 0);
	cache_stats(cache, &after);
	cr_expect_eq(after.n_entries, 1);
	cr_expect_eq(after.n_bytes, before.n_bytes);
	current = cache_get(cache, key_bytes(&key), cache_hash(cache, key_bytes(&key)));
	cr_expect_eq(current, entry);
	entry_unref(current);
	entry_unref(entry);
	negative_free(negative);
	cache_free(cache);
	tails_free(tails);
}

static void *work(void *arg)
{
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = i % 64;
		struct slice key = slice_of(&n, sizeof(n));
		err_t err = negative_get(arg, key, 0);

		if (err != OK && err != ERR_UP_HTTP)
			abort();
		if (i % 3 == 0)
			negative_remove(arg, key);
		else
			negative_put(arg, key, ERR_UP_HTTP, 5000, 0);
	}
	return NULL;
}

Test(negative, threads_may_use_it_at_once)
{
	struct negative *negative = negative_new(32, hash_key);
	pthread_t threads[4];

	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, work, negative), 0);
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	cr_expect_leq(negative_count(negative), 32);
	negative_free(negative);
}

static bool begins_with_a(void *arg, struct slice key)
{
	++*(unsigned *)arg;
	return key.p[0] == 'a';
}

Test(negative, forgets_what_is_picked)
{
	struct negative *negative = negative_new(10, hash_key);
	unsigned n_seen = 0;

	negative_put(negative, slice_text("a1"), ERR_UP_HTTP, 9000, 0);
	negative_put(negative, slice_text("b1"), ERR_UP_HTTP, 9000, 0);
	negative_put(negative, slice_text("a2"), ERR_UP_HTTP, 9000, 0);
	negative_remove_if(negative, begins_with_a, &n_seen);
	cr_expect_eq(n_seen, 3);
	cr_expect_eq(negative_count(negative), 1);
	cr_expect_eq(negative_get(negative, slice_text("b1"), 0), ERR_UP_HTTP);
	negative_free(negative);
}
