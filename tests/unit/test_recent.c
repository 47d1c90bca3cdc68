/* SPDX-License-Identifier: ISC */
/* The last events: which, how many, what is one, and that their fields are never broken JSON. */
#include "ctl/recent.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define T_2026 INT64_C(1795348800) /* 2026-11-22T12:00:00Z */

static struct recent *recent;

static void set_up(void)
{
	recent = recent_new();
	cr_assert_not_null(recent);
}

static void tear_down(void)
{
	recent_free(recent);
}

TestSuite(recent, .init = set_up, .fini = tear_down);

/* The events, newest first; the caller's. */
static json_t *told(void)
{
	struct buf out;
	json_t *root, *events;

	buf_init(&out, 1048576);
	recent_json(recent, &out);
	cr_assert_eq(out.err, OK);
	root = json_loadb((const char *)out.p, out.len, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(root, "%.*s", (int)out.len, (const char *)out.p);
	buf_fini(&out);
	events = json_incref(json_object_get(root, "events"));
	json_decref(root);
	return events;
}

static const char *text_of(const json_t *events, size_t i, const char *name)
{
	return json_string_value(json_object_get(json_array_get(events, i), name));
}

static int64_t count_of(const json_t *events, size_t i)
{
	return json_integer_value(json_object_get(json_array_get(events, i), "count"));
}

static const json_t *field_of(const json_t *events, size_t i, const char *name)
{
	return json_object_get(json_object_get(json_array_get(events, i), "fields"), name);
}

#define FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.name = NULL}})

Test(recent, hears_what_is_logged_from_notice_up)
{
	json_t *events;

	LOG(READY, LOG_NUMBER("issuers", 2), LOG_NUMBER("listeners", 1));
	LOG(FETCH_FAILED, LOG_TEXT("reason", "info is not notable"));
	LOG(ACCESS, LOG_TEXT("client", "192.0.2.1"));
	LOG(STORE_FAILED, LOG_TEXT("store", "lmdb:/x"));
	events = told();
	cr_assert_eq(json_array_size(events), 2);
	cr_expect_str_eq(text_of(events, 0, "event"), "store-failed");
	cr_expect_str_eq(text_of(events, 0, "level"), "error");
	cr_expect_str_eq(text_of(events, 0, "text"), "store failed, the relay goes on without it");
	cr_expect_str_eq(text_of(events, 1, "event"), "ready");
	cr_expect_eq(json_integer_value(field_of(events, 1, "issuers")), 2);
	json_decref(events);
}

static void refuse(const char *responder, int64_t n, int64_t now)
{
	recent_add(recent, EVENT_RESPONSE_REFUSED,
		   FIELDS(LOG_TEXT("responder", responder), LOG_NUMBER("n", n)), now);
}

Test(recent, what_the_log_folds_is_one_event_with_a_count)
{
	json_t *events;

	refuse("http://a/", 1, T_2026);
	refuse("http://b/", 2, T_2026 + 1);
	refuse("http://a/", 3, T_2026 + 600);
	refuse("http://a/", 4, T_2026 + 1200);
	refuse("http://b/", 5, T_2026 + 1201); /* too late to be the same */
	events = told();
	cr_assert_eq(json_array_size(events), 3);
	cr_expect_eq(count_of(events, 0), 1);
	cr_expect_str_eq(text_of(events, 0, "first"), "2026-11-22T12:20:01Z");
	cr_expect_eq(count_of(events, 1), 3);
	cr_expect_str_eq(text_of(events, 1, "first"), "2026-11-22T12:00:00Z");
	cr_expect_str_eq(text_of(events, 1, "last"), "2026-11-22T12:20:00Z");
	cr_expect_eq(json_integer_value(field_of(events, 1, "n")), 4, "the last one's fields");
	cr_expect_eq(count_of(events, 2), 1);
	json_decref(events);
}

Test(recent, each_change_of_a_status_is_an_event_of_its_own)
{
	json_t *events;

	for (uint8_t i = 0; i < 3; i++)
		recent_add(recent, EVENT_STATUS_CHANGED, FIELDS(LOG_HEX("serial", slice_of(&i, 1))),
			   T_2026);
	events = told();
	cr_assert_eq(json_array_size(events), 3);
	cr_expect_str_eq(json_string_value(field_of(events, 0, "serial")), "02");
	json_decref(events);
}

Test(recent, keeps_the_last_and_no_more)
{
	json_t *events;

	for (int64_t i = 0; i < 3 * RECENT_MAX; i++)
		recent_add(recent, EVENT_STATUS_CHANGED, FIELDS(LOG_NUMBER("n", i)), T_2026 + i);
	events = told();
	cr_assert_eq(json_array_size(events), RECENT_MAX);
	for (size_t i = 0; i < RECENT_MAX; i++)
		cr_expect_eq(json_integer_value(field_of(events, i, "n")),
			     3 * RECENT_MAX - 1 - (int64_t)i);
	json_decref(events);
}

/* Whatever is in them, and of every length around the limits. */
Test(recent, SL_15_fields_are_escaped_and_cut)
{
	static const char *const fillers[] = {"x", "\"", "\n", "\xc3\xbc", "\xff", "</script>"};
	char value[2 * RECENT_FIELDS_MAX];

	for (size_t f = 0; f < N_ELEMENTS(fillers); f++) {
		for (size_t i = 0; i < sizeof(value); i++)
			value[i] = fillers[f][i % strlen(fillers[f])];
		for (size_t n = 250; n < sizeof(value); n += n < 262 ? 1 : 397) {
			struct slice text = slice_of(value, n - n % strlen(fillers[f]));
			json_t *events;
			const char *kept;

			recent_add(recent, EVENT_CONFIG,
				   FIELDS(LOG_NUMBER("before", 1), LOG_SLICE("a", text),
					  LOG_SLICE("b", text), LOG_HEX("c", text),
					  LOG_SLICE("d", text), LOG_SLICE("e", text)),
				   T_2026);
			events = told();
			cr_assert_eq(json_integer_value(field_of(events, 0, "before")), 1);
			kept = json_string_value(field_of(events, 0, "a"));
			cr_assert_not_null(kept);
			cr_expect(f == 4 || strncmp(kept, value, strlen(kept)) == 0,
				  "filler %zu, %zu", f, n);
			json_decref(events);
		}
	}
}
