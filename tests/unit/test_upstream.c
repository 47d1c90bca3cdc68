/* SPDX-License-Identifier: ISC */
/* Transfers, against a responder that does what a script says. */
#include "io/upstream.h"

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "scripted.h"

#define MAX_ANSWERS 16
#define MAX_BODY    1024
#define GOOD	    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0abc"

static const uint8_t der[] = {0xfb, 0xff, 0xfe}; /* +//+ */

struct answer {
	struct upstream_answer answer;
	char body[MAX_BODY + 1];
	char detail[300];
};

/* One upstream on one loop; what it has been told. */
struct asker {
	struct loop *loop;
	struct upstream *upstream;
	struct scripted *server;
	char url[64];
	struct upstream_request request;
	struct answer answers[MAX_ANSWERS];
	unsigned n_answers, n_wanted;
};

static void take(void *arg, const struct upstream_answer *answer)
{
	struct asker *asker = arg;
	struct answer *copy = &asker->answers[asker->n_answers++];

	copy->answer = *answer;
	memcpy(copy->body, answer->body.p ? (const char *)answer->body.p : "", answer->body.len);
	copy->body[answer->body.len] = '\0';
	snprintf(copy->detail, sizeof(copy->detail), "%s", answer->detail);
	if (asker->n_answers == asker->n_wanted)
		loop_stop(asker->loop);
}

static void never(void *arg, const struct upstream_answer *answer)
{
	(void)arg;
	(void)answer;
	cr_assert_fail("a cancelled transfer was told about");
}

static struct asker *asker_new(const struct scripted_step *steps, unsigned n_steps, unsigned hold)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	struct upstream_opts opts = {
	    .max_response = MAX_BODY,
	    .via = "ocsprelay-test",
	    .max_connections = 32,
	};

	unsetenv("http_proxy");
	unsetenv("no_proxy");
	cr_assert_eq(upstream_global_init(), OK);
	asker->loop = opts.loop = loop_new();
	asker->upstream = upstream_new(&opts);
	cr_assert_not_null(asker->upstream);
	asker->server = scripted_start(steps, n_steps, hold);
	snprintf(asker->url, sizeof(asker->url), "http://127.0.0.1:%u/ocsp", asker->server->port);
	asker->request = (struct upstream_request){
	    .url = asker->url,
	    .proxy = "",
	    .der = {der, sizeof(der)},
	    .post = true,
	    .ms_connect = 2000,
	    .ms_attempt = 5000,
	};
	return asker;
}

/* Starts n equal transfers and waits for their answers. */
static const struct answer *ask_several(struct asker *asker, unsigned n)
{
	unsigned i;

	asker->n_answers = 0;
	asker->n_wanted = n;
	for (i = 0; i < n; i++)
		cr_assert_not_null(upstream_start(asker->upstream, &asker->request, take, asker));
	cr_assert_eq(asker->n_answers, 0, "nobody is called from inside upstream_start");
	loop_run(asker->loop);
	return asker->answers;
}

static const struct answer *ask(struct asker *asker)
{
	return ask_several(asker, 1);
}

static void asker_stop(struct asker *asker)
{
	upstream_free(asker->upstream);
	loop_free(asker->loop);
	scripted_stop(asker->server);
	upstream_global_fini();
}

static void asker_free(struct asker *asker)
{
	scripted_free(asker->server);
	free(asker);
}

static void end(struct asker *asker)
{
	asker_stop(asker);
	asker_free(asker);
}

/* --- what is sent ----------------------------------------------------------------------------- */

/* The field lines are compared as a set: their order is libcurl's. */
static void expect_request(const char *text, const char *line, const char *const *fields)
{
	size_t i, n = 0, len = strlen(line);
	const char *p;

	cr_expect_eq(strncmp(text, line, len), 0, "%s", text);
	for (i = 0; fields[i]; i++)
		cr_expect_not_null(strstr(text, fields[i]), "%s in %s", fields[i], text);
	for (p = text; strncmp(p, "\r\n\r\n", 4) != 0; p++)
		n += strncmp(p, "\r\n", 2) == 0;
	cr_expect_eq(n, i, "fields beyond those of rule HC-03: %s", text);
}

Test(upstream, HC_03_a_post_has_exactly_these_fields)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	char host[64];
	const char *fields[] = {
	    "\r\nAccept: application/ocsp-response\r\n",
	    "\r\nAccept-Encoding: identity\r\n",
	    "\r\nVia: 1.1 ocsprelay-test\r\n",
	    "\r\nUser-Agent: ocsprelay/" PACKAGE_VERSION "\r\n",
	    "\r\nContent-Type: application/ocsp-request\r\n",
	    "\r\nContent-Length: 3\r\n",
	    host,
	    NULL,
	};
	const char *text, *body;

	snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%u\r\n", asker->server->port);
	ask(asker);
	asker_stop(asker);
	text = asker->server->requests[0].text;
	expect_request(text, "POST /ocsp HTTP/1.1\r\n", fields);
	body = strstr(text, "\r\n\r\n") + 4;
	cr_expect_arr_eq(body, der, sizeof(der));
	asker_free(asker);
}

Test(upstream, HC_02_HC_03_a_get_has_the_escaped_request_in_its_path)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	static const char *const fields[] = {"\r\nHost: 127.0.0.1:",  "\r\nAccept: ",
					     "\r\nAccept-Encoding: ", "\r\nVia: ",
					     "\r\nUser-Agent: ",      NULL};

	asker->request.post = false;
	ask(asker);
	asker_stop(asker);
	expect_request(asker->server->requests[0].text, "GET /ocsp/%2B%2F%2F%2B HTTP/1.1\r\n",
		       fields);
	asker_free(asker);
}

Test(upstream, HC_02_the_path_of_the_responder_is_sent_as_it_is)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);

	snprintf(asker->url, sizeof(asker->url), "http://127.0.0.1:%u//a/../b/./c%%7e/",
		 asker->server->port);
	asker->request.post = false;
	ask(asker);
	asker_stop(asker);
	cr_expect_not_null(
	    strstr(asker->server->requests[0].text, "GET //a/../b/./c%7e/%2B%2F%2F%2B HTTP/1.1"));
	asker_free(asker);
}

Test(upstream, VS_09_no_cache_is_said_when_asked_for)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);
	const struct scripted_request *requests = asker->server->requests;

	asker->request.no_cache = true;
	ask(asker);
	asker->request.post = false;
	ask(asker);
	asker->request.no_cache = false; /* on a used handle */
	ask(asker);
	asker_stop(asker);
	cr_expect_not_null(strstr(requests[0].text, "\r\nCache-Control: no-cache\r\n"));
	cr_expect_not_null(strstr(requests[1].text, "\r\nCache-Control: no-cache\r\n"));
	cr_expect_eq(strncmp(requests[1].text, "GET ", 4), 0);
	cr_expect_null(strstr(requests[2].text, "Cache-Control"));
	asker_free(asker);
}

Test(upstream, HC_03_cookies_are_not_kept)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 1\r\n\r\n0", 0},
	    {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 2, 0);

	ask(asker);
	ask(asker);
	asker_stop(asker);
	cr_expect_null(strcasestr(asker->server->requests[1].text, "cookie"));
	asker_free(asker);
}

/* --- what is answered ------------------------------------------------------------------------- */

struct answer_row {
	const char *rule;
	struct scripted_step step;
	err_t err;
	unsigned http_status;
	const char *body; /* NULL: not looked at */
};

#define ERROR_BODY "Content-Length: 5\r\n\r\n\x30\x03\x0a\x01\x06"
#define FALSE_GOOD "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\n\x30\x03\x0a\x01\x00"

static const struct answer_row answer_rows[] = {
    {"HC-05 length", {STEP_ANSWER, GOOD, 0}, OK, 200, "0abc"},
    {"HC-05 chunked",
     {STEP_ANSWER,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n0a\r\n2;x=y\r\nbc\r\n0\r\n\r\n",
      0},
     OK,
     200,
     "0abc"},
    {"HC-05 closed", {STEP_LAST, "HTTP/1.1 200 OK\r\n\r\n0abc", 0}, OK, 200, "0abc"},
    {"HC-05 1.0", {STEP_LAST, "HTTP/1.0 200 OK\r\n\r\n0abc", 0}, OK, 200, "0abc"},
    {"HC-05 interim",
     {STEP_ANSWER, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" GOOD, 0},
     OK,
     200,
     "0abc"},
    {"HC-05 truncated",
     {STEP_LAST, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0abc", 0},
     ERR_UP_FRAMING,
     200,
     NULL},
    {"HC-05 truncated chunk",
     {STEP_LAST, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0abc", 0},
     ERR_UP_FRAMING,
     200,
     NULL},
    {"HC-05 no last chunk",
     {STEP_LAST, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0abc\r\n", 0},
     ERR_UP_FRAMING,
     200,
     NULL},
    {"HC-05 bad chunk",
     {STEP_ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n0abc\r\n0\r\n\r\n",
      0},
     ERR_UP_FRAMING,
     200,
     NULL},
    {"HC-05 truncated head",
     {STEP_LAST, "HTTP/1.1 200 OK\r\nContent-Le", 0},
     ERR_UP_FRAMING,
     200,
     NULL},
    {"HC-05 two lengths",
     {STEP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n0abcd", 0},
     ERR_UP_FRAMING,
     200,
     NULL},
    {"HC-05 HTTP/0.9", {STEP_LAST, "0abc and no head at all\r\n\r\n", 0}, ERR_UP_FRAMING, 0, NULL},
    {"HC-05 only interim",
     {STEP_LAST, "HTTP/1.1 100 Continue\r\n\r\n", 0},
     ERR_UP_FRAMING,
     0,
     NULL},
    {"HC-05 switched",
     {STEP_LAST, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n0abc", 0},
     ERR_UP_FRAMING,
     0,
     NULL},
    {"HC-05 gzip",
     {STEP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n0abc", 0},
     ERR_UP_CODED,
     200,
     NULL},
    {"HC-05 gzip in transfer",
     {STEP_LAST, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n0abc", 0},
     ERR_UP_CODED,
     200,
     NULL},
    {"HC-06 OCSP error",
     {STEP_ANSWER, "HTTP/1.1 500 No\r\n" ERROR_BODY, 0},
     OK,
     500,
     "\x30\x03\x0a\x01\x06"},
    {"HC-06 OCSP error, 400",
     {STEP_ANSWER, "HTTP/1.1 400 No\r\n" ERROR_BODY, 0},
     OK,
     400,
     "\x30\x03\x0a\x01\x06"},
    {"HC-06 404",
     {STEP_ANSWER, "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\n0abc", 0},
     ERR_UP_HTTP,
     404,
     NULL},
    {"HC-06 203 is not 200",
     {STEP_ANSWER, "HTTP/1.1 203 OK\r\nContent-Length: 4\r\n\r\n0abc", 0},
     ERR_UP_HTTP,
     203,
     NULL},
    {"HC-06 204", {STEP_ANSWER, "HTTP/1.1 204 No\r\n\r\n", 0}, ERR_UP_HTTP, 204, NULL},
    {"HC-06 a successful status does not come with 500",
     {STEP_ANSWER, FALSE_GOOD, sizeof(FALSE_GOOD) - 1},
     ERR_UP_HTTP,
     500,
     NULL},
    {"HC-06 401",
     {STEP_ANSWER,
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n", 0},
     ERR_UP_HTTP,
     401,
     NULL},
    {"HC-06 500 cut short",
     {STEP_LAST, "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n0abc", 0},
     ERR_UP_HTTP,
     500,
     NULL},
    {"HC-07 any type",
     {STEP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
      0},
     OK,
     200,
     "<html>"},
    {"HC-07 empty", {STEP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0}, OK, 200, ""},
    {"EM-09 closed without a word", {STEP_DROP, NULL, 0}, ERR_UP_UNREACHABLE, 0, NULL},
};

static void expect_answer(const struct answer_row *row)
{
	struct asker *asker = asker_new(&row->step, 1, 0);
	const struct answer *got = ask(asker);

	cr_expect_eq(got->answer.err, row->err, "%s: %s, not %s (%s)", row->rule,
		     err_row(got->answer.err)->label, err_row(row->err)->label, got->detail);
	cr_expect_eq(got->answer.http_status, row->http_status, "%s: %u", row->rule,
		     got->answer.http_status);
	if (row->body)
		cr_expect_str_eq(got->body, row->body, "%s", row->rule);
	end(asker);
}

Test(upstream, HC_05_HC_06_HC_07_answers_are_judged)
{
	size_t i;

	for (i = 0; i < N_ELEMENTS(answer_rows); i++)
		expect_answer(&answer_rows[i]);
}

/* "Nobody asks the target" is the test: the second step would answer. */
Test(upstream, HC_08_a_redirect_is_never_followed)
{
	static const char *const statuses[] = {"301", "302", "303", "307", "308"};
	size_t i;

	for (i = 0; i < N_ELEMENTS(statuses); i++) {
		char text[200];
		struct scripted_step steps[] = {{STEP_ANSWER, text, 0}, {STEP_ANSWER, GOOD, 0}};
		struct asker *asker = asker_new(steps, 2, 0);
		const struct answer *got;

		snprintf(text, sizeof(text),
			 "HTTP/1.1 %s Over there\r\nLocation: http://127.0.0.1:%u/x\r\n"
			 "Content-Length: 0\r\n\r\n",
			 statuses[i], asker->server->port);
		got = ask(asker);
		cr_expect_eq(got->answer.err, ERR_UP_REDIRECT);
		cr_expect_eq(got->answer.http_status, (unsigned)atoi(statuses[i]));
		asker_stop(asker);
		cr_expect_eq(asker->server->n_requests, 1);
		asker_free(asker);
	}
}

Test(upstream, HC_15_an_answer_has_at_most_max_response_octets)
{
	static char largest[2048], declared[] = "HTTP/1.1 200 OK\r\nContent-Length: 1025\r\n\r\n0";
	static char chunked[4096], closed[4096];
	const struct answer_row rows[] = {
	    {"HC-15 just so", {STEP_ANSWER, largest, 0}, OK, 200, NULL},
	    {"HC-15 declared", {STEP_ANSWER, declared, 0}, ERR_UP_SIZE, 200, NULL},
	    {"HC-15 chunked", {STEP_ANSWER, chunked, 0}, ERR_UP_SIZE, 200, NULL},
	    {"HC-15 until closed", {STEP_ANSWER, closed, 0}, ERR_UP_SIZE, 200, NULL},
	};
	size_t i;

	snprintf(largest, sizeof(largest), "HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n%01024d",
		 0);
	snprintf(chunked, sizeof(chunked),
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n%01025d\r\n", 0);
	snprintf(closed, sizeof(closed), "HTTP/1.1 200 OK\r\n\r\n%01025d", 0);
	for (i = 0; i < N_ELEMENTS(rows); i++)
		expect_answer(&rows[i]); /* none of them closes: the abort is ours */
}

Test(upstream, HC_15_a_header_section_is_bounded_too)
{
	static char head[80000];
	const struct answer_row row = {
	    "HC-15 head", {STEP_ANSWER, head, 0}, ERR_UP_SIZE, 200, NULL};
	size_t len;

	len = (size_t)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n");
	while (len < 70000)
		len += (size_t)snprintf(head + len, sizeof(head) - len, "X-Filler: %0100d\r\n", 0);
	expect_answer(&row);
}

Test(upstream, CL_10_CL_11_hints_are_told)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER,
	     "HTTP/1.1 200 OK\r\nCache-Control: no-store, max-age=60\r\nContent-Length: 1\r\n\r\n0",
	     0},
	    {STEP_ANSWER,
	     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: "
	     "a\r\n\r\n1\r\n0\r\n0\r\nCache-Control: no-store\r\nContent-Length: 7\r\n\r\n",
	     0}};
	struct asker *asker = asker_new(steps, 2, 0);
	const struct answer *got = ask(asker);

	cr_expect_eq(got->answer.hints.flags, HINT_NO_STORE | HINT_MAX_AGE);
	cr_expect_eq(got->answer.hints.max_age, 60);
	got = ask(asker);
	cr_expect_eq(got->answer.err, OK, "%s", got->detail);
	cr_expect_eq(got->answer.hints.flags, 0, "of the answer before, or of a trailer");
	end(asker);
}

Test(upstream, HC_14_retry_after_is_told)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 503 No\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n", 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	const struct answer *got = ask(asker);

	cr_expect_eq(got->answer.err, ERR_UP_HTTP);
	cr_expect_eq(got->answer.retry_after, 10);
	end(asker);
}

/* --- time ------------------------------------------------------------------------------------- */

Test(upstream, HC_09_a_responder_that_hangs_is_given_up_after_ms_attempt)
{
	static const struct scripted_step steps[] = {{STEP_HANG, NULL, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	const struct answer *got;

	asker->request.ms_attempt = 50;
	got = ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_TIMEOUT);
	cr_expect_eq(got->answer.http_status, 0);
	cr_expect_geq(got->answer.us_taken, 49000);
	cr_expect(got->detail[0] != '\0');
	end(asker);
}

Test(upstream, HC_09_ms_attempt_is_for_the_whole_answer)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0abc", 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	const struct answer *got;

	asker->request.ms_attempt = 50;
	got = ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_TIMEOUT);
	cr_expect_eq(got->answer.http_status, 200);
	end(asker);
}

Test(upstream, EM_09_nobody_listens)
{
	struct asker *asker = asker_new(NULL, 0, 0);
	const struct answer *got;

	snprintf(asker->url, sizeof(asker->url), "http://127.0.0.1:1/");
	got = ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_UNREACHABLE);
	cr_expect_eq(got->answer.http_status, 0);
	end(asker);
}

Test(upstream, EM_09_a_name_that_does_not_resolve)
{
	struct asker *asker = asker_new(NULL, 0, 0);
	const struct answer *got;

	snprintf(asker->url, sizeof(asker->url), "http://a..b/"); /* no name server is asked */
	got = ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_UNREACHABLE);
	end(asker);
}

/* --- kept connections ------------------------------------------------------------------------- */

Test(upstream, a_connection_is_kept)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);

	ask(asker);
	asker->request.post = false;
	ask(asker);
	asker->request.post = true;
	ask(asker);
	asker_stop(asker);
	cr_expect_eq(asker->server->n_connections, 1);
	asker_free(asker);
}

/* The responder ends the kept connection when the next request has been sent on it. */
static void expect_repetition(bool post)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_DROP, NULL, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);

	asker->request.post = post;
	ask(asker);
	cr_expect_eq(ask(asker)->answer.err, OK);
	asker_stop(asker);
	cr_expect_eq(asker->server->n_requests, 3);
	cr_expect_eq(asker->server->n_connections, 2);
	cr_expect_str_eq(asker->server->requests[1].text, asker->server->requests[2].text);
	asker_free(asker);
}

Test(upstream, HC_10_a_dead_kept_connection_costs_no_answer)
{
	expect_repetition(true);
	expect_repetition(false);
}

/* libcurl gives up after five dead ones; the repetition on a new connection is ours. */
Test(upstream, HC_10_many_dead_kept_connections_cost_no_answer)
{
	static struct scripted_step steps[17];
	struct asker *asker;
	const struct answer *got;
	size_t i;

	for (i = 0; i < N_ELEMENTS(steps); i++)
		steps[i] =
		    (struct scripted_step){i >= 8 && i < 16 ? STEP_DROP : STEP_ANSWER, GOOD, 0};
	asker = asker_new(steps, N_ELEMENTS(steps), 8);
	ask_several(asker, 8);
	cr_assert_eq(asker->server->n_connections, 8);
	steps[14].act = STEP_ANSWER; /* 8 to 13: libcurl's six attempts */
	got = ask(asker);
	cr_expect_eq(got->answer.err, OK, "%s", got->detail);
	asker_stop(asker);
	cr_expect_eq(asker->server->n_requests, 15);
	cr_expect_eq(asker->server->n_connections, 9);
	asker_free(asker);
}

/* libcurl counts over the life of a handle: the sixth dead connection is ours to repeat. */
Test(upstream, HC_10_however_often_it_happens)
{
	static struct scripted_step steps[21];
	struct asker *asker;
	size_t i;

	for (i = 0; i < N_ELEMENTS(steps); i++)
		steps[i] = (struct scripted_step){i % 2 ? STEP_DROP : STEP_ANSWER, GOOD, 0};
	asker = asker_new(steps, N_ELEMENTS(steps), 0);
	for (i = 0; i < 11; i++)
		cr_expect_eq(ask(asker)->answer.err, OK, "%zu", i);
	end(asker);
}

Test(upstream, HC_10_what_fails_on_a_new_connection_is_not_repeated)
{
	static const struct scripted_step steps[] = {{STEP_DROP, NULL, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 2, 0);

	cr_expect_eq(ask(asker)->answer.err, ERR_UP_UNREACHABLE);
	asker_stop(asker);
	cr_expect_eq(asker->server->n_requests, 1);
	asker_free(asker);
}

Test(upstream, HC_10_nor_what_fails_after_the_first_line)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_LAST, "HTTP/1.1 200 OK\r\n", 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);

	ask(asker);
	cr_expect_eq(ask(asker)->answer.err, ERR_UP_FRAMING);
	asker_stop(asker);
	cr_expect_eq(asker->server->n_requests, 2);
	asker_free(asker);
}

/* --- cancelling ------------------------------------------------------------------------------- */

/* A port where connections are taken up and nothing ever answers. */
static int listen_silently(char *url, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, size, "http://127.0.0.1:%u/", ntohs(address.sin_port));
	return fd;
}

Test(upstream, a_cancelled_transfer_is_never_told_about)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	struct upstream_request silent = asker->request;
	struct transfer *before, *amid;
	char url[64];
	int fd = listen_silently(url, sizeof(url));

	silent.url = url;
	before = upstream_start(asker->upstream, &silent, never, NULL);
	transfer_cancel(before);
	transfer_cancel(NULL);
	amid = upstream_start(asker->upstream, &silent, never, NULL);
	cr_expect_eq(ask(asker)->answer.err, OK);
	transfer_cancel(amid);
	end(asker);
	close(fd);
}

Test(upstream, freeing_the_upstream_cancels)
{
	static const struct scripted_step steps[] = {{STEP_HANG, NULL, 0}};
	struct asker *asker = asker_new(steps, 1, 0);

	cr_assert_not_null(upstream_start(asker->upstream, &asker->request, never, NULL));
	end(asker);
	upstream_free(NULL);
}

struct chain {
	struct asker *asker;
	struct transfer *other;
	unsigned n_left;
};

static void go_on(void *arg, const struct upstream_answer *answer)
{
	struct chain *chain = arg;

	cr_expect_eq(answer->err, OK);
	transfer_cancel(chain->other);
	chain->other = NULL;
	if (--chain->n_left == 0)
		loop_stop(chain->asker->loop);
	else
		cr_assert_not_null(
		    upstream_start(chain->asker->upstream, &chain->asker->request, go_on, chain));
}

Test(upstream, a_callback_may_start_and_cancel_transfers)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);
	struct chain chain = {.asker = asker, .n_left = 3};
	struct upstream_request silent = asker->request;
	char url[64];
	int fd = listen_silently(url, sizeof(url));

	silent.url = url;
	chain.other = upstream_start(asker->upstream, &silent, never, NULL);
	cr_assert_not_null(upstream_start(asker->upstream, &asker->request, go_on, &chain));
	loop_run(asker->loop);
	cr_expect_eq(chain.n_left, 0);
	end(asker);
	close(fd);
}

/* --- proxies ---------------------------------------------------------------------------------- */

static void expect_target(const char *proxy, const char *environment, const char *no_proxy,
			  bool is_proxied)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	char own[64], theirs[64];

	snprintf(own, sizeof(own), proxy, asker->server->port);
	snprintf(theirs, sizeof(theirs), environment, asker->server->port);
	if (theirs[0])
		setenv("http_proxy", theirs, 1);
	if (no_proxy)
		setenv("no_proxy", no_proxy, 1);
	asker->request.proxy = own;
	if (is_proxied)
		snprintf(asker->url, sizeof(asker->url), "http://ocsp.invalid/x");
	cr_expect_eq(ask(asker)->answer.err, OK, "%s", asker->answers[0].detail);
	asker_stop(asker);
	if (is_proxied)
		cr_expect_eq(strncmp(asker->server->requests[0].text,
				     "POST http://ocsp.invalid/x HTTP/1.1\r\n"
				     "Host: ocsp.invalid\r\n",
				     strlen("POST http://ocsp.invalid/x HTTP/1.1\r\n"
					    "Host: ocsp.invalid\r\n")),
			     0, "%s", asker->server->requests[0].text);
	cr_expect_null(strcasestr(asker->server->requests[0].text, "proxy"));
	asker_free(asker);
}

Test(upstream, a_proxy_is_the_one_of_the_request_or_of_the_environment)
{
	expect_target("http://127.0.0.1:%u", "", NULL, true);
	expect_target("", "http://127.0.0.1:%u/", NULL, true);
	expect_target("http://127.0.0.1:%u", "http://127.0.0.1:1/", NULL, true);
	expect_target("http://127.0.0.1:%u", "", "*", true);
	expect_target("", "http://127.0.0.1:1/", "127.0.0.1", false);
	expect_target("none", "http://127.0.0.1:1/", NULL, false);
}

/* --- schemes ---------------------------------------------------------------------------------- */

Test(upstream, SL_12_only_http_and_https_are_spoken)
{
	static const char *const urls[] = {"file:///etc/hostname",
					   "ftp://127.0.0.1:1/",
					   "http://user:secret@127.0.0.1:1/",
					   "gopher://127.0.0.1:1/",
					   "://",
					   ""};
	struct asker *asker = asker_new(NULL, 0, 0);
	size_t i;

	for (i = 0; i < N_ELEMENTS(urls); i++) {
		snprintf(asker->url, sizeof(asker->url), "%s", urls[i]);
		cr_expect_neq(ask(asker)->answer.err, OK, "%s", urls[i]);
		cr_expect_eq(asker->answers[0].answer.body.len, 0);
	}
	asker_stop(asker);
	cr_expect_eq(asker->server->n_connections, 0);
	asker_free(asker);
}
