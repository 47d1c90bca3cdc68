/* SPDX-License-Identifier: ISC */
/* Shared tails: one copy of equal octets, counted, gone with its last user. */
#include <criterion/criterion.h>

#include <pthread.h>

#include "entries.h"

static const uint8_t ca[ISSUER_ID_LEN] = {1};
static const uint8_t other_ca[ISSUER_ID_LEN] = {2};

Test(tail, P5_equal_octets_of_one_issuer_are_kept_once)
{
	struct tails *tails = tails_new(entries_hash_key);
	struct tail *first = tail_get(tails, ca, slice_text("certificate"));
	size_t memory = tails_memory(tails);
	struct tail *second = tail_get(tails, ca, slice_text("certificate"));

	cr_assert_not_null(first);
	cr_expect_eq(first, second);
	cr_expect_eq(tails_memory(tails), memory);
	cr_expect(slice_eq(tail_bytes(first), slice_text("certificate")));
	cr_expect_arr_eq(tail_issuer_id(first), ca, ISSUER_ID_LEN);
	cr_expect_eq(tail_table(first), tails);
	tail_unref(first);
	cr_expect_eq(tails_memory(tails), memory);
	tail_unref(second);
	tail_unref(NULL);
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}

Test(tail, other_octets_or_another_issuer_are_another_tail)
{
	struct tails *tails = tails_new(entries_hash_key);
	struct tail *tail[] = {
	    tail_get(tails, ca, slice_text("certificate")),
	    tail_get(tails, ca, slice_text("certificatE")),
	    tail_get(tails, ca, slice_text("certificates")),
	    tail_get(tails, ca, slice_of(NULL, 0)),
	    tail_get(tails, other_ca, slice_text("certificate")),
	    tail_get(tails, other_ca, slice_of(NULL, 0)),
	};

	for (size_t i = 0; i < N_ELEMENTS(tail); i++) {
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(tail[i], tail[k], "%zu %zu", i, k);
	}
	cr_expect_eq(tail_bytes(tail[3]).len, 0);
	cr_expect_arr_eq(tail_issuer_id(tail[4]), other_ca, ISSUER_ID_LEN);
	for (size_t i = 0; i < N_ELEMENTS(tail); i++)
		tail_unref(tail[i]);
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}

Test(tail, many_tails_are_found_again)
{
	enum {
		N = 5000
	};
	static struct tail *tail[N];
	struct tails *tails = tails_new(entries_hash_key);

	for (uint32_t i = 0; i < N; i++)
		tail[i] = tail_get(tails, ca, slice_of(&i, sizeof(i)));
	for (uint32_t i = 0; i < N; i++) {
		struct tail *again = tail_get(tails, ca, slice_of(&i, sizeof(i)));

		cr_assert_eq(again, tail[i]);
		tail_unref(again);
		tail_unref(tail[i]);
	}
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}

static void *come_and_go(void *arg)
{
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t n = i % 3;
		struct tail *tail = tail_get(arg, ca, slice_of(&n, sizeof(n)));

		if (tail == NULL || tail_bytes(tail).p[0] != (uint8_t)n)
			abort();
		tail_unref(tail);
	}
	return NULL;
}

Test(tail, threads_may_share_and_drop_the_same_tail)
{
	struct tails *tails = tails_new(entries_hash_key);
	pthread_t threads[4];

	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, tails), 0);
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(tails_memory(tails), 0);
	tails_free(tails);
}
