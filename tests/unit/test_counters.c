/* SPDX-License-Identifier: ISC */
/*
 * Counters: the tables, slots, label rendering, and sums over threads that live, end and are read
 * at the same time. Each test runs in a process of its own, so every count starts at zero.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/counters.h"

static bool is_word(const char *text)
{
	return text[0] && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

Test(counters, metric_names_are_unique_and_follow_their_type)
{
	for (unsigned i = 0; i < N_METRICS; i++) {
		const struct metric_row *row = metric_row((enum metric)i);

		cr_expect(is_word(row->name), "%s", row->name);
		cr_expect_gt(strlen(row->help), 0, "%s", row->name);
		if (row->type == METRIC_TYPE_COUNTER)
			cr_expect(ends_with(row->name, "_total"), "%s", row->name);
		if (row->type == METRIC_TYPE_GAUGE)
			cr_expect_not(ends_with(row->name, "_total"), "%s", row->name);
		if (row->type == METRIC_TYPE_HISTOGRAM) {
			cr_expect(ends_with(row->name, "_seconds"), "%s", row->name);
			cr_expect_eq(row->dim[1], DIM_NONE, "%s", row->name);
		}
		for (unsigned other = 0; other < i; other++)
			cr_expect_str_neq(row->name, metric_row((enum metric)other)->name);
	}
}

Test(counters, a_metric_has_no_label_name_twice)
{
	for (unsigned i = 0; i < N_METRICS; i++) {
		const struct metric_row *row = metric_row((enum metric)i);

		if (row->dim[1] == DIM_NONE)
			continue;
		cr_expect_neq(row->dim[0], DIM_NONE, "%s", row->name);
		cr_expect_str_neq(label_name(row->dim[0]), label_name(row->dim[1]), "%s",
				  row->name);
	}
}

Test(counters, label_values_are_those_of_the_table)
{
	cr_expect_eq(label_count(DIM_NONE), 1);
	cr_expect_str_eq(label_name(DIM_NONE), "");
	cr_expect_str_eq(label_text(DIM_NONE, 0), "");
	cr_expect_eq(label_count(DIM_METHOD), 3);
	cr_expect_str_eq(label_name(DIM_METHOD), "method");
	cr_expect_str_eq(label_text(DIM_METHOD, LABEL_METHOD_GET), "get");
	cr_expect_str_eq(label_text(DIM_METHOD, LABEL_METHOD_POST), "post");
	cr_expect_str_eq(label_name(DIM_RESULT), "result");
	cr_expect_str_eq(label_text(DIM_RESULT, LABEL_RESULT_HIT), "hit");
	cr_expect_str_eq(label_text(DIM_OUTCOME, LABEL_OUTCOME_ERROR), "error");
	cr_expect_eq(label_count(DIM_REASON), N_ERRORS);
	cr_expect_str_eq(label_name(DIM_REASON), "reason");
	cr_expect_str_eq(label_text(DIM_REASON, OK), "ok");
	cr_expect_eq(label_count(DIM_UPSTREAM_RESULT), N_ERRORS);
	cr_expect_str_eq(label_name(DIM_UPSTREAM_RESULT), "result");
	cr_expect_str_eq(label_text(DIM_UPSTREAM_RESULT, ERR_UP_HTTP), "upstream-http");
	cr_expect_str_eq(label_text(DIM_REASON, ERR_LOOP), "loop");
}

Test(counters, label_values_are_unique_in_their_dimension)
{
	for (unsigned dim = DIM_NONE + 1; dim < N_DIMS; dim++) {
		unsigned n = label_count((enum label_dim)dim);

		cr_expect(is_word(label_name((enum label_dim)dim)));
		cr_expect_gt(n, 1);
		for (unsigned i = 0; i < n; i++) {
			const char *text = label_text((enum label_dim)dim, i);

			cr_expect_gt(strlen(text), 0);
			for (unsigned other = 0; other < i; other++)
				cr_expect_str_neq(text, label_text((enum label_dim)dim, other));
		}
	}
}

Test(counters, slots_stay_the_same_for_the_same_labels)
{
	unsigned corp, web;

	cr_expect_eq(counter_slots(SCOPE_ISSUER), 1);
	corp = counter_slot(SCOPE_ISSUER, "issuer=\"Corp\"");
	web = counter_slot(SCOPE_ISSUER, "issuer=\"Web\"");
	cr_expect_neq(corp, 0);
	cr_expect_neq(web, 0);
	cr_expect_neq(corp, web);
	cr_expect_eq(counter_slot(SCOPE_ISSUER, "issuer=\"Corp\""), corp);
	cr_expect_eq(counter_slots(SCOPE_ISSUER), 3);
	cr_expect_str_eq(counter_slot_labels(SCOPE_ISSUER, corp), "issuer=\"Corp\"");
	cr_expect_str_eq(counter_slot_labels(SCOPE_ISSUER, web), "issuer=\"Web\"");
	cr_expect_eq(counter_slots(SCOPE_TIER), 1, "each scope has its own");
}

Test(counters, slot_0_has_the_labels_with_empty_values)
{
	cr_expect_str_eq(counter_slot_labels(SCOPE_NONE, 0), "");
	cr_expect_str_eq(counter_slot_labels(SCOPE_ISSUER, 0), "issuer=\"\"");
	cr_expect_str_eq(counter_slot_labels(SCOPE_RESPONDER, 0), "issuer=\"\",responder=\"\"");
	cr_expect_str_eq(counter_slot_labels(SCOPE_TIER, 0), "tier=\"\"");
	cr_expect_eq(counter_slot(SCOPE_TIER, "tier=\"\""), 0);
	cr_expect_eq(counter_slot(SCOPE_NONE, "anything"), 0);
	cr_expect_eq(counter_slots(SCOPE_NONE), 1);
}

Test(counters, slots_beyond_the_limit_are_slot_0)
{
	char labels[32];

	for (unsigned i = 1; i < 4096; i++) {
		snprintf(labels, sizeof(labels), "tier=\"%u\"", i);
		cr_assert_eq(counter_slot(SCOPE_TIER, labels), i);
	}
	cr_expect_eq(counter_slot(SCOPE_TIER, "tier=\"one too many\""), 0);
	cr_expect_eq(counter_slots(SCOPE_TIER), 4096);
	cr_expect_eq(counter_slot(SCOPE_TIER, "tier=\"4095\""), 4095);
	counter_add(METRIC_STORE_UP, 4095, 0, 0, 1);
	cr_expect_eq(counter_sum(METRIC_STORE_UP, 4095, 0, 0), 1);
	cr_expect_eq(counter_sum(METRIC_STORE_UP, 4094, 0, 0), 0);
}

Test(counters, label_values_are_escaped_and_cut_to_fit)
{
	static const struct {
		size_t cap;
		const char *value, *text;
	} cases[] = {
	    {64, "plain", "name=\"plain\""},
	    {64, "", "name=\"\""},
	    {64, NULL, "name=\"\""},
	    {64, "a\\b\"c\nd", "name=\"a\\\\b\\\"c\\nd\""},
	    {64, "\xc3\xa9", "name=\"\xc3\xa9\""},
	    {64, "\xc3(\xff", "name=\"?(?\""}, /* one bad octet would spoil the whole page */
	    {13, "plain", "name=\"plain\""},
	    {12, "plain", "name=\"plai\""},
	    {9, "plain", "name=\"p\""},
	    {8, "plain", "name=\"\""},
	    {9, "\"x", "name=\"\""}, /* never half an escape */
	    {9, "\xc3\xa9", "name=\"\""},
	    {7, "plain", ""},
	    {1, "plain", ""},
	};

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char text[65];

		memset(text, '#', sizeof(text));
		counter_label(text, cases[i].cap, "name", cases[i].value);
		cr_expect_str_eq(text, cases[i].text);
		cr_expect_eq(text[cases[i].cap], '#', "case %zu", i);
	}
	counter_label(NULL, 0, "name", "value");
}

/* Visits each cell of the metric in three slots of its scope, under ascending numbers. */
static void visit_cells(enum metric metric, void (*visit)(enum metric, unsigned[3], int64_t),
			int64_t *n)
{
	const struct metric_row *row = metric_row(metric);
	unsigned slots[3] = {0, counter_slot(row->scope, "a"), counter_slot(row->scope, "b")};

	for (size_t i = 0; i < (row->scope == SCOPE_NONE ? 1 : 3); i++) {
		for (unsigned a = 0; a < label_count(row->dim[0]); a++) {
			for (unsigned b = 0; b < label_count(row->dim[1]); b++)
				visit(metric, (unsigned[]){slots[i], a, b}, ++*n);
		}
	}
}

static void add_to_cell(enum metric metric, unsigned at[3], int64_t n)
{
	counter_add(metric, at[0], at[1], at[2], n);
}

static void expect_cell(enum metric metric, unsigned at[3], int64_t n)
{
	cr_expect_eq(counter_sum(metric, at[0], at[1], at[2]), n, "%s slot %u: %u %u",
		     metric_row(metric)->name, at[0], at[1], at[2]);
}

Test(counters, each_combination_has_its_own_cell)
{
	int64_t n_added = 0, n_read = 0;

	for (unsigned i = 0; i < N_METRICS; i++) {
		if (metric_row((enum metric)i)->type != METRIC_TYPE_HISTOGRAM)
			visit_cells((enum metric)i, add_to_cell, &n_added);
	}
	for (unsigned i = 0; i < N_METRICS; i++) {
		if (metric_row((enum metric)i)->type != METRIC_TYPE_HISTOGRAM)
			visit_cells((enum metric)i, expect_cell, &n_read);
	}
	cr_expect_eq(n_added, n_read);
}

Test(counters, a_reason_is_counted_under_its_error)
{
	counter_add(METRIC_REJECTED, 0, ERR_REQ_DER, 0, 1);
	counter_add(METRIC_REJECTED, 0, N_ERRORS - 1, 0, 2);
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, ERR_REQ_DER, 0), 1);
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, N_ERRORS - 1, 0), 2);
	cr_expect_eq(counter_sum(METRIC_REJECTED, 0, ERR_REQ_TRAILING, 0), 0);
}

Test(counters, bucket_bounds_ascend_to_infinity)
{
	for (unsigned i = 1; i < N_BUCKETS; i++)
		cr_expect_lt(counter_bucket_bounds[i - 1], counter_bucket_bounds[i]);
	cr_expect_eq(counter_bucket_bounds[N_BUCKETS - 1], UINT64_MAX);
}

Test(counters, an_observation_falls_into_the_first_bucket_that_holds_it)
{
	struct histogram h;
	uint64_t sum = 0;

	counter_observe(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_HIT, 0);
	for (unsigned i = 0; i < N_BUCKETS - 1; i++) {
		counter_observe(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_HIT,
				counter_bucket_bounds[i]);
		counter_observe(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_HIT,
				counter_bucket_bounds[i] + 1);
		sum += 2 * counter_bucket_bounds[i] + 1;
	}
	counter_histogram(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_HIT, &h);
	for (unsigned i = 0; i < N_BUCKETS - 1; i++)
		cr_expect_eq(h.n[i], 2, "bucket %u: %llu", i, (unsigned long long)h.n[i]);
	cr_expect_eq(h.n[N_BUCKETS - 1], 1);
	cr_expect_eq(h.sum_us, sum);
	counter_histogram(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_MISS, &h);
	cr_expect_eq(h.n[0] + h.sum_us, 0, "the other value's cells stay at zero");
}

static void *lower_gauge(void *arg)
{
	counter_add(METRIC_WAITERS, 0, 0, 0, -5);
	(void)arg;
	counter_thread_end();
	return NULL;
}

Test(counters, a_gauge_may_rise_on_one_thread_and_fall_on_another)
{
	pthread_t thread;

	counter_add(METRIC_WAITERS, 0, 0, 0, 3);
	pthread_create(&thread, NULL, lower_gauge, NULL);
	pthread_join(thread, NULL);
	cr_expect_eq(counter_sum(METRIC_WAITERS, 0, 0, 0), -2);
}

#define N_THREADS 4
#define N_ROUNDS  20000

static pthread_barrier_t all_counted, all_read;
static atomic_bool has_finished;

/* Counts on cells that exist and on ones that come into being while others read. */
static void *count(void *arg)
{
	char labels[32];

	for (unsigned i = 0; i < N_ROUNDS; i++) {
		unsigned slot = 0;

		counter_add(METRIC_CONNECTIONS_TOTAL, 0, 0, 0, 1);
		counter_observe(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_HIT, i);
		if (i % 100 == 0) {
			snprintf(labels, sizeof(labels), "issuer=\"%u\"", i / 100);
			slot = counter_slot(SCOPE_ISSUER, labels);
		}
		counter_add(METRIC_REFRESHES, slot, LABEL_OUTCOME_OK, 0, 1);
	}
	pthread_barrier_wait(&all_counted);
	pthread_barrier_wait(&all_read);
	counter_thread_end();
	counter_thread_end(); /* has nothing more to fold */
	(void)arg;
	return NULL;
}

/* A scraper: what it sees of a counter never falls. */
static void *scrape(void *arg)
{
	int64_t before = 0;

	while (!atomic_load(&has_finished)) {
		int64_t sum = counter_sum(METRIC_CONNECTIONS_TOTAL, 0, 0, 0);

		cr_assert_geq(sum, before);
		before = sum;
		for (unsigned slot = 0; slot < counter_slots(SCOPE_ISSUER); slot++) {
			cr_assert_neq(counter_slot_labels(SCOPE_ISSUER, slot)[0], '\0');
			sum = counter_sum(METRIC_REFRESHES, slot, LABEL_OUTCOME_OK, 0);
			cr_assert_geq(sum, 0);
		}
	}
	(void)arg;
	return NULL;
}

static void expect_totals(const char *when)
{
	int64_t refreshes = 0;
	uint64_t observed = 0;
	struct histogram h;

	cr_expect_eq(counter_sum(METRIC_CONNECTIONS_TOTAL, 0, 0, 0), N_THREADS * N_ROUNDS, "%s",
		     when);
	for (unsigned slot = 0; slot < counter_slots(SCOPE_ISSUER); slot++)
		refreshes += counter_sum(METRIC_REFRESHES, slot, LABEL_OUTCOME_OK, 0);
	cr_expect_eq(refreshes, N_THREADS * N_ROUNDS, "%s", when);
	counter_histogram(METRIC_REQUEST_SECONDS, 0, LABEL_RESULT_HIT, &h);
	for (unsigned i = 0; i < N_BUCKETS; i++)
		observed += h.n[i];
	cr_expect_eq(observed, N_THREADS * N_ROUNDS, "%s", when);
	cr_expect_eq(h.sum_us, (uint64_t)N_THREADS * N_ROUNDS * (N_ROUNDS - 1) / 2, "%s", when);
}

Test(counters, sums_hold_while_threads_count_and_after_they_end)
{
	pthread_t threads[N_THREADS], scraper;

	pthread_barrier_init(&all_counted, NULL, N_THREADS + 1);
	pthread_barrier_init(&all_read, NULL, N_THREADS + 1);
	pthread_create(&scraper, NULL, scrape, NULL);
	for (int i = 0; i < N_THREADS; i++)
		pthread_create(&threads[i], NULL, count, NULL);
	pthread_barrier_wait(&all_counted);
	expect_totals("living threads");
	pthread_barrier_wait(&all_read);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&has_finished, true);
	pthread_join(scraper, NULL);
	cr_expect_eq(counter_slots(SCOPE_ISSUER), 1 + N_ROUNDS / 100);
	expect_totals("ended threads");
}

Test(counters, a_thread_may_count_again_after_its_end)
{
	for (int i = 0; i < 3; i++) {
		counter_add(METRIC_CONNECTIONS_TOTAL, 0, 0, 0, 2);
		counter_thread_end();
	}
	cr_expect_eq(counter_sum(METRIC_CONNECTIONS_TOTAL, 0, 0, 0), 6);
}
