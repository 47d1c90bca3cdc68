/* SPDX-License-Identifier: ISC */
/* The in-flight table, rule HC-11: one flight per key, found by all who ask meanwhile. */
#include <criterion/criterion.h>

#include "base/bytes.h"
#include "state/inflight.h"

static const struct hash_key hash_key = {.k0 = 1, .k1 = 2};

Test(inflight, HC_11_whoever_asks_meanwhile_finds_the_flight)
{
	struct inflight *inflight = inflight_new(hash_key);
	struct slice key = slice_text("key"), other = slice_text("other");
	int flight, second;

	cr_expect_null(inflight_get(inflight, key));
	cr_assert_eq(inflight_put(inflight, key, &flight), OK);
	cr_expect_eq(inflight_get(inflight, key), &flight);
	cr_expect_null(inflight_get(inflight, other));
	cr_expect_eq(inflight_count(inflight), 1);
	cr_assert_eq(inflight_put(inflight, key, &second), OK);
	cr_expect_eq(inflight_get(inflight, key), &second);
	cr_expect_eq(inflight_count(inflight), 1);
	inflight_remove(inflight, other);
	cr_expect_eq(inflight_get(inflight, key), &second);
	inflight_remove(inflight, key);
	cr_expect_null(inflight_get(inflight, key));
	cr_expect_eq(inflight_count(inflight), 0);
	inflight_free(inflight);
	inflight_free(NULL);
}

/* Few enough keys that runs form, break and wrap around the end of the table. */
Test(inflight, HC_11_none_is_lost_while_others_come_and_go)
{
	enum {
		N_KEYS = 200,
		N_STEPS = 100000
	};
	struct inflight *inflight = inflight_new(hash_key);
	uint32_t keys[N_KEYS];
	bool is_there[N_KEYS] = {false};
	size_t n = 0;

	for (uint32_t i = 0; i < N_KEYS; i++)
		keys[i] = i;
	for (uint32_t step = 0; step < N_STEPS; step++) {
		uint64_t random = hash_bytes(&hash_key, &step, sizeof(step));
		size_t i = (random >> 8) % N_KEYS;
		struct slice key = slice_of(&keys[i], sizeof(keys[i]));

		cr_assert_eq(inflight_get(inflight, key), is_there[i] ? &keys[i] : NULL);
		/* Fills up at first and then stays as full as the table lets it. */
		if (!is_there[i] && (step < N_STEPS / 2 || random % 2 == 0)) {
			cr_assert_eq(inflight_put(inflight, key, &keys[i]), OK);
			is_there[i] = true;
			n++;
		} else if (is_there[i] && (step >= N_STEPS / 2 || random % 2 == 0)) {
			inflight_remove(inflight, key);
			is_there[i] = false;
			n--;
		}
		cr_assert_eq(inflight_count(inflight), n);
	}
	for (uint32_t i = 0; i < N_KEYS; i++)
		cr_expect_eq(inflight_get(inflight, slice_of(&keys[i], sizeof(keys[i]))),
			     is_there[i] ? &keys[i] : NULL, "%u", i);
	inflight_free(inflight);
}
