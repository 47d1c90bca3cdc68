/* SPDX-License-Identifier: ISC */
/* Lines of a label and what belongs to it; what belongs to an issuer stands below it. */
#include "cmd/status_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/paint.h"
#include "cmd/progress.h"
#include "cmd/remote.h"
#include "cmd/span.h"

#define LABEL "%-10s "

/* --- parts of lines --------------------------------------------------------------------------- */

/* Columns that it takes: characters, as far as we know. */
static int put_name(struct buf *out, const char *name)
{
	struct slice rest = slice_text(name);
	uint32_t code;
	int columns = 0;

	for (; rest.len > 0; columns++) {
		size_t n = utf8_decode(rest, &code);

		if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			buf_text(out, "?");
		else
			buf_append(out, rest.p, n);
		rest = slice_skip(rest, n > 0 ? n : 1);
	}
	return columns;
}

static void put_coloured(const struct status_text *text, enum paint colour, const char *word,
			 struct buf *out)
{
	bool is_painted = text->has_colours && colour != PAINT_NONE;

	buf_printf(out, "%s%s%s", is_painted ? paint_sequence(colour) : "", word,
		   is_painted ? paint_sequence(PAINT_NONE) : "");
}

static void put_health(const struct status_text *text, const json_t *of, struct buf *out)
{
	bool is_up = json_is_true(json_object_get(of, "up"));

	put_coloured(text, is_up ? PAINT_GOOD : PAINT_BAD, is_up ? "up  " : "down", out);
	buf_text(out, " ");
}

/* "0.35 ms", "12 ms", "1.5 s" */
static void put_latency(double seconds, struct buf *out)
{
	if (seconds >= 1)
		buf_printf(out, "%.1f s", seconds);
	else
		buf_printf(out, seconds < 0.01 ? "%.2f ms" : "%.0f ms", seconds * 1000);
}

/* --- requests --------------------------------------------------------------------------------- */

struct counts {
	int64_t all, hits, asked, errors; /* asked: for what might have been there */
};

static struct counts counts_of(json_t *requests)
{
	static const struct {
		const char *name;
		bool is_hit, is_asked, is_error;
	} results[] = {
	    {"hit", true, true, false},	     {"refreshed", true, true, false},
	    {"miss", false, true, false},    {"collapsed", false, true, false},
	    {"negative", false, true, true}, {"error", false, false, true},
	};
	struct counts counts = {.all = 0};
	const char *name;
	json_t *n;

	json_object_foreach(requests, name, n) counts.all += json_integer_value(n);
	for (size_t i = 0; i < N_ELEMENTS(results); i++) {
		int64_t of = remote_number(requests, results[i].name);

		counts.hits += results[i].is_hit ? of : 0;
		counts.asked += results[i].is_asked ? of : 0;
		counts.errors += results[i].is_error ? of : 0;
	}
	return counts;
}

static double percent(int64_t part, int64_t all)
{
	return 100.0 * (double)part / (double)all;
}

static void put_requests(json_t *requests, struct buf *out)
{
	struct counts counts = counts_of(requests);
	const char *name;
	json_t *n;

	buf_printf(out, LABEL "%" PRId64, "requests", counts.all);
	json_object_foreach(requests, name, n)
	{
		if (json_integer_value(n) > 0) {
			buf_printf(out, ", %" PRId64 " ", (int64_t)json_integer_value(n));
			put_name(out, name);
		}
	}
	if (counts.asked > 0)
		buf_printf(out, " (hit ratio %.1f %%)", percent(counts.hits, counts.asked));
	buf_text(out, "\n");
}

/* What has come between: requests per second, and of those the hits and errors. */
static void put_rates(const struct status_text *text, const char *label, json_t *requests,
		      json_t *before, struct buf *out)
{
	struct counts now = counts_of(requests), then = counts_of(before);
	double seconds = (double)text->ms_between / 1000;

	if (text->before == NULL || text->ms_between <= 0)
		return;
	buf_printf(out, LABEL "%.1f requests/s", label, (double)(now.all - then.all) / seconds);
	if (now.asked > then.asked)
		buf_printf(out, ", hit ratio %.1f %%",
			   percent(now.hits - then.hits, now.asked - then.asked));
	if (now.errors > then.errors) {
		char errors[48];

		snprintf(errors, sizeof(errors), "%.1f errors/s",
			 (double)(now.errors - then.errors) / seconds);
		buf_text(out, ", ");
		put_coloured(text, PAINT_BAD, errors, out);
	}
	buf_text(out, "\n");
}

/* --- the relay -------------------------------------------------------------------------------- */

static void put_relay(const json_t *told, struct buf *out)
{
	char up[SPAN_TEXT];

	span_text(up, remote_number(told, "uptime"));
	buf_printf(out, LABEL, "relay");
	put_name(out, remote_text(told, "version"));
	buf_printf(out, ", pid %" PRId64 ", up %s%s\n", remote_number(told, "pid"), up,
		   json_is_true(json_object_get(told, "draining")) ? ", draining" : "");
	buf_printf(out, LABEL "%" PRId64 " connections, %" PRId64 " waiting, %" PRId64 " fetches\n",
		   "clients", remote_number(told, "connections"), remote_number(told, "waiters"),
		   remote_number(told, "inflight"));
}

static const char *plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void put_cache(const json_t *cache, struct buf *out)
{
	int64_t n = remote_number(cache, "entries");
	int64_t failures = remote_number(cache, "negative_entries");
	int64_t n_expired = remote_number(cache, "expired"); /* list leaves them out */
	char used[PROGRESS_TEXT], max[PROGRESS_TEXT];

	progress_amount(used, PROGRESS_OCTETS, (uint64_t)remote_number(cache, "bytes"));
	progress_amount(max, PROGRESS_OCTETS, (uint64_t)remote_number(cache, "max_bytes"));
	buf_printf(out, LABEL "%" PRId64 " answer%s", "memory", n, plural(n));
	if (n_expired > 0)
		buf_printf(out, " (%" PRId64 " expired)", n_expired);
	buf_printf(out, ", %s of %s, %" PRId64 " evicted, %" PRId64 " failure%s remembered\n", used,
		   max, remote_number(cache, "evictions"), failures, plural(failures));
}

static void put_stores(const struct status_text *text, struct buf *out)
{
	size_t i;
	json_t *store;

	json_array_foreach(json_object_get(text->told, "stores"), i, store)
	{
		buf_printf(out, LABEL, "store");
		put_health(text, store, out);
		put_name(out, remote_text(store, "store"));
		buf_text(out, "\n");
	}
}

static void put_list(const json_t *list, const char *label, struct buf *out)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		buf_printf(out, "  %-8s ", label);
		put_name(out, json_string_value(one) ? json_string_value(one) : "");
		buf_text(out, "\n");
	}
}

static void put_watched(const json_t *watched, struct buf *out)
{
	int64_t n = remote_number(watched, "certificates");
	const json_t *cold = json_object_get(watched, "cold");
	const json_t *skipped = json_object_get(watched, "skipped");

	if (n == 0 && json_array_size(skipped) == 0)
		return;
	buf_printf(out, LABEL "%" PRId64 " certificate%s, %zu without an answer\n", "watched", n,
		   plural(n), json_array_size(cold));
	put_list(cold, "cold", out);
	put_list(skipped, "skipped", out);
}

/* --- issuers ---------------------------------------------------------------------------------- */

static size_t widest(const json_t *responders)
{
	size_t i, width = 0;
	json_t *responder;

	json_array_foreach(responders, i, responder)
	{
		size_t len = strlen(remote_text(responder, "url"));

		width = len > width ? len : width;
	}
	return width < 60 ? width : 60;
}

static void put_responder(const struct status_text *text, const json_t *responder, size_t width,
			  struct buf *out)
{
	const json_t *latency = json_object_get(responder, "latency");
	bool is_up = json_is_true(json_object_get(responder, "up"));
	int64_t failures = remote_number(responder, "failures");
	char down[SPAN_TEXT];
	size_t columns;

	buf_printf(out, LABEL, "");
	put_health(text, responder, out);
	columns = (size_t)put_name(out, remote_text(responder, "url"));
	buf_printf(out, "%*s", (int)(columns < width ? width - columns : 0) + 2, "");
	if (!is_up) {
		span_text(down, remote_number(responder, "down_for"));
		buf_printf(out, "down for %s", down);
	}
	if (failures > 0)
		buf_printf(out, ", %" PRId64 " failure%s in a row", failures, plural(failures));
	if (json_is_object(latency)) {
		buf_text(out, is_up ? "" : ", ");
		put_latency(json_number_value(json_object_get(latency, "p50")), out);
		buf_text(out, " median, ");
		put_latency(json_number_value(json_object_get(latency, "p99")), out);
		buf_text(out, " 99 %");
	} else if (is_up) {
		buf_text(out, json_is_false(json_object_get(responder, "asked"))
				  ? "not asked yet"
				  : "not asked lately");
	}
	buf_text(out, "\n");
}

static void put_rehearsal(const json_t *rehearsal, struct buf *out)
{
	char left[SPAN_TEXT];

	if (!json_is_object(rehearsal))
		return;
	span_text(left, remote_number(rehearsal, "seconds_left"));
	buf_printf(out,
		   LABEL "an outage is rehearsed for %s more: %" PRId64
			 " answers from the cache, %" PRId64 " errors\n",
		   "", left, remote_number(rehearsal, "saved"), remote_number(rehearsal, "failed"));
}

/* Short: none of the responders works, and it ends within what the issuer warns of. */
static void put_runway(const struct status_text *text, const json_t *issuer, struct buf *out)
{
	const json_t *runway = json_object_get(issuer, "runway");
	bool is_short = json_is_true(json_object_get(issuer, "down")) &&
			remote_number(runway, "first") < remote_number(issuer, "runway_warning");
	char first[SPAN_TEXT], median[SPAN_TEXT], last[SPAN_TEXT];

	if (!json_is_object(runway))
		return;
	span_text(first, remote_number(runway, "first"));
	span_text(median, remote_number(runway, "median"));
	span_text(last, remote_number(runway, "last"));
	buf_printf(out, LABEL "runway of %" PRId64 " answer%s in use: first ", "",
		   remote_number(runway, "answers"), plural(remote_number(runway, "answers")));
	put_coloured(text, is_short ? PAINT_BAD : PAINT_NONE, first, out);
	buf_printf(out, ", median %s, last %s\n", median, last);
}

/* What the same issuer had told before, or NULL. */
static json_t *requests_before(const struct status_text *text, const json_t *issuer)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(text->before, "issuers"), i, one)
	{
		if (strcmp(remote_text(one, "id"), remote_text(issuer, "id")) == 0)
			return json_object_get(one, "requests");
	}
	return NULL;
}

static void put_issuer(const struct status_text *text, const json_t *issuer, struct buf *out)
{
	const json_t *responders = json_object_get(issuer, "responders");
	json_t *before = requests_before(text, issuer);
	size_t i, width = widest(responders);
	json_t *responder;

	buf_printf(out, LABEL, "issuer");
	put_name(out, remote_text(issuer, "name"));
	buf_text(out, ", until ");
	put_name(out, remote_text(issuer, "not_after"));
	buf_text(out, "\n");
	if (before != NULL)
		put_rates(text, "", json_object_get(issuer, "requests"), before, out);
	json_array_foreach(responders, i, responder) put_responder(text, responder, width, out);
	put_rehearsal(json_object_get(issuer, "rehearsal"), out);
	put_runway(text, issuer, out);
}

void status_text(const struct status_text *text, struct buf *out)
{
	json_t *requests = json_object_get(text->told, "requests");
	size_t i;
	json_t *issuer;

	put_relay(text->told, out);
	put_requests(requests, out);
	put_rates(text, "now", requests, json_object_get(text->before, "requests"), out);
	put_cache(json_object_get(text->told, "cache"), out);
	put_stores(text, out);
	put_watched(json_object_get(text->told, "watched"), out);
	json_array_foreach(json_object_get(text->told, "issuers"), i, issuer)
	    put_issuer(text, issuer, out);
}
