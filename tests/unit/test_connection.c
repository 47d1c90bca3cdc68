/* SPDX-License-Identifier: ISC */
/* One connection: where requests begin and end, in what order answers go out, when it closes. */
#include "server_kit.h"

#define H "Host: a\r\n"

TestSuite(connection, .init = kit_open, .fini = kit_close);

Test(connection, HS_18_persistence)
{
	static const struct {
		const char *request;
		const char *answer;
	} rows[] = {
	    {"GET /a HTTP/1.1\r\n" H "\r\n", "<GET /a>"},
	    {"GET /a HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "<GET /a$>"},
	    {"HEAD /a HTTP/1.0\r\n\r\n", "<HEAD /a$>"},
	    {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "<GET /a>"},
	};

	kit_start();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct client client = client_new();

		client_say(&client, rows[i].request);
		client_expect(&client, rows[i].answer);
		if (strchr(rows[i].answer, '$'))
			client_expect_close(&client);
		else
			client_expect_open(&client);
		client_end(&client);
	}
}

/* What is refused is answered once and not read any further; what follows is never a request. */
Test(connection, refusals_end_the_connection)
{
	static const struct {
		const char *message;
		const char *answer;
	} rows[] = {
	    /* EM-01, HS-08: length and coding */
	    {"POST /a HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "0\r\n\r\n",
	     "<!400$>"},
	    /* RP-12: a body that would be taken for a request */
	    {"GET /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /", "<!400$>"},
	    /* HS-11 */
	    {"GET /a HTTP/1.1\r\nHost : a\r\n\r\n", "<!400$>"},
	    /* EM-04: unknown, and known with a body to skip */
	    {"FOO /a HTTP/1.1\r\n" H "\r\n", "<!501$>"},
	    {"PUT /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /", "<!405+$>"},
	    /* EM-05: Expect with a body */
	    {"POST /a HTTP/1.1\r\n" H "Expect: x\r\nContent-Length: 1\r\n\r\n0", "<!417+$>"},
	    /* RP-24: no length; the client may not know how to say it */
	    {"POST /a HTTP/1.1\r\n" H "\r\n", "<!400+$>"},
	    {"POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "<!400+$>"},
	    {"POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "<!400+$>"},
	    /* RP-22 */
	    {"POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nx\r\n", "<!400$>"},
	    {"POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n", "<!413$>"},
	    /* HS-31 */
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<!505$>"},
	    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "<!400$>"},
	};

	kit_start();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct client client = client_new();

		client_say(&client, rows[i].message);
		client_say(&client, "GET /smuggled HTTP/1.1\r\n" H "\r\n");
		client_expect(&client, rows[i].answer);
		client_expect_close(&client);
		client_end(&client);
	}
	cr_assert_eq(kit.n_requests, 0);
}

Test(connection, EM_04_EM_05_a_refusal_without_body_keeps_the_connection)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "OPTIONS /a HTTP/1.1\r\n" H "\r\n"
			    "GET /a HTTP/1.1\r\n" H "Expect: x\r\n\r\n"
			    "GET /b HTTP/1.1\r\n" H "\r\n");
	client_expect(&client, "<!405+><!417+><GET /b>");
	client_expect_open(&client);
	client_end(&client);
}

/* --- pieces ---------------------------------------------------------------------------------- */

static const char post[] = "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello";
static const char chunked[] = "POST /c HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
			      "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: t\r\n\r\n";
static const char get[] = "\r\n\r\nGET /g HTTP/1.1\r\n" H "\r\n";

static void say_in_pieces(struct client *client, const char *text, size_t piece)
{
	for (size_t at = 0, len = strlen(text); at < len; at += piece) {
		cr_assert(client_send(client, text + at, len - at < piece ? len - at : piece));
		/* Everything sent is read before the next piece is. */
		kit_turn();
	}
}

/* RP-20 length, RP-22 chunks, RP-23 extensions, RP-26 empty lines before a request. */
Test(connection, RP_20_RP_22_RP_23_RP_26_cut_at_every_octet)
{
	static const struct {
		const char *text, *answer;
	} rows[] = {{post, "<POST /p hello>"}, {chunked, "<POST /c hello>"}, {get, "<GET /g>"}};
	char all[400], answers[100];
	struct client client;

	snprintf(all, sizeof(all), "%s%s%s", post, chunked, get);
	snprintf(answers, sizeof(answers), "%s%s%s", rows[0].answer, rows[1].answer,
		 rows[2].answer);
	kit.limits.max_requests_per_connection = 10000;
	kit_start();
	client = client_new();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t len = strlen(rows[i].text);

		for (size_t cut = 1; cut < len; cut++) {
			cr_assert(client_send(&client, rows[i].text, cut));
			kit_turn();
			client_say(&client, rows[i].text + cut);
			client_expect(&client, rows[i].answer);
		}
	}
	for (size_t piece = 1; piece < strlen(all); piece++) {
		say_in_pieces(&client, all, piece);
		client_expect(&client, answers);
	}
	client_expect_open(&client);
	client_end(&client);
}

Test(connection, what_was_saved_is_freed_once_it_is_used)
{
	struct client client;
	const struct connection *connection;

	kit_start();
	client = client_new();
	say_in_pieces(&client, "GET /a HTTP/1.1\r\n", 1);
	connection = LIST_ENTRY(kit.server->phases[PHASE_HEAD].next, struct connection, link);
	cr_assert_not_null(connection->saved);
	client_say(&client, H "\r\n");
	client_expect(&client, "<GET /a>");
	cr_assert_eq(connection->phase, PHASE_IDLE);
	cr_assert_null(connection->saved);
	client_end(&client);
}

Test(connection, a_body_as_large_as_allowed_in_chunks_of_one_octet_RP_22)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "POST /c HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n");
	for (unsigned i = 0; i < 16384; i++)
		cr_assert(client_send(&client, "1\r\nx\r\n", 6));
	client_say(&client, "0\r\n\r\n");
	client_expect(&client, "<POST /c xxxxxxxxxxxxxxxx");
	client_end(&client);
}

/* --- Expect ----------------------------------------------------------------------------------- */

Test(connection, HS_17_continue_is_said_once_when_the_body_is_still_to_come)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client,
		   "GET /before HTTP/1.1\r\n" H "\r\n"
		   "POST /p HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	client_expect(&client, "<GET /before>HTTP/1.1 100 Continue\r\n\r\n");
	say_in_pieces(&client, "hello", 1);
	client_expect(&client, "<POST /p hello>");
	client_expect_open(&client);
	client_end(&client);
}

Test(connection, HS_17_no_continue_when_it_would_say_nothing)
{
	static const struct {
		const char *message, *answer;
	} rows[] = {
	    /* the body is here */
	    {"POST /p HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 100-continue\r\n\r\nx",
	     "<POST /p x>"},
	    /* HTTP/1.0 */
	    {"POST /p HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n"
	     "Expect: 100-continue\r\n\r\nx",
	     "<POST /p x>"},
	    /* SL-03, EM-03: refused already */
	    {"POST /p HTTP/1.1\r\n" H "Content-Length: 16385\r\nExpect: 100-continue\r\n\r\n",
	     "<!413$>"},
	};

	kit_start();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct client client = client_new();

		client_say(&client, rows[i].message);
		client_expect(&client, rows[i].answer);
		client_end(&client);
	}
}

/* --- size limits -------------------------------------------------------------------------------
 */

static void expect_refusal(const char *start, size_t n_fill, const char *end, const char *answer)
{
	struct client client = client_new();
	char *fill = malloc(n_fill + 1);

	memset(fill, 'a', n_fill);
	fill[n_fill] = '\0';
	client_say(&client, start);
	client_say(&client, fill);
	client_say(&client, end);
	client_expect(&client, answer);
	client_end(&client);
	free(fill);
}

Test(connection, SL_01_SL_02_SL_03_EM_02_EM_03_size_limits)
{
	kit_start();
	/* 8192 octets of request line are taken, one more is not; nor is one that never ends */
	expect_refusal("GET /", 8192 - 14, " HTTP/1.1\r\n" H "\r\n", "<GET /aaa");
	expect_refusal("GET /", 8193 - 14, " HTTP/1.1\r\n" H "\r\n", "<!414$>");
	expect_refusal("GET /", 20000, "", "<!414$>");
	/* 16384 octets of fields */
	expect_refusal("GET / HTTP/1.1\r\n" H "X: ", 16384 - 9 - 5, "\r\n\r\n", "<GET />");
	expect_refusal("GET / HTTP/1.1\r\n" H "X: ", 16385 - 9 - 5, "\r\n\r\n", "<!431$>");
	/* a body of 16384 octets, declared or not */
	expect_refusal("POST / HTTP/1.1\r\n" H "Content-Length: 16384\r\n\r\n", 16384, "",
		       "<POST / aaa");
	expect_refusal("POST / HTTP/1.1\r\n" H "Content-Length: 16385\r\n\r\n", 16385, "",
		       "<!413$>");
	expect_refusal("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n4001\r\n", 16385,
		       "", "<!413$>");
}

Test(connection, SL_02_no_more_than_64_fields)
{
	char message[2000] = "GET / HTTP/1.1\r\n" H;
	struct client client;

	kit_start();
	for (unsigned i = 1; i < 64; i++)
		strcat(message, "X: y\r\n");
	client = client_new();
	client_say(&client, message);
	client_say(&client, "\r\n");
	client_expect(&client, "<GET />");
	client_say(&client, message);
	client_say(&client, "X: y\r\n\r\n");
	client_expect(&client, "<!431$>");
	client_expect_close(&client);
	client_end(&client);
}

/* A client that is still sending must get the refusal, not a reset that destroys it. */
Test(connection, EM_03_a_refusal_survives_the_body_that_follows_it)
{
	static char body[200000];
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "POST / HTTP/1.1\r\n" H "Content-Length: 200000\r\n\r\n");
	while (list_is_empty(&kit.server->phases[PHASE_LINGERING]))
		kit_turn();
	cr_assert(client_send(&client, body, sizeof(body)));
	client_expect(&client, "<!413$>");
	client_expect_close(&client);
	cr_assert_eq(kit.server->n_connections, 1, "it lingers");
	client_end(&client);
	while (kit.server->n_connections > 0)
		kit_turn();
}

Test(connection, SL_03_lingering_is_bounded_in_octets)
{
	static char body[65536];
	size_t n_sent = 0;
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "POST / HTTP/1.1\r\n" H "Content-Length: 200000\r\n\r\n");
	while (client_send(&client, body, sizeof(body)))
		n_sent += sizeof(body);
	cr_assert_eq(kit.server->n_connections, 0);
	cr_assert_lt(n_sent, 16 << 20, "what the sockets hold, and a little");
	client_end(&client);
}

/* --- order ------------------------------------------------------------------------------------ */

#define GET(target) "GET " target " HTTP/1.1\r\n" H "\r\n"

static const struct connection *only_connection(void)
{
	for (enum phase phase = 0; phase < PHASE_DEAD; phase++) {
		if (!list_is_empty(&kit.server->phases[phase]))
			return LIST_ENTRY(kit.server->phases[phase].next, struct connection, link);
	}
	return NULL;
}

static void wait_until_held(unsigned n)
{
	while (kit.n_held < n)
		kit_turn();
}

Test(connection, HS_19_fifty_pipelined_requests_behind_a_slow_one)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, GET("/hold"));
	for (unsigned i = 1; i < 50; i++)
		client_say(&client, i == 25 ? GET("/hold") : GET("/x"));
	wait_until_held(1);
	cr_assert_eq(kit.n_requests, 1, "one open request at a time");
	kit_release(0);
	client_expect(&client, "<HELD 0>");
	for (unsigned i = 1; i < 25; i++)
		client_expect(&client, "<GET /x>");
	wait_until_held(2);
	client_pull(&client);
	cr_assert_str_eq(client.in, "");
	kit_release(1);
	client_expect(&client, "<HELD 1>");
	for (unsigned i = 26; i < 50; i++)
		client_expect(&client, "<GET /x>");
	client_expect_open(&client);
	client_end(&client);
}

Test(connection, HS_19_read_ahead_is_bounded)
{
	static const char request[] = GET("/x");
	const struct connection *connection;
	size_t len = sizeof(request) - 1, n_sent = 0;
	struct client client;

	kit.limits.max_requests_per_connection = UINT32_MAX;
	kit_start();
	client = client_new();
	client_say(&client, GET("/hold"));
	wait_until_held(1);
	connection = kit.held[0];
	while (connection->watched != 0) {
		ssize_t n = send(client.fd, request + n_sent % len, len - n_sent % len, 0);

		if (n > 0)
			n_sent += (size_t)n;
		else
			kit_turn();
	}
	cr_assert_leq(connection->saved->len, MAX_AHEAD);
	cr_assert_leq(connection->saved->cap, MAX_AHEAD);
	kit_release(0);
	client_expect(&client, "<HELD 0>");
	for (size_t i = 0; i < n_sent / len; i++)
		client_expect(&client, "<GET /x>");
	client_end(&client);
}

Test(connection, nothing_is_read_behind_the_last_answer)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "GET /hold HTTP/1.1\r\n" H "Connection: close\r\n\r\n" GET("/x"));
	wait_until_held(1);
	client_say(&client, GET("/y"));
	kit_release(0);
	client_expect(&client, "<HELD 0$>");
	client_expect_close(&client);
	cr_assert_eq(kit.n_requests, 1);
	client_end(&client);
}

Test(connection, answers_of_a_turn_with_entries_keep_their_order)
{
	struct client client;
	struct slice head = entry_head(kit.entry);

	kit_start();
	client = client_new();
	/* 200 of them are more than one outbox takes */
	for (unsigned i = 0; i < 200; i++)
		client_say(&client, i % 2 ? GET("/x") : GET("/entry"));
	for (unsigned i = 0; i < 200; i++) {
		client_expect(&client, i % 2 ? "<GET /x>" : "<GET /entry>");
		if (i % 2)
			continue;
		while (client.len < head.len + 4) {
			kit_turn();
			client_pull(&client);
		}
		cr_assert_eq(memcmp(client.in, head.p, head.len), 0);
		client.len -= head.len;
		memmove(client.in, client.in + head.len, client.len + 1);
		client_expect(&client, "TAIL");
	}
	client_end(&client);
}

static size_t n_most_pieces;

static void note_pieces(const char *target)
{
	(void)target;
	if (kit.server->outbox.pieces.end > n_most_pieces)
		n_most_pieces = kit.server->outbox.pieces.end;
}

Test(connection, HS_19_answers_of_a_turn_are_written_together)
{
	struct client client;

	kit_start();
	kit.on_answer = note_pieces;
	client = client_new();
	client_say(&client, GET("/1") GET("/2") GET("/3") GET("/4"));
	client_expect(&client, "<GET /1><GET /2><GET /3><GET /4>");
	cr_assert_eq(n_most_pieces, 4);
	client_end(&client);
}

/* A door may answer one connection while another one's request is before it. */
static void release_first(const char *target)
{
	if (strcmp(target, "/release") == 0)
		kit_release(0);
}

Test(connection, an_answer_from_inside_another_connections_turn)
{
	struct client a, b;

	kit_start();
	kit.on_request = release_first;
	a = client_new();
	client_say(&a, GET("/hold") GET("/after"));
	wait_until_held(1);
	b = client_new();
	client_say(&b, GET("/1") GET("/release") GET("/2"));
	client_expect(&b, "<GET /1><GET /release><GET /2>");
	client_expect(&a, "<HELD 0><GET /after>");
	client_expect_open(&a);
	client_expect_open(&b);
	client_end(&a);
	client_end(&b);
}

/* --- slow and vanishing clients --------------------------------------------------------------- */

/* Of a server whose sockets take little. */
static struct client slow_client(void)
{
	int small = 4096;

	cr_assert_eq(setsockopt(kit.listening, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	return client_new();
}

/* Pipelines requests for entries until the server neither reads nor writes any more. */
static void flood_until_stopped(struct client *client)
{
	static const char request[] = GET("/entry");
	unsigned n_before = 0;
	size_t at = 0;

	while (list_is_empty(&kit.server->phases[PHASE_WRITING]) || kit.n_requests != n_before) {
		ssize_t n = send(client->fd, request + at, sizeof(request) - 1 - at, MSG_NOSIGNAL);

		if (n > 0) {
			at = (at + (size_t)n) % (sizeof(request) - 1);
			continue;
		}
		n_before = kit.n_requests;
		kit_turn();
		cr_assert_leq(atomic_load(&kit.entry->n_refs), OUTBOX_ANSWERS + 2);
	}
}

Test(connection, SL_07_a_slow_reader_stops_the_reading)
{
	struct client client;
	unsigned n_before, n_answers;
	size_t answer_len = strlen("<GET /entry>") + 500 + strlen("TAIL");

	kit.limits.max_requests_per_connection = UINT32_MAX;
	kit_start();
	client = slow_client();
	flood_until_stopped(&client);
	n_before = kit.n_requests;
	for (n_answers = 0; n_answers < n_before; n_answers++) {
		client_expect(&client, "<GET /entry>");
		while (client.len < answer_len - strlen("<GET /entry>")) {
			kit_turn();
			client_pull(&client);
		}
		client.len -= answer_len - strlen("<GET /entry>");
		memmove(client.in, client.in + answer_len - strlen("<GET /entry>"), client.len + 1);
	}
	client_end(&client);
}

Test(connection, a_client_that_resets_while_answers_wait_for_it)
{
	struct client client;
	struct linger abort = {.l_onoff = 1};

	kit.limits.max_requests_per_connection = UINT32_MAX;
	kit_start();
	client = slow_client();
	flood_until_stopped(&client);
	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	client_end(&client);
	while (kit.server->n_connections > 0)
		kit_turn();
	cr_assert_eq(kit.n_gone, 0, "no request was open");
}

Test(connection, the_door_is_told_when_a_waiting_client_is_gone)
{
	struct client client;
	struct linger abort = {.l_onoff = 1};

	kit_start();
	client = client_new();
	client_say(&client, GET("/hold"));
	wait_until_held(1);
	setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	client_end(&client);
	while (kit.n_gone == 0)
		kit_turn();
	cr_assert_eq(kit.gone_context, &kit.held[0]);
	cr_assert_eq(kit.server->n_connections, 0);
}

/* RFC 9112 9.6: to end one's own side is no reason not to be answered. */
Test(connection, a_client_that_ends_its_side_still_gets_its_answers)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, GET("/hold") GET("/x"));
	shutdown(client.fd, SHUT_WR);
	wait_until_held(1);
	while (only_connection()->watched != 0)
		kit_turn();
	kit_release(0);
	client_expect(&client, "<HELD 0><GET /x>");
	client_expect_close(&client);
	cr_assert_eq(kit.server->n_connections, 0, "both sides have ended");
	cr_assert_eq(kit.n_gone, 0);
	client_end(&client);
}

Test(connection, a_client_that_ends_in_the_middle_of_a_request_gets_nothing)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "GET /x HT");
	shutdown(client.fd, SHUT_WR);
	client_expect_close(&client);
	cr_assert_eq(kit.n_requests, 0);
	client_end(&client);
}

/* P6: libevent keeps a list head per descriptor (two pointers and counters in a block of its own,
 * and a pointer to it); the table of addresses has at most one block per connection. */
Test(connection, P6_an_idle_connection_takes_at_most_600_octets)
{
	size_t block = 16, evmap = 32 + block + sizeof(void *), address = 64 + block;

	cr_assert_leq(sizeof(struct connection) + block + evmap + address, 600);
}
