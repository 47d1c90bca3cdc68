/* SPDX-License-Identifier: ISC */
/* Counting, and asking for counts. */
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "house.h"
#include "io/clock.h"
#include "responder.h"
#include "shelf.h"

#define MAX_LINES 40 /* of the log, kept for a failure */

static struct {
	unsigned n_upstream[MAX_RESPONDERS], n_now[MAX_RESPONDERS], n_peak[MAX_RESPONDERS];
	unsigned n_all, n_all_now, n_all_peak; /* n_xxx_now: in this second */
	unsigned n_parallel, n_parallel_peak, n_ever;
	int64_t second; /* that n_xxx_now are of */
	unsigned n_answers[N_TALLY_KINDS];
	int64_t ms_slowest;
	unsigned n_events[N_EVENTS];
} tally;

static struct {
	struct line {
		char time[32], text[224];
		unsigned n_repeated;
	} lines[MAX_LINES];
	unsigned n;
	int64_t ms_first;
} journal;

/* --- the log ---------------------------------------------------------------------------------- */

static void put_time(char dst[32])
{
	int64_t ms = clock_mono_ms() - journal.ms_first, s = ms / 1000;

	snprintf(dst, 32, "%dd %02d:%02d:%02d.%03d", (int)(s / 86400), (int)(s / 3600 % 24),
		 (int)(s / 60 % 60), (int)(s % 60), (int)(ms % 1000));
}

/* A line that says the same as the one before is counted there. */
static void keep_line(const char *text)
{
	struct line *last = &journal.lines[(journal.n + MAX_LINES - 1) % MAX_LINES];

	if (journal.n > 0 && strcmp(last->text, text) == 0) {
		last->n_repeated++;
		return;
	}
	last = &journal.lines[journal.n++ % MAX_LINES];
	last->n_repeated = 0;
	put_time(last->time);
	snprintf(last->text, sizeof(last->text), "%s", text);
}

static void on_log(void *arg, enum log_event event, const struct log_field *fields)
{
	char text[sizeof(journal.lines[0].text)];
	size_t len;

	(void)arg;
	tally.n_events[event]++;
	len = (size_t)snprintf(text, sizeof(text), "%s", log_row(event)->name);
	for (; fields->name != NULL && len + 2 < sizeof(text); fields++) {
		if (fields->type == LOG_FIELD_NUMBER)
			snprintf(text + len, sizeof(text) - len, " %s=%lld", fields->name,
				 (long long)fields->number);
		else if (fields->type == LOG_FIELD_TEXT && fields->bytes.len > 0)
			snprintf(text + len, sizeof(text) - len, " %s=%.*s", fields->name,
				 (int)fields->bytes.len, (const char *)fields->bytes.p);
		len += strlen(text + len);
	}
	keep_line(text);
}

void tally_show_log(void)
{
	char time[32];

	put_time(time);
	printf("\tat %s of the play; the log before it:\n", time);
	for (unsigned i = journal.n > MAX_LINES ? journal.n - MAX_LINES : 0; i < journal.n; i++) {
		const struct line *line = &journal.lines[i % MAX_LINES];

		printf("\t%s %s", line->time, line->text);
		if (line->n_repeated > 0)
			printf(" (and %u times more)", line->n_repeated);
		putchar('\n');
	}
}

void tally_open(void)
{
	journal.ms_first = clock_mono_ms();
	log_set_sink(on_log, NULL);
	script_on_failure = tally_show_log;
}

/* --- counting --------------------------------------------------------------------------------- */

static void raise_to(unsigned *peak, unsigned n)
{
	if (n > *peak)
		*peak = n;
}

void tally_upstream(size_t responder)
{
	int64_t second = clock_mono_ms() / 1000;

	if (second != tally.second) {
		tally.second = second;
		tally.n_all_now = 0;
		memset(tally.n_now, 0, sizeof(tally.n_now));
	}
	tally.n_ever++;
	tally.n_upstream[responder]++;
	tally.n_all++;
	raise_to(&tally.n_peak[responder], ++tally.n_now[responder]);
	raise_to(&tally.n_all_peak, ++tally.n_all_now);
	raise_to(&tally.n_parallel_peak, ++tally.n_parallel);
}

void tally_upstream_end(void)
{
	tally.n_parallel--;
}

unsigned tally_upstreams(void)
{
	return tally.n_ever;
}

void tally_answer(const bool is[N_TALLY_KINDS], int64_t ms_taken)
{
	for (size_t i = 0; i < N_TALLY_KINDS; i++)
		tally.n_answers[i] += is[i];
	if (ms_taken > tally.ms_slowest)
		tally.ms_slowest = ms_taken;
}

void tally_count(void)
{
	unsigned n_parallel = tally.n_parallel, n_ever = tally.n_ever;

	memset(&tally, 0, sizeof(tally));
	tally.n_parallel = n_parallel;
	tally.n_ever = n_ever;
}

/* --- expect ----------------------------------------------------------------------------------- */

/* Takes a responder's name, if there is one. */
static bool take_responder(struct words *words, size_t *out)
{
	if (words->n == 0 || !responder_find(words->word[0], out))
		return false;
	words_next(words, "a responder");
	return true;
}

static int64_t upstream_value(struct words *words)
{
	size_t i;

	return take_responder(words, &i) ? tally.n_upstream[i] : tally.n_all;
}

static int64_t peak_value(struct words *words)
{
	size_t i;

	return take_responder(words, &i) ? tally.n_peak[i] : tally.n_all_peak;
}

static int64_t event_value(struct words *words)
{
	const char *name = words_next(words, "a log event");

	for (unsigned i = 0; i < N_EVENTS; i++) {
		if (strcmp(log_row((enum log_event)i)->name, name) == 0)
			return tally.n_events[i];
	}
	script_fail("there is no log event '%s'", name);
}

static bool has_label(enum label_dim dim, unsigned value, const char *label)
{
	char text[96];

	if (dim == DIM_NONE)
		return false;
	snprintf(text, sizeof(text), "%s=%s", label_name(dim), label_text(dim, value));
	return strcmp(text, label) == 0;
}

/* Over all its cells, or those with this label. */
static int64_t sum_of(enum metric metric, const char *label)
{
	const struct metric_row *row = metric_row(metric);
	int64_t sum = 0;

	for (unsigned slot = 0; slot < counter_slots(row->scope); slot++) {
		for (unsigned a = 0; a < label_count(row->dim[0]); a++) {
			for (unsigned b = 0; b < label_count(row->dim[1]); b++) {
				if (label == NULL || has_label(row->dim[0], a, label) ||
				    has_label(row->dim[1], b, label))
					sum += counter_sum(metric, slot, a, b);
			}
		}
	}
	return sum;
}

static int64_t metric_value(struct words *words)
{
	const char *name = words_next(words, "a metric"), *label = NULL;

	if (words->n > 0 && strchr(words->word[0], '=') != NULL && strlen(words->word[0]) > 2)
		label = words_next(words, "a label");
	for (unsigned i = 0; i < N_METRICS; i++) {
		if (strcmp(metric_row((enum metric)i)->name, name) == 0)
			return sum_of((enum metric)i, label);
	}
	script_fail("there is no metric '%s'", name);
}

static int64_t rows_value(struct words *words)
{
	return (int64_t)shelf_rows(words_next(words, "a store"));
}

static int64_t entries_value(struct words *words)
{
	return (int64_t)house_entries(words);
}

static int64_t value_of(struct words *words)
{
	static const char *const answers[N_TALLY_KINDS] = {"answers", "errors",	 "hits",     "good",
							   "revoked", "unknown", "fallbacks"};
	static const struct {
		const char *name;
		int64_t (*value)(struct words *);
	} others[] = {{"upstream", upstream_value}, {"peak", peak_value},
		      {"event", event_value},	    {"metric", metric_value},
		      {"rows", rows_value},	    {"entries", entries_value}};
	const char *what = words_next(words, "what is expected");

	for (size_t i = 0; i < N_TALLY_KINDS; i++) {
		if (strcmp(answers[i], what) == 0)
			return tally.n_answers[i];
	}
	for (size_t i = 0; i < N_ELEMENTS(others); i++) {
		if (strcmp(others[i].name, what) == 0)
			return others[i].value(words);
	}
	if (strcmp(what, "parallel") == 0)
		return tally.n_parallel_peak;
	if (strcmp(what, "slowest") == 0)
		return tally.ms_slowest;
	if (strcmp(what, "misses") == 0)
		return tally.n_answers[TALLY_ANSWERS] - tally.n_answers[TALLY_HITS];
	script_fail("'%s' is not counted", what);
}

/* "5", "2s" (milliseconds), "99%" of all answers. */
static int64_t wanted_value(struct words *words)
{
	const char *word = words_next(words, "a number");
	size_t len = strlen(word);

	if (word[len - 1] == '%')
		return (int64_t)(strtod(word, NULL) / 100 * tally.n_answers[TALLY_ANSWERS]);
	return strchr("smhd", word[len - 1]) != NULL ? script_duration(word) : script_number(word);
}

void tally_expect(struct words *words)
{
	int64_t seen = value_of(words), wanted;
	const char *op = words_next(words, "=, <= or >=");
	bool is_so;

	wanted = wanted_value(words);
	words_end(words);
	if (strcmp(op, "=") == 0)
		is_so = seen == wanted;
	else if (strcmp(op, "<=") == 0)
		is_so = seen <= wanted;
	else if (strcmp(op, ">=") == 0)
		is_so = seen >= wanted;
	else
		script_fail("'%s' is none of =, <= and >=", op);
	if (!is_so)
		script_fail("expected %s %lld, seen %lld", op, (long long)wanted, (long long)seen);
}
