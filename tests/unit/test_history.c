/* SPDX-License-Identifier: ISC */
/* What the samples of the last day tell, that they are bounded, and how responders were of late. */
#include "ctl/history.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include "base/bytes.h"
#include "ctl/quantile.h"
#include "io/clock.h"

enum column {
	TIME,
	SECONDS,
	HITS,
	MISSES,
	ERRORS,
	HIT_P50,
	HIT_P99,
	MISS_P50,
	MISS_P99,
	N_COLUMNS
};

static struct loop *loop;
static struct history *history;
static int64_t start;

static void set_up(void)
{
	loop = loop_new();
	start = clock_wall();
	history = history_new(loop);
	cr_assert_not_null(history);
}

static void tear_down(void)
{
	history_free(history);
	loop_free(loop);
}

TestSuite(history, .init = set_up, .fini = tear_down);

static void answer(unsigned result, unsigned n, uint64_t us)
{
	while (n-- > 0)
		counter_observe(METRIC_REQUEST_SECONDS, 0, result, us);
}

static json_t *told(int64_t now)
{
	struct buf out;
	json_t *root;

	buf_init(&out, 1048576);
	history_json(history, now, &out);
	cr_assert_eq(out.err, OK);
	root = json_loadb((const char *)out.p, out.len, 0, NULL);
	cr_assert_not_null(root, "%.*s", (int)out.len, (const char *)out.p);
	buf_fini(&out);
	cr_assert_eq(json_array_size(json_object_get(root, "columns")), N_COLUMNS);
	return root;
}

static int64_t at(const json_t *sample, enum column column)
{
	cr_assert_eq(json_array_size(sample), N_COLUMNS);
	return json_integer_value(json_array_get(sample, column));
}

static void expect_at(int line, const json_t *sample, const int64_t expected[N_COLUMNS])
{
	for (unsigned i = 0; i < N_COLUMNS; i++)
		cr_expect_eq(at(sample, i), expected[i], "line %d: column %u is %ld", line, i,
			     (long)at(sample, i));
}

#define EXPECT(sample, ...) expect_at(__LINE__, sample, (const int64_t[N_COLUMNS]){__VA_ARGS__})

Test(history, each_sample_is_what_was_since_the_one_before)
{
	json_t *root, *samples;

	answer(LABEL_RESULT_HIT, 90, 20);
	answer(LABEL_RESULT_REFRESHED, 10, 20);
	answer(LABEL_RESULT_MISS, 3, 200);
	answer(LABEL_RESULT_COLLAPSED, 2, 200);
	answer(LABEL_RESULT_NEGATIVE, 1, 200);
	answer(LABEL_RESULT_BYPASS, 1, 200);
	answer(LABEL_RESULT_REJECTED, 4, 5);
	answer(LABEL_RESULT_ERROR, 1, 8000000);
	history_take(history, start + 60);
	history_take(history, start + 120);
	answer(LABEL_RESULT_HIT, 1, 40);
	root = told(start + 150);
	samples = json_object_get(root, "samples");
	cr_assert_eq(json_array_size(samples), 2);
	EXPECT(json_array_get(samples, 0), start + 60, 60, 100, 7, 5, 13, 25, 175, 249);
	EXPECT(json_array_get(samples, 1), start + 120, 60);
	EXPECT(json_object_get(root, "current"), start + 150, 30, 1, 0, 0, 38, 50, 0, 0);
	json_decref(root);
}

Test(history, keeps_one_day)
{
	json_t *root, *samples;

	for (int64_t i = 1; i <= HISTORY_SAMPLES + 10; i++)
		history_take(history, start + 60 * i);
	root = told(start + 60 * (HISTORY_SAMPLES + 10));
	samples = json_object_get(root, "samples");
	cr_assert_eq(json_array_size(samples), HISTORY_SAMPLES);
	for (size_t i = 0; i < HISTORY_SAMPLES; i++)
		cr_assert_eq(at(json_array_get(samples, i), TIME), start + 60 * ((int64_t)i + 11));
	json_decref(root);
}

Test(history, clock_that_is_set_back)
{
	json_t *root;

	history_take(history, start - 3600);
	history_take(history, start - 3540);
	root = told(start - 3530);
	EXPECT(json_array_get(json_object_get(root, "samples"), 0), start - 3600, 0);
	EXPECT(json_array_get(json_object_get(root, "samples"), 1), start - 3540, 60);
	json_decref(root);
}

/* Readings are taken every 30 minutes, and what is told is since the last but one. */
Test(history, responders_are_told_of_the_last_hour)
{
	unsigned slot = counter_slot(SCOPE_RESPONDER, "issuer=\"a\",responder=\"http://a/\"");
	struct histogram taken;
	int64_t now = start;

	counter_observe(METRIC_UPSTREAM_SECONDS, slot, 0, 9000000);
	history_upstream(history, slot, &taken);
	cr_expect_eq(quantile_count(&taken), 1);
	for (int half_hours = 1; half_hours <= 3; half_hours++) {
		for (int i = 0; i < 30; i++)
			history_take(history, now += 60);
		counter_observe(METRIC_UPSTREAM_SECONDS, slot, 0, 20);
		history_upstream(history, slot, &taken);
		cr_expect_eq(quantile_count(&taken), half_hours == 1 ? 2 : 2, "%d", half_hours);
		cr_expect_eq(taken.n[0], half_hours == 1 ? 1 : 2, "%d", half_hours);
	}
	/* one that is new since */
	slot = counter_slot(SCOPE_RESPONDER, "issuer=\"a\",responder=\"http://b/\"");
	counter_observe(METRIC_UPSTREAM_SECONDS, slot, 0, 20);
	history_upstream(history, slot, &taken);
	cr_expect_eq(quantile_count(&taken), 1);
}
