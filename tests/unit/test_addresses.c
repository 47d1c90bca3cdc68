/* SPDX-License-Identifier: ISC */
/* How many connections, in all and from each address (SL-06). */
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
