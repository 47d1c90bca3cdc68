/* SPDX-License-Identifier: ISC */
/* Transfers: what responders are sent, and how their answers are judged. */
#include "asker.h"

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
	asker_ask(asker);
	asker_stop(asker);
	text = asker->server->requests[0].text;
	expect_request(text, "POST /ocsp HTTP/1.1\r\n", fields);
	body = strstr(text, "\r\n\r\n") + 4;
	cr_expect_arr_eq(body, asker_der, sizeof(asker_der));
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
	asker_ask(asker);
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
	asker_ask(asker);
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
	asker_ask(asker);
	asker->request.post = false;
	asker_ask(asker);
	asker->request.no_cache = false; /* on a used handle */
	asker_ask(asker);
	asker_stop(asker);
	cr_expect_not_null(strstr(requests[0].text, "\r\nCache-Control: no-cache\r\n"));
	cr_expect_not_null(strstr(requests[1].text, "\r\nCache-Control: no-cache\r\n"));
	cr_expect_eq(strncmp(requests[1].text, "GET ", 4), 0);
	cr_expect_null(strstr(requests[2].text, "Cache-Control"));
	asker_free(asker);
}

Test(upstream, HC_04_etag_makes_a_get_conditional)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 304 Not Modified\r\nETag: \"x/y\"\r\n\r\n", 0},
	    {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 2, 0);
	const struct scripted_request *requests = asker->server->requests;
	const struct answer *answer;

	asker->request.post = false;
	asker->request.etag = slice_text("\"x/y\"");
	answer = asker_ask(asker);
	cr_expect_eq(answer->answer.err, ERR_UP_REDIRECT);
	cr_expect_eq(answer->answer.http_status, 304);
	asker->request.etag = slice_of(NULL, 0); /* on a used handle */
	asker_ask(asker);
	asker_stop(asker);
	cr_expect_not_null(strstr(requests[0].text, "\r\nIf-None-Match: \"x/y\"\r\n"));
	cr_expect_not_null(strstr(requests[0].text, "\r\nVia: "));
	cr_expect_null(strstr(requests[1].text, "If-None-Match"));
	asker_free(asker);
}

Test(upstream, HC_03_cookies_are_not_kept)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 1\r\n\r\n0", 0},
	    {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 2, 0);

	asker_ask(asker);
	asker_ask(asker);
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
	const struct answer *got = asker_ask(asker);

	cr_expect_eq(got->answer.err, row->err, "%s: %s, not %s (%s)", row->rule,
		     err_row(got->answer.err)->label, err_row(row->err)->label, got->detail);
	cr_expect_eq(got->answer.http_status, row->http_status, "%s: %u", row->rule,
		     got->answer.http_status);
	if (row->body)
		cr_expect_str_eq(got->body, row->body, "%s", row->rule);
	asker_end(asker);
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
		got = asker_ask(asker);
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
	const struct answer *got = asker_ask(asker);

	cr_expect_eq(got->answer.hints.flags, HINT_NO_STORE | HINT_MAX_AGE);
	cr_expect_eq(got->answer.hints.max_age, 60);
	got = asker_ask(asker);
	cr_expect_eq(got->answer.err, OK, "%s", got->detail);
	cr_expect_eq(got->answer.hints.flags, 0, "of the answer before, or of a trailer");
	asker_end(asker);
}

Test(upstream, HC_14_retry_after_is_told)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 503 No\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n", 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	const struct answer *got = asker_ask(asker);

	cr_expect_eq(got->answer.err, ERR_UP_HTTP);
	cr_expect_eq(got->answer.retry_after, 10);
	asker_end(asker);
}
