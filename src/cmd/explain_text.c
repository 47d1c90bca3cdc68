/* SPDX-License-Identifier: ISC */
/* The explanation for people: sections of aligned lines. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/explain.h"
#include "cmd/fold.h"
#include "cmd/paint.h"
#include "cmd/span.h"
#include "core/dates.h"
#include "io/clock.h"

#define WIDTH	 22 /* of names */
#define INDENT	 (WIDTH + 3)
#define MAX_LINE 1048576

static void section(const char *name)
{
	printf("%s%s%s\n", paint(PAINT_HEAD), name, paint(PAINT_NONE));
}

static PRINTF_LIKE(2, 3) void line(const char *name, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, MAX_LINE);
	buf_printf(&text, "  %-*s ", WIDTH, name);
	va_start(args, fmt);
	fold_vprintf(&text, INDENT, fmt, args);
	va_end(args);
	buf_text(&text, "\n");
	fwrite(text.p, 1, text.len, stdout);
	buf_fini(&text);
}

static void finding(const char *what)
{
	struct buf text;

	buf_init(&text, MAX_LINE);
	buf_text(&text, "  ");
	fold_text(&text, 4, what);
	buf_text(&text, "\n");
	fwrite(text.p, 1, text.len, stdout);
	buf_fini(&text);
}

static void text_line(const char *name, const json_t *object, const char *member)
{
	if (*remote_text(object, member) != '\0')
		line(name, "%s", remote_text(object, member));
}

/* "2026-11-22T12:00:00Z (in 3h 5m)" or "(3h 5m ago)" */
#define WHEN_SIZE (ISO_DATE_SIZE + SPAN_TEXT + 16)
static const char *when(char dst[WHEN_SIZE], const char *iso)
{
	char span[SPAN_TEXT];
	int64_t t, now = clock_wall();

	if (date_from_iso(slice_text(iso), &t) != OK) {
		snprintf(dst, WHEN_SIZE, "%.20s", iso);
		return dst;
	}
	span_text(span, t > now ? t - now : now - t);
	if (t > now)
		snprintf(dst, WHEN_SIZE, "%.20s (in %s)", iso, span);
	else
		snprintf(dst, WHEN_SIZE, "%.20s (%s ago)", iso, span);
	return dst;
}

static void time_line(const char *name, const json_t *object, const char *member)
{
	char text[WHEN_SIZE];

	if (*remote_text(object, member) != '\0')
		line(name, "%s", when(text, remote_text(object, member)));
}

static bool is_true(const json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}

static const char *colour_of(const char *status)
{
	return paint(strcmp(status, "good") == 0      ? PAINT_GOOD
		     : strcmp(status, "revoked") == 0 ? PAINT_BAD
						      : PAINT_DOUBT);
}

/* --- what it is about ------------------------------------------------------------------------- */

static void certificate(const json_t *object, const json_t *key)
{
	section("certificate");
	text_line("file", object, "file");
	text_line("subject", object, "subject");
	text_line("issuer", object, "issuer");
	text_line("serial", object, "serial");
	time_line("valid until", object, "not_after");
	text_line("responder it names", object, "responder");
	text_line("key in the cache", key, "text");
}

static void issuer(const json_t *object)
{
	const json_t *section_of = json_object_get(object, "section");
	size_t i;
	json_t *url;

	section("issuer");
	if (object == NULL) {
		line("", "%snone is known%s", paint(PAINT_BAD), paint(PAINT_NONE));
		return;
	}
	text_line("name", object, "name");
	text_line("subject", object, "subject");
	if (!is_true(object, "configured"))
		line("", "%snot configured%s", paint(PAINT_BAD), paint(PAINT_NONE));
	text_line("file", object, "file");
	if (section_of != NULL)
		line("section", "%s:%" PRId64 " \"%s\"", remote_text(section_of, "file"),
		     remote_number(section_of, "line"), remote_text(section_of, "name"));
	text_line("id", object, "id");
	time_line("valid until", object, "not_after");
	json_array_foreach(json_object_get(object, "responders"), i, url)
	    line(i == 0 ? "responders" : "", "%s%s", json_string_value(url),
		 is_true(object, "responders_learnt") ? " (learnt from a certificate)" : "");
	if (is_true(object, "configured") && i == 0)
		line("responders", "%snone%s", paint(PAINT_BAD), paint(PAINT_NONE));
}

/* What everybody wants to know, and what is not as by default. */
static void options(json_t *object)
{
	static const char usual[] =
	    " method nonce refresh_ratio min_refresh_interval max_refresh_interval expiry_margin "
	    "clock_skew no_next_update_ttl unknown_max_ttl weak_signature ";
	const char *name;
	json_t *option;

	if (object == NULL)
		return;
	section("rule");
	json_object_foreach(object, name, option)
	{
		const char *value = remote_text(option, "value");
		const char *initial = remote_text(option, "default");
		char word[64];

		snprintf(word, sizeof(word), " %s ", name);
		if (strcmp(value, initial) != 0)
			line(name, "%s%s%s (default %s)", paint(PAINT_HEAD), value,
			     paint(PAINT_NONE), initial);
		else if (strstr(usual, word) != NULL)
			line(name, "%s", value);
	}
}

/* --- the running relay ------------------------------------------------------------------------ */

static void tier(const json_t *object)
{
	const char *name = remote_text(object, "tier"), *status = remote_text(object, "status");
	char text[WHEN_SIZE];

	if (!is_true(object, "held")) {
		if (*remote_text(object, "text") != '\0')
			line(name, "%snothing to serve: %s%s", paint(PAINT_DOUBT),
			     remote_text(object, "text"), paint(PAINT_NONE));
		else
			line(name, "nothing");
		return;
	}
	line(name, "%s%s%s%s", colour_of(status), status, paint(PAINT_NONE),
	     is_true(object, "in_use") ? ", in use" : "");
	line("  thisUpdate", "%s", when(text, remote_text(object, "this_update")));
	time_line("  nextUpdate", object, "next_update");
	time_line("  kept until", object, "expires_at");
	time_line("  refresh due", object, "refresh_at");
	time_line("  not tried before", object, "retry_at");
}

static void health(const json_t *object)
{
	char span[SPAN_TEXT];

	if (json_is_false(json_object_get(object, "asked"))) {
		line("responder", "not asked yet  %s", remote_text(object, "url"));
	} else if (is_true(object, "up")) {
		line("responder", "%sup%s    %s%s", paint(PAINT_GOOD), paint(PAINT_NONE),
		     remote_text(object, "url"), is_true(object, "wants_post") ? ", by POST" : "");
	} else {
		span_text(span, remote_number(object, "seconds_down"));
		line("responder", "%sdown%s  %s, for %s, %" PRId64 " failure%s in a row%s",
		     paint(PAINT_BAD), paint(PAINT_NONE), remote_text(object, "url"), span,
		     remote_number(object, "failures"),
		     remote_number(object, "failures") == 1 ? "" : "s",
		     is_true(object, "left_out") ? ", asked by probes only" : "");
	}
	if (remote_number(object, "seconds_closed") > 0)
		line("", "asked to be left alone for %" PRId64 "s more (Retry-After)",
		     remote_number(object, "seconds_closed"));
}

static void relay(const json_t *object)
{
	const json_t *failure = json_object_get(object, "failure");
	const json_t *responders = json_object_get(json_object_get(object, "issuer"), "responders");
	size_t i;
	json_t *one;

	if (object == NULL)
		return;
	section("running relay");
	if (!is_true(object, "answers")) {
		line("", "%snot asked: %s%s", paint(PAINT_DOUBT), remote_text(object, "why"),
		     paint(PAINT_NONE));
		return;
	}
	line("version", "%s%s", remote_text(object, "version"),
	     is_true(object, "draining") ? ", draining" : "");
	line("watched", "%s", is_true(object, "watched") ? "yes" : "no");
	json_array_foreach(json_object_get(object, "tiers"), i, one) tier(one);
	if (json_is_object(failure))
		line("remembered failure", "%s%s%s, repeated for %" PRId64 "s more",
		     paint(PAINT_DOUBT), remote_text(failure, "text"), paint(PAINT_NONE),
		     remote_number(failure, "seconds_left"));
	json_array_foreach(responders, i, one) health(one);
}

/* --- the test --------------------------------------------------------------------------------- */

static void attempt(const json_t *object)
{
	const json_t *single =
	    json_array_get(json_object_get(json_object_get(object, "response"), "responses"), 0);
	int64_t http_status = remote_number(object, "http_status");
	const char *detail = remote_text(object, "detail");

	line(remote_text(object, "method"), "%s%s", remote_text(object, "url"),
	     is_true(object, "no_cache") ? " with Cache-Control: no-cache" : "");
	if (*remote_text(object, "address") != '\0')
		line("  address", "%s", remote_text(object, "address"));
	if (http_status > 0)
		line("  answer", "HTTP %" PRId64 ", %" PRId64 " octets, %.1f ms", http_status,
		     remote_number(object, "bytes"),
		     (double)remote_number(object, "microseconds") / 1000);
	if (*detail != '\0')
		line("  detail", "%s", detail);
	if (single != NULL) {
		line("  it says", "%s", remote_text(single, "cert_status"));
		time_line("  thisUpdate", single, "this_update");
		time_line("  nextUpdate", single, "next_update");
	}
	if (is_true(object, "accepted"))
		line("  verdict", "%saccepted%s", paint(PAINT_GOOD), paint(PAINT_NONE));
	else
		line("  verdict", "%s%s%s: %s", paint(PAINT_BAD), remote_text(object, "reason"),
		     paint(PAINT_NONE), remote_text(object, "text"));
}

static void attempts(const json_t *list)
{
	size_t i;
	json_t *one;

	if (list == NULL)
		return;
	section("live test");
	json_array_foreach(list, i, one) attempt(one);
}

/* --- the verdict ------------------------------------------------------------------------------ */

static void accepted(const json_t *object)
{
	const char *status = remote_text(object, "status");
	size_t i;
	json_t *one;

	line("answer", "%saccepted%s, signed by the %s", paint(PAINT_GOOD), paint(PAINT_NONE),
	     remote_text(object, "signer"));
	line("status", "%s%s%s", colour_of(status), status, paint(PAINT_NONE));
	time_line("revoked", object, "revoked_at");
	time_line("kept until", object, "kept_until");
	time_line("refreshed at", object, "refresh_at");
	json_array_foreach(json_object_get(object, "limits"), i, one)
	    line("because of", "%s", json_string_value(one));
	json_array_foreach(json_object_get(object, "not_kept_because"), i, one)
	    line(i == 0 ? "not kept" : "", "%s%s%s", paint(PAINT_DOUBT), json_string_value(one),
		 paint(PAINT_NONE));
}

static void verdict(const json_t *object)
{
	const char *outcome = remote_text(object, "outcome");
	char text[WHEN_SIZE];

	section("verdict");
	if (strcmp(outcome, "accepted") == 0)
		accepted(object);
	else if (*remote_text(object, "reason") != '\0')
		line(strcmp(outcome, "refused") == 0 ? "refused" : "no answer", "%s%s%s: %s",
		     paint(PAINT_BAD), remote_text(object, "reason"), paint(PAINT_NONE),
		     remote_text(object, "text"));
	else
		line("not tested", "no responder was to be asked");
	if (remote_number(object, "remembered_seconds") > 0)
		line("", "repeated to clients for %" PRId64 "s",
		     remote_number(object, "remembered_seconds"));
	if (*remote_text(object, "served_from") != '\0')
		line("clients are served", "%s%s%s from %s, until %s",
		     colour_of(remote_text(object, "served_status")),
		     remote_text(object, "served_status"), paint(PAINT_NONE),
		     remote_text(object, "served_from"),
		     when(text, remote_text(object, "served_until")));
	else if (strcmp(outcome, "not-tested") == 0)
		line("", "and the relay holds no answer: nothing is known");
}

void explain_text(const json_t *root)
{
	const json_t *findings = json_object_get(root, "findings");
	size_t i;
	json_t *one;

	certificate(json_object_get(root, "certificate"), json_object_get(root, "key"));
	issuer(json_object_get(root, "issuer"));
	options(json_object_get(root, "options"));
	relay(json_object_get(root, "relay"));
	attempts(json_object_get(root, "attempts"));
	verdict(json_object_get(root, "verdict"));
	if (json_array_size(findings) > 0)
		section("findings");
	json_array_foreach(findings, i, one) finding(json_string_value(one));
}
