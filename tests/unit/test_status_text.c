/* SPDX-License-Identifier: ISC */
/* The status for people: its lines, rates between two looks, colours, and what never gets through.
 */
#include "cmd/status_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define REQUESTS(hit, miss, negative, error)                                                 \
	"{\"hit\":" #hit ",\"miss\":" #miss ",\"collapsed\":0,\"refreshed\":0,\"bypass\":0," \
	"\"negative\":" #negative ",\"rejected\":0,\"error\":" #error "}"
#define STATUS(name, requests, responders, more)                                                   \
	"{\"version\":\"1.0\",\"pid\":7,\"uptime\":90061,\"draining\":false,"                      \
	"\"connections\":3,\"inflight\":1,\"waiters\":2,\"requests\":" requests ","                \
	"\"cache\":{\"entries\":5,\"bytes\":1536,\"max_bytes\":1048576,\"evictions\":4,"           \
	"\"negative_entries\":6},\"stores\":[{\"store\":\"lmdb:/x\",\"up\":false}],"               \
	"\"watched\":{\"certificates\":0,\"cold\":[],\"skipped\":[]},"                             \
	"\"issuers\":[{\"id\":\"1\",\"name\":\"" name                                              \
	"\",\"not_after\":\"2030\",\"requests\":" requests ",\"responders\":[" responders "]" more \
	"}]}"
#define UP "{\"url\":\"http://a/\",\"up\":true,\"failures\":0,\"latency\":null}"
#define FAST                   \
	"{\"url\":\"http://a/" \
	"\",\"up\":true,\"failures\":0,\"latency\":{\"p50\":0.00035,\"p99\":1.5}}"
#define DOWN                                                                                   \
	"{\"url\":\"http://longer/\",\"up\":false,\"failures\":9,\"down_for\":61,\"latency\":" \
	"{\"p50\":0.012,\"p99\":0.5}}"
#define RUNWAY                                                                             \
	",\"down\":true,\"runway_warning\":3600,\"runway\":{\"answers\":8,\"first\":1800," \
	"\"median\":7200,\"last\":86400}"

static char shown[8192];

static const char *show(const char *before, const char *after, bool has_colours)
{
	json_t *then = before ? json_loads(before, 0, NULL) : NULL;
	json_t *now = json_loads(after, 0, NULL);
	struct buf out;

	cr_assert_not_null(now);
	buf_init(&out, sizeof(shown) - 1);
	status_text(
	    &(const struct status_text){
		.told = now, .before = then, .ms_between = 2000, .has_colours = has_colours},
	    &out);
	cr_assert_eq(out.err, OK);
	memcpy(shown, out.p, out.len);
	shown[out.len] = '\0';
	buf_fini(&out);
	json_decref(then);
	json_decref(now);
	return shown;
}

Test(status_text, tells_all_in_aligned_lines)
{
	cr_expect_str_eq(
	    show(NULL, STATUS("X", REQUESTS(6, 2, 1, 1), FAST "," DOWN, RUNWAY), false),
	    "relay      1.0, pid 7, up 1d 1h\n"
	    "clients    3 connections, 2 waiting, 1 fetches\n"
	    "requests   10, 6 hit, 2 miss, 1 negative, 1 error (hit ratio 66.7 %)\n"
	    "memory     5 answers, 1.5 KiB of 1.0 MiB, 4 evicted, 6 failures remembered\n"
	    "store      down lmdb:/x\n"
	    "issuer     X, until 2030\n"
	    "           up   http://a/       0.35 ms median, 1.5 s 99 %\n"
	    "           down http://longer/  down for 1m 1s, 9 failures in a row, 12 ms median, "
	    "500 ms 99 %\n"
	    "           runway of 8 answers in use: first 30m, median 2h, last 1d\n");
}

Test(status_text, rates_are_of_what_has_come_between)
{
	static const struct {
		const char *before, *after, *expected;
	} rows[] = {
	    {REQUESTS(6, 2, 1, 1), REQUESTS(15, 3, 1, 1), "5.0 requests/s, hit ratio 90.0 %\n"},
	    {REQUESTS(6, 2, 1, 1), REQUESTS(6, 2, 1, 1), "0.0 requests/s\n"},
	    {REQUESTS(0, 0, 0, 0), REQUESTS(0, 0, 0, 3), "1.5 requests/s, 1.5 errors/s\n"},
	    {REQUESTS(0, 0, 0, 0), REQUESTS(0, 0, 2, 0),
	     "1.0 requests/s, hit ratio 0.0 %, 1.0 errors/s\n"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char before[1024], after[1024], line[128];

		snprintf(before, sizeof(before), STATUS("X", "%s", UP, ""), rows[i].before,
			 rows[i].before);
		snprintf(after, sizeof(after), STATUS("X", "%s", UP, ""), rows[i].after,
			 rows[i].after);
		show(before, after, false);
		snprintf(line, sizeof(line), "\nnow        %s", rows[i].expected);
		cr_expect_not_null(strstr(shown, line), "%s in %s", line, shown);
		snprintf(line, sizeof(line), "until 2030\n           %s", rows[i].expected);
		cr_expect_not_null(strstr(shown, line), "%s in %s", line, shown);
	}
	cr_expect_null(strstr(show(NULL, STATUS("X", REQUESTS(1, 0, 0, 0), UP, ""), false), "/s"));
}

Test(status_text, tells_of_a_responder_whether_it_was_asked)
{
	static const struct {
		const char *members, *expected;
	} rows[] = {
	    {"\"up\":true,\"asked\":false", "up   x  not asked yet\n"},
	    {"\"up\":true,\"asked\":true", "up   x  not asked lately\n"},
	    {"\"up\":false,\"asked\":true,\"failures\":1,\"down_for\":7200",
	     "down x  down for 2h, 1 failure in a row\n"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char told[256];

		snprintf(told, sizeof(told),
			 "{\"issuers\":[{\"responders\":[{\"url\":\"x\",%s}]}]}", rows[i].members);
		cr_expect_not_null(strstr(show(NULL, told, false), rows[i].expected), "%s", shown);
	}
}

Test(status_text, colours_what_is_up_down_and_short)
{
	show(NULL, STATUS("X", REQUESTS(1, 0, 0, 0), UP "," DOWN, RUNWAY), true);
	cr_expect_not_null(strstr(shown, "\033[32mup  \033[0m http://a/"));
	cr_expect_not_null(strstr(shown, "\033[1;31mdown\033[0m http://longer/"));
	cr_expect_not_null(strstr(shown, "first \033[1;31m30m\033[0m, median 2h"));
}

Test(status_text, no_control_character_gets_through)
{
	show(NULL,
	     STATUS("a\\u001b[31m\\n\\u0085\\u00fc", REQUESTS(1, 0, 0, 0),
		    "{\"url\":\"http://\\u0007/\",\"up\":true}", ""),
	     false);
	cr_expect_not_null(strstr(shown, "issuer     a?[31m??\xc3\xbc, until"), "%s", shown);
	cr_expect_not_null(strstr(shown, "http://?/"));
}

Test(status_text, tells_how_many_answers_have_expired)
{
	show(NULL, "{\"cache\":{\"entries\":5,\"expired\":2}}", false);
	cr_expect_not_null(strstr(shown, "\nmemory     5 answers (2 expired), 0 octets of"), "%s",
			   shown);
}

/* One of another version may tell less. */
Test(status_text, what_is_missing_does_no_harm)
{
	show("{}", "{\"issuers\":[{}],\"stores\":[{}]}", true);
	cr_expect_not_null(strstr(shown, "relay      , pid 0, up 0s\n"));
}
