/* SPDX-License-Identifier: ISC */
/* Repeated events: five a minute are written, the others counted and told once a minute. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ctl/log_fold.h"

static struct log_folds folds;
static struct log_fold due;

static bool admits(enum log_event event, const char *responder, int64_t ms_now)
{
	return log_fold_admits(&folds, event,
			       (const struct log_field[]){LOG_NUMBER("number", ms_now),
							  LOG_TEXT("reason", "upstream-timeout"),
							  LOG_TEXT("responder", responder),
							  {.name = NULL}},
			       ms_now, &due);
}

static const char *value_of(const char *field)
{
	for (size_t i = 0; i < FOLD_FIELDS; i++) {
		if (strcmp(log_fold_fields[i], field) == 0)
			return due.values[i];
	}
	return "no such field";
}

Test(log_fold, sixth_event_of_a_minute_is_counted_only)
{
	for (int i = 0; i < 100; i++)
		cr_expect_eq(admits(EVENT_FETCH_FAILED, "http://a/", i), i < FOLD_AFTER, "%d", i);
	cr_expect_not(log_fold_due(&folds, FOLD_MS - 1, &due));
	cr_assert(log_fold_due(&folds, FOLD_MS, &due));
	cr_expect_eq(due.event, EVENT_FETCH_FAILED);
	cr_expect_eq(due.n, 100 - FOLD_AFTER);
	cr_expect_str_eq(value_of("reason"), "upstream-timeout");
	cr_expect_str_eq(value_of("responder"), "http://a/");
	cr_expect_str_eq(value_of("issuer"), "");
	cr_expect_not(log_fold_due(&folds, 2 * FOLD_MS, &due), "told once");
}

Test(log_fold, other_events_and_responders_are_counted_apart)
{
	for (int i = 0; i < FOLD_AFTER; i++) {
		cr_expect(admits(EVENT_FETCH_FAILED, "http://a/", 0));
		cr_expect(admits(EVENT_FETCH_FAILED, "http://b/", 0));
		cr_expect(admits(EVENT_RESPONSE_REFUSED, "http://a/", 0));
	}
	cr_expect_not(admits(EVENT_FETCH_FAILED, "http://a/", 0));
	cr_expect_not(admits(EVENT_FETCH_FAILED, "http://b/", 0));
	cr_expect(admits(EVENT_FETCH_FAILED, "http://c/", 0));
}

Test(log_fold, next_minute_tells_and_starts_anew)
{
	for (int i = 0; i < 8; i++)
		(void)admits(EVENT_FETCH_FAILED, "http://a/", 0);
	cr_expect_eq(due.n, 0);
	cr_expect(admits(EVENT_FETCH_FAILED, "http://a/", FOLD_MS));
	cr_expect_eq(due.n, 3);
	cr_expect(admits(EVENT_FETCH_FAILED, "http://a/", FOLD_MS));
	cr_expect_eq(due.n, 0);
}

static bool admits_odd(const char *issuer, const char *what, int64_t ms_now)
{
	return log_fold_admits(&folds, EVENT_RESPONSE_ODD,
			       (const struct log_field[]){LOG_TEXT("issuer", issuer),
							  LOG_TEXT("what", what),
							  {.name = NULL}},
			       ms_now, &due);
}

/* Every answer says it anew: VS-11, VS-16, HC-15, SL-18. */
Test(log_fold, oddity_is_written_once_and_counted_for_an_hour)
{
	for (int i = 0; i < 100; i++)
		cr_expect_eq(admits_odd("a", "size", i), i == 0, "%d", i);
	cr_expect(admits_odd("a", "clock", 50));
	cr_expect(admits_odd("b", "size", 50));
	cr_expect_not(log_fold_due(&folds, FOLD_HABIT_MS - 1, &due));
	cr_assert(log_fold_due(&folds, FOLD_HABIT_MS, &due));
	cr_expect_eq(due.n, 99);
	cr_expect_str_eq(value_of("issuer"), "a");
	cr_expect_str_eq(value_of("what"), "size");
	cr_expect_not(log_fold_due(&folds, 2 * FOLD_HABIT_MS, &due));
	cr_expect(admits_odd("a", "size", 2 * FOLD_HABIT_MS));
}

Test(log_fold, few_events_are_not_told)
{
	for (int i = 0; i < FOLD_AFTER; i++)
		cr_expect(admits(EVENT_FETCH_FAILED, "http://a/", 0));
	cr_expect_not(log_fold_due(&folds, INT64_MAX, &due));
}

Test(log_fold, oldest_fold_makes_room_and_is_told)
{
	char responder[32];

	for (int i = 0; i < 10; i++)
		(void)admits(EVENT_FETCH_FAILED, "http://first/", 0);
	for (int i = 1; i < FOLD_SLOTS; i++) {
		snprintf(responder, sizeof(responder), "http://%d/", i);
		cr_expect(admits(EVENT_FETCH_FAILED, responder, i));
		cr_expect_eq(due.n, 0);
	}
	cr_expect(admits(EVENT_FETCH_FAILED, "http://last/", FOLD_SLOTS));
	cr_expect_eq(due.n, 5);
	cr_expect_str_eq(due.values[1], "http://first/");
	cr_expect(admits(EVENT_FETCH_FAILED, "http://first/", FOLD_SLOTS), "counted from 0 again");
}

Test(log_fold, end_of_the_relay_tells_all)
{
	for (int i = 0; i < 7; i++) {
		(void)admits(EVENT_FETCH_FAILED, "http://a/", 100);
		(void)admits(EVENT_STORE_FAILED, "http://a/", 100);
	}
	cr_expect(log_fold_due(&folds, INT64_MAX, &due));
	cr_expect(log_fold_due(&folds, INT64_MAX, &due));
	cr_expect_eq(due.n, 2);
	cr_expect_not(log_fold_due(&folds, INT64_MAX, &due));
}

Test(log_fold, what_the_operator_must_see_is_never_folded)
{
	cr_expect_not(log_fold_applies(EVENT_STATUS_CHANGED));
	cr_expect_not(log_fold_applies(EVENT_ACCESS));
	cr_expect_not(log_fold_applies(EVENT_CERTIFICATE_SKIPPED));
	cr_expect(log_fold_applies(EVENT_FETCH_FAILED));
	cr_expect(log_fold_applies(EVENT_RESPONSE_REFUSED));
}

Test(log_fold, long_values_are_cut)
{
	char responder[1000];

	memset(responder, 'x', sizeof(responder) - 1);
	responder[sizeof(responder) - 1] = '\0';
	for (int i = 0; i < 6; i++)
		(void)admits(EVENT_FETCH_FAILED, responder, 0);
	cr_assert(log_fold_due(&folds, INT64_MAX, &due));
	cr_expect_eq(strlen(due.values[1]), sizeof(due.values[1]) - 1);
}

/* Everything but what an operator has done, or asked for, or has to see. */
Test(log_fold, applies_to_what_the_outside_can_repeat)
{
	static const enum log_event never[] = {EVENT_START,	      EVENT_READY,
					       EVENT_DRAIN,	      EVENT_STOP,
					       EVENT_LISTEN,	      EVENT_LISTEN_FAILED,
					       EVENT_RELOAD,	      EVENT_RELOAD_FAILED,
					       EVENT_CONFIG,	      EVENT_ISSUER,
					       EVENT_ADMIN,	      EVENT_CERTIFICATE_SKIPPED,
					       EVENT_REHEARSAL_BEGUN, EVENT_REHEARSAL_ENDED,
					       EVENT_STATUS_CHANGED,  EVENT_ACCESS};

	for (unsigned event = 0; event < N_EVENTS; event++) {
		bool is_expected = true;

		for (size_t i = 0; i < N_ELEMENTS(never); i++)
			is_expected = is_expected && never[i] != event;
		cr_expect_eq(log_fold_applies((enum log_event)event), is_expected, "%s",
			     log_row((enum log_event)event)->name);
	}
}

Test(log_fold, what_fails_in_one_store_does_not_hide_another)
{
	for (int i = 0; i < 100; i++)
		(void)log_fold_admits(&folds, EVENT_STORE_FAILED,
				      (const struct log_field[]){LOG_TEXT("store", "redis"),
								 LOG_TEXT("reason", "down"),
								 {.name = NULL}},
				      i, &due);
	cr_expect(log_fold_admits(&folds, EVENT_STORE_FAILED,
				  (const struct log_field[]){LOG_TEXT("store", "lmdb"),
							     LOG_TEXT("reason", "down"),
							     {.name = NULL}},
				  100, &due));
}
