/* SPDX-License-Identifier: ISC */
/* Transfers: time, names, kept connections, cancelling, proxies, TLS. */
#include "asker.h"

static void never(void *arg, const struct upstream_answer *answer)
{
	(void)arg;
	(void)answer;
	cr_assert_fail("a cancelled transfer was told about");
}

/* --- time ------------------------------------------------------------------------------------- */

Test(upstream, HC_09_a_responder_that_hangs_is_given_up_after_ms_attempt)
{
	static const struct scripted_step steps[] = {{STEP_HANG, NULL, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	const struct answer *got;

	asker->request.ms_attempt = 50;
	got = asker_ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_TIMEOUT);
	cr_expect_eq(got->answer.http_status, 0);
	cr_expect_geq(got->answer.us_taken, 49000);
	cr_expect(got->detail[0] != '\0');
	asker_end(asker);
}

Test(upstream, HC_09_ms_attempt_is_for_the_whole_answer)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0abc", 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	const struct answer *got;

	asker->request.ms_attempt = 50;
	got = asker_ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_TIMEOUT);
	cr_expect_eq(got->answer.http_status, 200);
	asker_end(asker);
}

Test(upstream, EM_09_nobody_listens)
{
	struct asker *asker = asker_new(NULL, 0, 0);
	const struct answer *got;

	snprintf(asker->url, sizeof(asker->url), "http://127.0.0.1:1/");
	got = asker_ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_UNREACHABLE);
	cr_expect_eq(got->answer.http_status, 0);
	asker_end(asker);
}

Test(upstream, EM_09_a_name_that_does_not_resolve)
{
	struct asker *asker = asker_new(NULL, 0, 0);
	const struct answer *got;

	snprintf(asker->url, sizeof(asker->url), "http://a..b/"); /* no name server is asked */
	got = asker_ask(asker);
	cr_expect_eq(got->answer.err, ERR_UP_UNREACHABLE);
	asker_end(asker);
}

/* --- kept connections ------------------------------------------------------------------------- */

Test(upstream, a_connection_is_kept)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);

	asker_ask(asker);
	asker->request.post = false;
	asker_ask(asker);
	asker->request.post = true;
	asker_ask(asker);
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
	asker_ask(asker);
	cr_expect_eq(asker_ask(asker)->answer.err, OK);
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
	asker_ask_several(asker, 8);
	cr_assert_eq(asker->server->n_connections, 8);
	steps[14].act = STEP_ANSWER; /* 8 to 13: libcurl's six attempts */
	got = asker_ask(asker);
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
		cr_expect_eq(asker_ask(asker)->answer.err, OK, "%zu", i);
	asker_end(asker);
}

Test(upstream, HC_10_what_fails_on_a_new_connection_is_not_repeated)
{
	static const struct scripted_step steps[] = {{STEP_DROP, NULL, 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 2, 0);

	cr_expect_eq(asker_ask(asker)->answer.err, ERR_UP_UNREACHABLE);
	asker_stop(asker);
	cr_expect_eq(asker->server->n_requests, 1);
	asker_free(asker);
}

Test(upstream, HC_10_nor_what_fails_after_the_first_line)
{
	static const struct scripted_step steps[] = {
	    {STEP_ANSWER, GOOD, 0}, {STEP_LAST, "HTTP/1.1 200 OK\r\n", 0}, {STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 3, 0);

	asker_ask(asker);
	cr_expect_eq(asker_ask(asker)->answer.err, ERR_UP_FRAMING);
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
	cr_expect_eq(asker_ask(asker)->answer.err, OK);
	transfer_cancel(amid);
	asker_end(asker);
	close(fd);
}

Test(upstream, freeing_the_upstream_cancels)
{
	static const struct scripted_step steps[] = {{STEP_HANG, NULL, 0}};
	struct asker *asker = asker_new(steps, 1, 0);

	cr_assert_not_null(upstream_start(asker->upstream, &asker->request, never, NULL));
	asker_end(asker);
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
	asker_end(asker);
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
	cr_expect_eq(asker_ask(asker)->answer.err, OK, "%s", asker->answers[0].detail);
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
		cr_expect_neq(asker_ask(asker)->answer.err, OK, "%s", urls[i]);
		cr_expect_eq(asker->answers[0].answer.body.len, 0);
	}
	asker_stop(asker);
	cr_expect_eq(asker->server->n_connections, 0);
	asker_free(asker);
}
