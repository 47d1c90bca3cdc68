/* SPDX-License-Identifier: ISC */
/*
 * How a stream of requests is cut into reads does not matter: for each of these streams, right and
 * wrong ones, what is answered is the same for every cut as for the whole. Framing alone is tried
 * with every pair of cuts, a real connection with every single one and with many by chance.
 *
 * Rules that the streams are for: HS-08 HS-10 HS-11 HS-12 HS-13 HS-16 HS-17 HS-18 HS-19 HS-31,
 * RP-12 RP-20 RP-22 RP-23 RP-24 RP-26.
 */
#include "random.h"
#include "server_kit.h"

#define H    "Host: a\r\n"
#define GET  "GET /g HTTP/1.1\r\n" H "\r\n"
#define HEAD "HEAD /h HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define POST "POST /p HTTP/1.1\r\n" H "Content-Length: 8\r\n\r\n\r\n\r\nbody"
#define CHUNKED                                                       \
	"POST /c HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n" \
	"2;x=\"y\"\r\n\r\n\r\n00003\r\nllo\r\n0\r\nTrailer: t\r\n\r\n"
#define EXPECT_HEAD "POST /e HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
#define EXPECT_CHUNKED_HEAD \
	"POST /e HTTP/1.1\r\n" H "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LAST	 "GET /last HTTP/1.1\r\n" H "\r\n" /* behind each stream */
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

struct stream {
	const char *text;
	const char *expect; /* the head after which, alone, 100 (Continue) is due; or NULL */
};

static const struct stream streams[] = {
    {GET, NULL},
    {HEAD, NULL},
    {POST, NULL},
    {CHUNKED, NULL},
    {"\r\n\r\n" GET, NULL},
    {POST "\r\n" GET, NULL}, /* what old clients add */
    {GET POST, NULL},
    {CHUNKED CHUNKED, NULL},
    {POST HEAD CHUNKED GET, NULL},
    {EXPECT_HEAD "ab", EXPECT_HEAD},
    {EXPECT_CHUNKED_HEAD "2\r\nab\r\n0\r\n\r\n", EXPECT_CHUNKED_HEAD},
    {"POST /e HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
     "Content-Length: 2\r\n\r\nab",
     NULL},
    {"GET /e HTTP/1.1\r\n" H "Expect: x\r\n\r\n" GET, NULL},
    {"OPTIONS /o HTTP/1.1\r\n" H "\r\n" GET, NULL},
    {"GET /close HTTP/1.1\r\n" H "Connection: close\r\n\r\n" GET, NULL},
    /* refused, and nothing behind it is a request */
    {"PUT /u HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /", NULL},
    {"GET /b HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /", NULL},
    {"POST /s HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     NULL},
    {"POST /l HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", NULL},
    {"POST /l HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", NULL},
    {"POST /n HTTP/1.1\r\n" H "\r\n", NULL},
    {"POST /n HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", NULL},
    {"POST /k HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", NULL},
    {"POST /k HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", NULL},
    {"POST /e HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 16385\r\n\r\n", NULL},
    {"GET /h HTTP/1.1\r\nHost : a\r\n\r\n", NULL},
    {"GET /h HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", NULL},
    {"GET /h HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", NULL},
    {"GET /h HTTP/1.1\n" H "\r\n", NULL},
    {"GET /h HTTP/1.1\r\n" H H "\r\n", NULL},
    {"GET /a b HTTP/1.1\r\n" H "\r\n", NULL},
    {"GET /h\r\n\r\n", NULL},
    {"FOO /f HTTP/1.1\r\n" H "\r\n", NULL},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL},
    {"\r\n\r\n\r\n" GET, NULL},
};

/* The stream with LAST behind it; freed by the caller. */
static char *whole_of(const struct stream *stream)
{
	char *text;

	cr_assert_geq(asprintf(&text, "%s%s", stream->text, LAST), 0);
	return text;
}

/* --- framing ---------------------------------------------------------------------------------- */

static const struct http_limits limits = {.max_request_line = 8192,
					  .max_header_bytes = 16384,
					  .max_headers = 64,
					  .max_request_body = 16384};

/* What framing said so far. */
struct transcript {
	struct framing framing;
	struct octets in; /* at another place each time */
	bool has_ended;
	size_t len;
	char text[1000];
};

/* After what is refused the connection ends, unless it is a known message without a body. */
static bool goes_on(err_t e, const struct framed *framed)
{
	if (e != OK && e != ERR_HTTP_METHOD && e != ERR_HTTP_EXPECT)
		return false;
	return e == OK ||
	       (framed->request.content_length == 0 && !(framed->request.flags & HTTP_CHUNKED));
}

static void note(struct transcript *t, err_t e, const struct framed *framed)
{
	const struct slice nothing = slice_text("-");
	const struct slice target = framed->has_request ? framed->request.target : nothing;
	const struct slice body = e == OK ? framed->body : nothing;

	t->len +=
	    (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "<%s %.*s %.*s>",
			     err_row(e)->label, (int)target.len, target.p, (int)body.len, body.p);
	cr_assert_lt(t->len, sizeof(t->text));
	t->has_ended = !goes_on(e, framed);
}

static void hear(struct transcript *t, const char *p, size_t n)
{
	uint8_t *moved = malloc(t->in.len + n + 1);
	struct framed framed;

	cr_assert_not_null(moved);
	if (t->in.len > 0)
		memcpy(moved, t->in.p, t->in.len);
	memcpy(moved + t->in.len, p, n);
	free(t->in.p);
	t->in.p = moved;
	t->in.len += n;
	while (t->in.len > 0 && !t->has_ended) {
		err_t e = framing_next(&t->framing, &limits, &t->in, &framed);

		if (e == ERR_AGAIN)
			return;
		note(t, e, &framed);
		t->in.len -= framed.len;
		memmove(t->in.p, t->in.p + framed.len, t->in.len);
	}
}

static void hear_cut(struct transcript *t, const char *text, size_t a, size_t b)
{
	*t = (struct transcript){.len = 0};
	hear(t, text, a);
	hear(t, text + a, b - a);
	hear(t, text + b, strlen(text + b));
	free(t->in.p);
}

Test(splits, RP_20_RP_22_HS_19_framing_by_every_pair_of_cuts)
{
	static struct transcript whole, cut;

	for (size_t i = 0; i < N_ELEMENTS(streams); i++) {
		char *text = whole_of(&streams[i]);
		size_t len = strlen(text);

		hear_cut(&whole, text, 0, 0);
		cr_assert(whole.has_ended || strstr(whole.text, "/last >"), "%s: %s", text,
			  whole.text);
		for (size_t a = 1; a < len; a++) {
			for (size_t b = a; b < len; b++) {
				hear_cut(&cut, text, a, b);
				if (strcmp(cut.text, whole.text) != 0)
					cr_assert_fail("%s cut at %zu and %zu: %s, not %s", text, a,
						       b, cut.text, whole.text);
			}
		}
		free(text);
	}
}

/* --- a connection ----------------------------------------------------------------------------- */

static unsigned n_partial; /* how often a part of a request was seen alone */

/* Has the server read what was sent, as far as it reads at all. */
static void turn(void)
{
	for (unsigned i = 0; i < 2; i++)
		event_base_loop(loop_base(kit.loop), EVLOOP_NONBLOCK);
	if (!list_is_empty(&kit.server->phases[PHASE_HEAD]) ||
	    !list_is_empty(&kit.server->phases[PHASE_BODY]))
		n_partial++;
}

/* All that the server says, until it closes or has answered LAST. */
static bool is_complete(struct client *client)
{
	client_pull(client);
	return client->is_closed || client->is_reset || strstr(client->in, "<GET /last>") != NULL;
}

static void wait_for_continue(struct client *client)
{
	for (client_pull(client); !strstr(client->in, CONTINUE); client_pull(client))
		kit_turn();
}

/* Says the text in pieces that end where cuts (in order) say. What was answered without 100
 * (Continue), which is said exactly when the head that expects it was the end of a piece; freed by
 * the caller. */
static char *answers_of(const char *text, const char *expect, const size_t *cuts, size_t n_cuts)
{
	size_t at = 0, len = strlen(text), head_len = expect ? strlen(expect) : 0;
	struct client client = client_new();
	bool is_due = false;
	char *said;

	for (size_t i = 0; i <= n_cuts; i++) {
		size_t end = i < n_cuts ? cuts[i] : len;

		if (!client_send(&client, text + at, end - at))
			break;
		at = end;
		turn();
		if (end == head_len) {
			wait_for_continue(&client);
			is_due = true;
		}
	}
	while (!is_complete(&client))
		kit_turn();
	cr_assert_not(client.is_reset, "%s: the answer may have been destroyed", text);
	said = strstr(client.in, CONTINUE);
	cr_assert_eq(said != NULL, is_due, "%s: %s", text, client.in);
	if (said)
		memmove(said, said + strlen(CONTINUE), strlen(said + strlen(CONTINUE)) + 1);
	close(client.fd);
	return client.in;
}

static void expect_same(const struct stream *stream, const char *text, const char *whole,
			const size_t *cuts, size_t n_cuts, uint64_t seed)
{
	char *answers = answers_of(text, stream->expect, cuts, n_cuts);

	cr_expect_str_eq(answers, whole, "%s cut at %zu (%zu cuts, seed %llu): %s, not %s", text,
			 cuts[0], n_cuts, (unsigned long long)seed, answers, whole);
	free(answers);
}

/* Up to eight cuts in order. */
static size_t choose_cuts(size_t cuts[8], size_t len, uint64_t seed)
{
	struct chance chance = {.state = seed};
	size_t n = 2 + chance_below(&chance, 7), at = 0, i;

	for (i = 0; i < n && at + 1 < len; i++)
		at = cuts[i] = at + 1 + chance_below(&chance, (len - at - 1 + n - i - 1) / (n - i));
	return i;
}

TestSuite(splits_of_a_connection, .init = kit_open, .fini = kit_close);

Test(splits_of_a_connection, HS_08_HS_17_HS_19_RP_12_RP_26_every_cut_and_several_by_chance)
{
	enum {
		N_CASES = 50
	};

	kit_start();
	for (size_t i = 0; i < N_ELEMENTS(streams); i++) {
		const struct stream *stream = &streams[i];
		char *text = whole_of(stream);
		size_t len = strlen(text), cuts[8];
		char *whole = answers_of(text, stream->expect, NULL, 0);

		for (cuts[0] = 1; cuts[0] < len; cuts[0]++)
			expect_same(stream, text, whole, cuts, 1, 0);
		cuts[0] = stream->expect ? strlen(stream->expect) : len;
		for (cuts[1] = cuts[0] + 1; cuts[1] < len; cuts[1]++)
			expect_same(stream, text, whole, cuts, 2, 0);
		for (uint64_t seed = first_seed(); seed < first_seed() + N_CASES; seed++)
			expect_same(stream, text, whole, cuts, choose_cuts(cuts, len, seed), seed);
		free(whole);
		free(text);
	}
	cr_expect_gt(n_partial, 1000, "the server saw hardly a part alone");
}
