/* SPDX-License-Identifier: ISC */
/* The memory cache: who wins a key, who is evicted, how much it may take. */
#include <criterion/criterion.h>

#include <pthread.h>

#include "entries.h"
#include "state/cache.h"

#define MIB ((size_t)1 << 20)

struct fixture {
	struct tails *tails;
	struct cache *cache;
};

static struct fixture setup(size_t max_bytes)
{
	return (struct fixture){.tails = tails_new(entries_hash_key),
				.cache = cache_new(max_bytes, entries_hash_key)};
}

static void teardown(struct fixture *f)
{
	cache_free(f->cache);
	cr_expect_eq(tails_memory(f->tails), 0, "every reference was dropped");
	tails_free(f->tails);
}

/* Puts entry, whose reference is dropped. */
static enum cache_put_result put(struct fixture *f, struct entry *entry)
{
	struct entry *current;
	int old_status;
	enum cache_put_result result = cache_put(f->cache, entry, 1, &current, &old_status);

	entry_unref(current);
	entry_unref(entry);
	return result;
}

static bool get(struct fixture *f, uint64_t n)
{
	const struct cache_key key = key_number(n);
	struct slice bytes = key_bytes(&key);
	struct entry *entry = cache_get(f->cache, bytes, cache_hash(f->cache, bytes));
	bool is_there = entry != NULL;

	if (is_there && !entry_has_key(entry, bytes))
		abort();
	entry_unref(entry);
	return is_there;
}

static bool take_out(struct fixture *f, uint64_t n)
{
	const struct cache_key key = key_number(n);
	struct slice bytes = key_bytes(&key);

	return cache_remove(f->cache, bytes, cache_hash(f->cache, bytes));
}

static struct cache_stats stats(const struct fixture *f)
{
	struct cache_stats out;

	cache_stats(f->cache, &out);
	return out;
}

/* --- who wins a key --- */

Test(cache, gives_what_was_put)
{
	struct fixture f = setup(MIB);
	struct entry *entry = entry_of(f.tails, &(struct entry_spec){.n = 1}), *current = NULL;
	const struct cache_key key = key_number(1);
	struct slice bytes = key_bytes(&key);
	int old_status = 7;

	cr_expect_not(get(&f, 1));
	cr_expect_eq(cache_put(f.cache, entry, 1, &current, &old_status), CACHE_STORED);
	cr_expect_eq(current, entry);
	cr_expect_eq(old_status, -1);
	entry_unref(current);
	current = cache_get(f.cache, bytes, cache_hash(f.cache, bytes));
	cr_expect_eq(current, entry);
	entry_unref(current);
	cr_expect_eq(put(&f, entry_ref(entry)), CACHE_STORED, "again the same one");
	cr_expect_eq(stats(&f).n_entries, 1);
	entry_unref(entry);
	cr_expect_not(get(&f, 2));
	cr_expect_not(take_out(&f, 2));
	cr_expect(take_out(&f, 1));
	cr_expect_not(get(&f, 1));
	cr_expect_not(take_out(&f, 1));
	cr_expect_eq(stats(&f).n_entries, 0);
	teardown(&f);
}

Test(cache, CL_16_CL_17_newer_signed_answer_wins)
{
	const struct {
		int64_t old_this, old_produced, new_this, new_produced;
		int64_t now;
		enum cache_put_result result;
	} rows[] = {
	    {10, 10, 5, 5, 50, CACHE_ROLLBACK},
	    {10, 10, 5, 99, 50, CACHE_ROLLBACK},
	    {10, 12, 10, 11, 50, CACHE_ROLLBACK},
	    {10, 12, 10, 13, 50, CACHE_ROLLBACK}, /* equally new, and the old one is revoked */
	    {10, 99, 20, 20, 50, CACHE_STORED},
	    {10, 10, 5, 5, ENTRIES_EXPIRY - 1, CACHE_ROLLBACK},
	    {10, 10, 5, 5, ENTRIES_EXPIRY, CACHE_STORED}, /* the old one has expired */
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct fixture f = setup(MIB);
		struct entry *revoked =
		    entry_of(f.tails, &(struct entry_spec){.n = 1,
							   .status = CERT_REVOKED,
							   .this_update = rows[i].old_this,
							   .produced_at = rows[i].old_produced});
		struct entry *good =
		    entry_of(f.tails, &(struct entry_spec){.n = 1,
							   .status = CERT_GOOD,
							   .this_update = rows[i].new_this,
							   .produced_at = rows[i].new_produced});
		struct entry *wins = rows[i].result == CACHE_ROLLBACK ? revoked : good;
		const struct cache_key key = key_number(1);
		struct entry *current = NULL;
		int old_status = 7;

		cr_expect_eq(put(&f, entry_ref(revoked)), CACHE_STORED);
		cr_expect_eq(cache_put(f.cache, good, rows[i].now, &current, &old_status),
			     rows[i].result, "%zu", i);
		cr_expect_eq(current, wins, "%zu", i);
		cr_expect_eq(old_status, CERT_REVOKED, "%zu", i);
		entry_unref(current);
		current = cache_get(f.cache, key_bytes(&key), cache_hash(f.cache, key_bytes(&key)));
		cr_expect_eq(current, wins, "%zu", i);
		entry_unref(current);
		cr_expect_eq(stats(&f).n_entries, 1);
		entry_unref(revoked);
		entry_unref(good);
		teardown(&f);
	}
}

Test(cache, too_big_an_answer_still_ends_the_one_it_replaces)
{
	struct fixture f = setup(MIB);
	struct entry *small = entry_of(f.tails, &(struct entry_spec){.n = 1, .this_update = 5});
	struct entry *older =
	    entry_of(f.tails, &(struct entry_spec){.n = 1, .this_update = 4, .own_len = MIB});
	struct entry *newer =
	    entry_of(f.tails, &(struct entry_spec){.n = 1, .this_update = 6, .own_len = MIB});
	struct entry *current;
	int old_status;

	cr_expect_eq(put(&f, entry_ref(newer)), CACHE_TOO_BIG);
	cr_expect_eq(put(&f, small), CACHE_STORED);
	cr_expect_eq(put(&f, older), CACHE_ROLLBACK);
	cr_expect(get(&f, 1));
	cr_expect_eq(cache_put(f.cache, newer, 1, &current, &old_status), CACHE_TOO_BIG);
	cr_expect_eq(current, newer);
	cr_expect_eq(old_status, CERT_GOOD);
	cr_expect_not(get(&f, 1));
	entry_unref(current);
	entry_unref(newer);
	teardown(&f);
}

/* --- the table --- */

Test(cache, many_entries_are_found_while_others_come_and_go)
{
	enum {
		N = 30000
	};
	struct fixture f = setup(16 * MIB);

	for (uint64_t n = 0; n < N; n++)
		cr_assert_eq(put(&f, entry_of(f.tails, &(struct entry_spec){.n = n})),
			     CACHE_STORED);
	cr_expect_eq(stats(&f).n_entries, N);
	for (uint64_t n = 0; n < N; n += 2)
		cr_assert(take_out(&f, n), "%lu", n);
	for (uint64_t n = 0; n < N; n++)
		cr_assert_eq(get(&f, n), n % 2 == 1, "%lu", n);
	for (uint64_t n = N; n < N + N / 2; n++)
		cr_assert_eq(put(&f, entry_of(f.tails, &(struct entry_spec){.n = n})),
			     CACHE_STORED);
	for (uint64_t n = 0; n < N + N / 2; n++)
		cr_assert_eq(get(&f, n), n % 2 == 1 || n >= N, "%lu", n);
	cr_expect_eq(stats(&f).n_entries, N);
	cr_expect_eq(stats(&f).n_evictions, 0);
	teardown(&f);
}

static struct entry *peek_hash(struct fixture *f, uint64_t n)
{
	const struct cache_key key = key_number(n);

	return cache_peek_hash(f->cache, cache_hash(f->cache, key_bytes(&key)));
}

Test(cache, is_found_by_hash_alone)
{
	enum {
		N = 20000
	};
	struct fixture f = setup(16 * MIB);

	cr_expect_null(peek_hash(&f, 0));
	for (uint64_t n = 0; n < N; n++)
		cr_assert_eq(put(&f, entry_of(f.tails, &(struct entry_spec){.n = n})),
			     CACHE_STORED);
	for (uint64_t n = 0; n < N; n++) {
		const struct cache_key key = key_number(n);
		struct entry *entry = peek_hash(&f, n);

		cr_assert(entry != NULL && entry_has_key(entry, key_bytes(&key)), "%lu", n);
		entry_unref(entry);
	}
	cr_expect_null(peek_hash(&f, N));
	teardown(&f);
}

/* Whether it is worth a refresh (CL-06) shows anew with every new response. */
Test(cache, CL_06_is_used_by_who_gets_and_not_by_who_peeks)
{
	struct fixture f = setup(MIB);
	struct entry *first = entry_of(f.tails, &(struct entry_spec){.n = 1});
	struct entry *second = entry_of(f.tails, &(struct entry_spec){.n = 1});

	put(&f, entry_ref(first));
	entry_unref(peek_hash(&f, 1));
	cr_expect_not(entry_is_used(first));
	cr_expect(get(&f, 1));
	cr_expect(entry_is_used(first));
	put(&f, entry_ref(second));
	cr_expect_not(entry_is_used(second));
	cr_expect(get(&f, 1));
	cr_expect(entry_is_used(second));
	entry_unref(first);
	entry_unref(second);
	teardown(&f);
}

static void mark(void *arg, struct entry *entry)
{
	struct cache_key key;

	entry_key(entry, &key);
	((bool *)arg)[get_u64(key.serial + 8)] = true;
}

Test(cache, each_visits_every_entry)
{
	struct fixture f = setup(8 * MIB);
	bool seen[1000] = {false};

	for (uint64_t n = 0; n < N_ELEMENTS(seen); n++)
		put(&f, entry_of(f.tails, &(struct entry_spec){.n = n}));
	take_out(&f, 500);
	cache_each(f.cache, mark, seen);
	for (uint64_t n = 0; n < N_ELEMENTS(seen); n++)
		cr_expect_eq(seen[n], n != 500, "%lu", n);
	teardown(&f);
}

static bool is_even(void *arg, const struct entry *entry)
{
	struct cache_key key;

	(void)arg;
	entry_key(entry, &key);
	return get_u64(key.serial + 8) % 2 == 0;
}

Test(cache, removes_what_a_test_says)
{
	struct fixture f = setup(8 * MIB);

	for (uint64_t n = 0; n < 1000; n++)
		put(&f, entry_of(f.tails, &(struct entry_spec){.n = n}));
	cache_remove_if(f.cache, is_even, NULL);
	for (uint64_t n = 0; n < 1000; n++)
		cr_expect_eq(get(&f, n), n % 2 != 0, "%lu", n);
	cr_expect_eq(stats(&f).n_entries, 500);
	teardown(&f);
}

/* --- eviction --- */

/* In a cache of one mebibyte there is one shard, and room for ten of these. */
enum {
	LARGE = 100 << 10,
	N_LARGE = 10,
	N_KEYS = 30
};

static struct entry *large(const struct fixture *f, uint64_t n)
{
	return entry_of(f->tails, &(struct entry_spec){.n = n, .own_len = LARGE});
}

Test(cache, SL_10_what_was_asked_for_outlives_a_scan)
{
	struct fixture f = setup(MIB);

	for (uint64_t n = 0; n < N_LARGE; n++)
		put(&f, large(&f, n));
	cr_expect_eq(stats(&f).n_evictions, 0);
	cr_expect(get(&f, 0));
	cr_expect(get(&f, 2));
	for (uint64_t n = N_LARGE; n < 20 * N_LARGE; n++) {
		put(&f, large(&f, n));
		cr_expect_eq(stats(&f).n_entries, N_LARGE);
	}
	cr_expect(get(&f, 0));
	cr_expect(get(&f, 2));
	for (uint64_t n = 1; n < N_LARGE; n++)
		cr_expect_eq(get(&f, n), n == 2, "%lu", n);
	teardown(&f);
}

/* SIEVE word for word, on a list of numbers. */
struct model {
	unsigned n[N_LARGE + 1];
	bool visited[N_LARGE + 1];
	size_t len, hand;
};

static size_t model_find(const struct model *m, unsigned n)
{
	size_t i = 0;

	while (i < m->len && m->n[i] != n)
		i++;
	return i;
}

static void model_remove(struct model *m, size_t i)
{
	memmove(m->n + i, m->n + i + 1, (m->len - i - 1) * sizeof(m->n[0]));
	memmove(m->visited + i, m->visited + i + 1, m->len - i - 1);
	m->len--;
	if (m->hand > i)
		m->hand--;
}

static void model_put(struct model *m, unsigned n)
{
	if (model_find(m, n) < m->len)
		return;
	m->visited[m->len] = false;
	m->n[m->len++] = n;
	while (m->len > N_LARGE) {
		if (m->hand >= m->len)
			m->hand = 0;
		if (m->n[m->hand] == n) {
			m->hand++;
		} else if (m->visited[m->hand]) {
			m->visited[m->hand++] = false;
		} else {
			model_remove(m, m->hand);
		}
	}
}

Test(cache, evicts_as_sieve_does)
{
	struct fixture f = setup(MIB);
	struct entry *versions[2][N_KEYS];
	struct model m = {.len = 0};

	for (unsigned i = 0; i < 2 * N_KEYS; i++)
		versions[i / N_KEYS][i % N_KEYS] = large(&f, i % N_KEYS);
	for (uint64_t step = 0; step < 20000; step++) {
		uint64_t random = hash_bytes(&entries_hash_key, &step, sizeof(step));
		unsigned n = (unsigned)(random >> 8) % N_KEYS;
		bool seen[N_KEYS] = {false};
		size_t i = model_find(&m, n);

		if (random % 16 < 8) {
			cr_assert_eq(get(&f, n), i < m.len);
			if (i < m.len)
				m.visited[i] = true;
		} else if (random % 16 < 15) {
			put(&f, entry_ref(versions[random >> 63][n]));
			model_put(&m, n);
		} else {
			cr_assert_eq(take_out(&f, n), i < m.len);
			if (i < m.len)
				model_remove(&m, i);
		}
		cache_each(f.cache, mark, seen);
		for (n = 0; n < N_KEYS; n++)
			cr_assert_eq(seen[n], model_find(&m, n) < m.len, "%lu: %u", step, n);
	}
	for (unsigned i = 0; i < 2 * N_KEYS; i++)
		entry_unref(versions[i / N_KEYS][i % N_KEYS]);
	teardown(&f);
}

/* --- size --- */

Test(cache, SL_10_random_serials_fill_their_part_and_no_more)
{
	const size_t max_bytes = 4 * MIB;
	struct fixture f = setup(max_bytes);

	put(&f, entry_of(f.tails, &(struct entry_spec){.n = 0}));
	for (uint64_t n = 1; n <= 100000; n++) {
		put(&f, entry_of(f.tails, &(struct entry_spec){.n = n}));
		if (n % 100 == 0)
			cr_assert(get(&f, 0), "%lu", n);
	}
	cr_expect_leq(stats(&f).n_bytes + tails_memory(f.tails), max_bytes);
	cr_expect_geq(stats(&f).n_bytes, max_bytes / 100 * 98);
	cr_expect_eq(stats(&f).n_evictions + stats(&f).n_entries, 100001);
	teardown(&f);
}

Test(cache, smallest_memory_holds_several_of_the_largest_answers)
{
	struct fixture f = setup(MIB);

	for (uint64_t n = 0; n < 100; n++) {
		cr_expect_eq(
		    put(&f, entry_of(f.tails, &(struct entry_spec){.n = n, .own_len = 128 << 10})),
		    CACHE_STORED);
		cr_expect(get(&f, n));
	}
	cr_expect_eq(stats(&f).n_entries, 7);
	cr_expect_leq(stats(&f).n_bytes, MIB);
	teardown(&f);
}

Test(cache, tails_that_nobody_shares_count_too)
{
	for (size_t max_bytes = MIB; max_bytes <= 8 * MIB; max_bytes *= 8) {
		struct fixture f = setup(max_bytes);
		uint8_t tail[10000] = {0};

		for (uint64_t n = 0; n < 5000; n++) {
			put_u64(tail, n);
			cr_assert_eq(
			    put(&f, entry_of(f.tails,
					     &(struct entry_spec){
						 .n = n, .tail = slice_of(tail, sizeof(tail))})),
			    CACHE_STORED);
			cr_assert(get(&f, n));
		}
		cr_expect_leq(stats(&f).n_bytes + tails_memory(f.tails), max_bytes / 100 * 105);
		cr_expect_geq(stats(&f).n_bytes + tails_memory(f.tails), max_bytes / 100 * 80);
		teardown(&f);
	}
}

Test(cache, P5_an_entry_costs_its_octets_and_128_more_at_most)
{
	enum {
		N = 100000,
		OWN = 480
	};
	struct fixture f = setup(256 * MIB);
	size_t own = 0, heap = 0;

	for (uint64_t n = 0; n < N; n++) {
		struct entry *entry = entry_of(
		    f.tails, &(struct entry_spec){
				 .n = n, .own_len = OWN + n % 16, .tail = slice_text("shared")});

		own += OWN + n % 16;
		heap += entry_memory(entry);
		put(&f, entry);
	}
	cr_expect_eq(stats(&f).n_entries, N);
	cr_expect_leq((stats(&f).n_bytes - own) / N, 128);
	/* A place and a slot each are counted. */
	cr_expect_geq((stats(&f).n_bytes - heap) / N, 8 + 64 / 12);
	teardown(&f);
}

/* --- threads --- */

struct worker {
	struct fixture *f;
	struct entry **entries;
	uint64_t seed;
	pthread_t thread;
};

enum {
	N_SHARED = 500
};

static void *work(void *arg)
{
	struct worker *worker = arg;

	for (uint64_t step = 0; step < 20000; step++) {
		uint64_t seed[2] = {worker->seed, step};
		uint64_t random = hash_bytes(&entries_hash_key, seed, sizeof(seed));
		uint64_t n = (random >> 8) % N_SHARED;

		if (random % 16 < 10)
			(void)get(worker->f, n);
		else if (random % 16 < 15)
			put(worker->f, entry_ref(worker->entries[n]));
		else
			(void)take_out(worker->f, n);
	}
	return NULL;
}

Test(cache, threads_may_get_put_and_remove_at_once)
{
	struct fixture f = setup(2 * MIB);
	struct entry *entries[N_SHARED];
	struct worker workers[4];

	for (uint64_t n = 0; n < N_SHARED; n++)
		entries[n] = entry_of(f.tails, &(struct entry_spec){.n = n, .own_len = 8000});
	for (size_t i = 0; i < N_ELEMENTS(workers); i++) {
		workers[i] = (struct worker){.f = &f, .entries = entries, .seed = i};
		cr_assert_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < N_ELEMENTS(workers); i++)
		pthread_join(workers[i].thread, NULL);
	cr_expect_leq(stats(&f).n_bytes, 2 * MIB);
	cr_expect_gt(stats(&f).n_evictions, 0);
	for (uint64_t n = 0; n < N_SHARED; n++) {
		(void)take_out(&f, n);
		cr_expect_eq(entries[n]->n_refs, 1, "%lu", n);
		entry_unref(entries[n]);
	}
	cr_expect_eq(stats(&f).n_entries, 0);
	teardown(&f);
}
