/* SPDX-License-Identifier: ISC */
/* What clients take: connections (SL-06) and misses (SL-09). */
#include "state/addresses.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "base/bytes.h"

static const struct hash_key key = {.k0 = 1, .k1 = 2};
static struct addresses *addresses;

static void setup(void)
{
	addresses = addresses_new(key);
	cr_assert_not_null(addresses);
}

static void teardown(void)
{
	addresses_free(addresses);
	addresses_free(NULL);
}

TestSuite(addresses, .init = setup, .fini = teardown);

static const struct slice v4 = {(const uint8_t *)"\x7f\0\0\1", 4};
static const struct slice other_v4 = {(const uint8_t *)"\x7f\0\0\2", 4};
static const struct slice v6 = {(const uint8_t *)"\x7f\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16};
static const struct slice neighbour_v6 = {
    (const uint8_t *)"\x7f\0\0\1\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16};
static const struct slice other_v6 = {(const uint8_t *)"\x7f\0\0\1\0\0\0\1\0\0\0\0\0\0\0", 16};
static const struct slice none = {NULL, 0};

static enum addresses_result enter(struct slice address)
{
	return addresses_enter(addresses, address, 5, 2);
}

Test(addresses, SL_06_each_address_has_its_own_limit)
{
	cr_assert_eq(enter(v4), ADDRESSES_OK);
	cr_assert_eq(enter(v4), ADDRESSES_OK);
	cr_assert_eq(enter(v4), ADDRESSES_TOO_MANY);
	cr_assert_eq(enter(other_v4), ADDRESSES_OK);
	cr_assert_eq(enter(v6), ADDRESSES_OK, "same octets, longer");
	cr_assert_eq(addresses_total(addresses), 4);
	addresses_leave(addresses, v4);
	cr_assert_eq(enter(v4), ADDRESSES_OK);
}

Test(addresses, SL_06_a_subnet_of_ipv6_has_one_limit)
{
	cr_assert_eq(enter(v6), ADDRESSES_OK);
	cr_assert_eq(enter(neighbour_v6), ADDRESSES_OK);
	cr_assert_eq(enter(v6), ADDRESSES_TOO_MANY);
	cr_assert_eq(enter(neighbour_v6), ADDRESSES_TOO_MANY);
	cr_assert_eq(enter(other_v6), ADDRESSES_OK);
	addresses_leave(addresses, neighbour_v6);
	cr_assert_eq(enter(v6), ADDRESSES_OK);
}

Test(addresses, SL_06_the_total_limits_all)
{
	cr_assert_eq(enter(v4), ADDRESSES_OK);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(enter(none), ADDRESSES_OK, "Unix sockets have no limit of their own");
	cr_assert_eq(enter(none), ADDRESSES_FULL);
	cr_assert_eq(enter(v4), ADDRESSES_FULL);
	addresses_leave(addresses, none);
	cr_assert_eq(enter(v6), ADDRESSES_OK);
	cr_assert_eq(enter(v6), ADDRESSES_FULL);
}

Test(addresses, a_limit_of_0_lets_nobody_in_and_leaves_nothing_behind)
{
	cr_assert_eq(addresses_enter(addresses, v4, 5, 0), ADDRESSES_TOO_MANY);
	cr_assert_eq(addresses_enter(addresses, v4, 0, 5), ADDRESSES_FULL);
	cr_assert_eq(addresses_total(addresses), 0);
}

Test(addresses, many_come_and_go)
{
	uint8_t octets[4] = {10};

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 10000; i++) {
			octets[2] = (uint8_t)(i >> 8);
			octets[3] = (uint8_t)i;
			cr_assert_eq(addresses_enter(addresses, slice_of(octets, 4), 10000, 1),
				     ADDRESSES_OK);
		}
		cr_assert_eq(addresses_total(addresses), 10000);
		for (unsigned i = 0; i < 10000; i++) {
			octets[2] = (uint8_t)(i >> 8);
			octets[3] = (uint8_t)i;
			addresses_leave(addresses, slice_of(octets, 4));
		}
		cr_assert_eq(addresses_total(addresses), 0);
	}
}

static void *come_and_go(void *arg)
{
	unsigned *n_in = arg;

	for (unsigned i = 0; i < 20000; i++) {
		if (addresses_enter(addresses, v4, 100, 3) != ADDRESSES_OK)
			continue;
		++*n_in;
		addresses_leave(addresses, v4);
	}
	return NULL;
}

Test(addresses, threads_share_the_counts)
{
	pthread_t threads[4];
	unsigned n_in[4] = {0};

	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, &n_in[i]), 0);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	cr_assert_gt(n_in[0] + n_in[1] + n_in[2] + n_in[3], 0);
	cr_assert_eq(addresses_total(addresses), 0);
}

/* --- misses ----------------------------------------------------------------------------------- */

#define US_SECOND INT64_C(1000000)

static unsigned take_all(struct slice address, uint64_t per_second, int64_t us_now)
{
	unsigned n = 0;

	while (n < 1000 && addresses_take_miss(addresses, address, per_second, us_now))
		n++;
	return n;
}

Test(addresses, SL_09_burst_then_rate)
{
	const int64_t start = 5 * US_SECOND;

	cr_expect_eq(take_all(v4, 10, start), 20);
	cr_expect_eq(take_all(v4, 10, start + 99999), 0);
	cr_expect_eq(take_all(v4, 10, start + 100000), 1);
	cr_expect_eq(take_all(v4, 10, start + 650000), 5);
	cr_expect_eq(take_all(v4, 10, start + 1000 * US_SECOND), 20, "no more is saved up");
	cr_expect_eq(take_all(v4, 100, start + 1001 * US_SECOND), 100, "at another rate");
}

Test(addresses, SL_09_each_client_has_its_own_rate)
{
	cr_expect_eq(take_all(v4, 1, US_SECOND), 2);
	cr_expect_eq(take_all(other_v4, 1, US_SECOND), 2);
	cr_expect_eq(take_all(v6, 1, US_SECOND), 2);
	cr_expect_eq(take_all(neighbour_v6, 1, US_SECOND), 0, "the same /64");
	cr_expect_eq(take_all(other_v6, 1, US_SECOND), 2);
	cr_expect_eq(take_all(none, 1, US_SECOND), 1000, "Unix sockets have none");
}

Test(addresses, SL_09_who_connects_anew_is_remembered)
{
	cr_assert_eq(enter(v4), ADDRESSES_OK);
	cr_expect_eq(take_all(v4, 1, US_SECOND), 2);
	addresses_leave(addresses, v4);
	cr_assert_eq(enter(v4), ADDRESSES_OK);
	cr_expect_eq(take_all(v4, 1, US_SECOND), 0);
	cr_assert_eq(enter(v4), ADDRESSES_OK);
	cr_assert_eq(enter(v4), ADDRESSES_TOO_MANY);
	addresses_leave(addresses, v4);
	addresses_leave(addresses, v4);
	cr_expect_eq(take_all(v4, 1, US_SECOND), 0);
	cr_assert_eq(addresses_enter(addresses, v4, 5, 0), ADDRESSES_TOO_MANY);
	cr_expect_eq(take_all(v4, 1, US_SECOND), 0);
}

/* The address of a client, by number. */
static struct slice numbered(uint8_t octets[4], unsigned i)
{
	octets[0] = 10;
	octets[1] = (uint8_t)(i >> 16);
	octets[2] = (uint8_t)(i >> 8);
	octets[3] = (uint8_t)i;
	return slice_of(octets, 4);
}

/* 4096 of those who have left; who is connected is never forgotten. */
Test(addresses, SL_09_memory_is_bounded)
{
	uint8_t octets[4];

	cr_assert_eq(enter(v4), ADDRESSES_OK);
	cr_expect_eq(take_all(v4, 1, US_SECOND), 2);
	for (unsigned i = 0; i < 4097; i++)
		cr_assert(addresses_take_miss(addresses, numbered(octets, i), 1, US_SECOND));
	cr_expect_eq(take_all(numbered(octets, 1), 1, US_SECOND), 1, "still known");
	cr_expect_eq(take_all(numbered(octets, 0), 1, US_SECOND), 2, "forgotten");
	cr_expect_eq(take_all(v4, 1, US_SECOND), 0);
	for (unsigned i = 0; i < 5000; i++) {
		cr_assert_eq(enter(numbered(octets, i)), ADDRESSES_OK);
		cr_assert(addresses_take_miss(addresses, numbered(octets, i), 1, 10 * US_SECOND));
		addresses_leave(addresses, numbered(octets, i));
	}
	cr_expect_eq(take_all(numbered(octets, 4999 - 4095), 1, 10 * US_SECOND), 1);
	cr_expect_eq(take_all(numbered(octets, 4999 - 4096), 1, 10 * US_SECOND), 2);
}
