/* SPDX-License-Identifier: ISC */
/* Log events: what arrives at the sink, and the table of events. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"

struct seen {
	unsigned n_events, n_fields;
	enum log_event event;
	struct log_field fields[8];
};

static void keep(void *arg, enum log_event event, const struct log_field *fields)
{
	struct seen *seen = arg;

	seen->n_events++;
	seen->event = event;
	for (seen->n_fields = 0; fields[seen->n_fields].name; seen->n_fields++)
		seen->fields[seen->n_fields] = fields[seen->n_fields];
}

Test(log, goes_nowhere_without_a_sink)
{
	struct seen seen = {0};

	LOG(START, LOG_TEXT("version", "1"));
	log_set_sink(keep, &seen);
	log_set_sink(NULL, NULL);
	LOG(START, LOG_TEXT("version", "1"));
	cr_expect_eq(seen.n_events, 0);
}

Test(log, sink_sees_event_and_fields_in_order)
{
	struct seen seen = {0};
	const uint8_t digest[] = {0xde, 0xad};

	log_set_sink(keep, &seen);
	LOG(RESPONDER_DOWN, LOG_TEXT("responder", "http://a/"), LOG_NUMBER("failures", -3),
	    LOG_HEX("hash", slice_of(digest, 2)), LOG_SLICE("name", slice_of("xyz", 2)),
	    LOG_REASON(ERR_UP_TIMEOUT));
	cr_assert_eq(seen.n_events, 1);
	cr_expect_eq(seen.event, EVENT_RESPONDER_DOWN);
	cr_assert_eq(seen.n_fields, 5);
	cr_expect_str_eq(seen.fields[0].name, "responder");
	cr_expect_eq(seen.fields[0].type, LOG_FIELD_TEXT);
	cr_expect(slice_eq(seen.fields[0].bytes, slice_text("http://a/")));
	cr_expect_eq(seen.fields[1].type, LOG_FIELD_NUMBER);
	cr_expect_eq(seen.fields[1].number, -3);
	cr_expect_eq(seen.fields[2].type, LOG_FIELD_BYTES);
	cr_expect(slice_eq(seen.fields[2].bytes, slice_of(digest, 2)));
	cr_expect(slice_eq(seen.fields[3].bytes, slice_text("xy")));
	cr_expect_str_eq(seen.fields[4].name, "reason");
	cr_expect(slice_eq(seen.fields[4].bytes, slice_text("upstream-timeout")));
}

Test(log, null_text_is_an_empty_field)
{
	struct seen seen = {0};

	log_set_sink(keep, &seen);
	LOG(STOP, LOG_TEXT("issuer", NULL));
	cr_assert_eq(seen.n_fields, 1);
	cr_expect_eq(seen.fields[0].bytes.len, 0);
}

Test(log, taps_hear_what_the_sink_hears)
{
	struct seen seen = {0}, one = {0}, other = {0};

	log_add_tap(keep, &one);
	LOG(STOP, LOG_TEXT("why", "1"));
	log_set_sink(keep, &seen);
	log_add_tap(keep, &other);
	LOG(BODY_STRANGE, LOG_TEXT("why", "2"));
	log_remove_tap(&one);
	LOG(STOP, LOG_TEXT("why", "3"));
	log_add_tap(keep, &one); /* in the place that has become free */
	LOG(STOP, LOG_TEXT("why", "4"));
	log_remove_tap(&one);
	log_remove_tap(&other);
	LOG(STOP, LOG_TEXT("why", "5"));
	cr_expect_eq(one.n_events, 3);
	cr_expect_eq(other.n_events, 3);
	cr_expect_eq(seen.n_events, 4);
}

Test(log, event_names_are_unique_words_with_dashes)
{
	for (unsigned event = 0; event < N_EVENTS; event++) {
		const struct log_row *row = log_row((enum log_event)event);

		cr_expect_gt(strlen(row->name), 0);
		cr_expect_eq(row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-")],
			     '\0', "%s", row->name);
		cr_expect_gt(strlen(row->text), 0, "%s", row->name);
		cr_expect_leq(row->level, LEVEL_DEBUG, "%s", row->name);
		for (unsigned other = 0; other < event; other++)
			cr_expect_str_neq(row->name, log_row((enum log_event)other)->name);
	}
}
