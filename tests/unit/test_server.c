/* SPDX-License-Identifier: ISC */
/* The server: who may connect, how long things may take, and how it ends. */
#include <sys/resource.h>
#include <sys/un.h>

#include "base/counters.h"
#include "server_kit.h"

#define H	    "Host: a\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" H "\r\n"

TestSuite(server, .init = kit_open, .fini = kit_close);

static void wait_for_connections(size_t n)
{
	while (kit.server->n_connections != n)
		kit_turn();
}

static void wait_until_held(unsigned n)
{
	while (kit.n_held < n)
		kit_turn();
}

/* --- time limits ------------------------------------------------------------------------------ */

Test(server, SL_07_HS_32_a_connection_without_request_is_closed_silently)
{
	struct client client;

	kit.limits.idle_timeout = 20;
	kit_start();
	client = client_new();
	client_expect_close(&client);
	client_end(&client);
	client = client_new();
	client_say(&client, GET("/x"));
	client_expect(&client, "<GET /x>");
	client_expect_close(&client);
	client_end(&client);
}

/* An octet per millisecond does not prolong the time for a head. */
Test(server, SL_07_HS_32_slowloris_gets_408)
{
	int64_t ms_sent = 0;
	struct client client;

	kit.limits.header_timeout = 60;
	kit_start();
	client = client_new();
	client_say(&client, "GET /x HTTP/1.1\r\nX: ");
	for (; client.len == 0 && !client.is_reset; client_pull(&client)) {
		if (clock_mono_ms() > ms_sent)
			cr_assert(client_send(&client, "x", 1));
		ms_sent = clock_mono_ms();
		kit_turn();
	}
	client_expect(&client, "<!408$>");
	client_expect_close(&client);
	client_end(&client);
}

Test(server, SL_07_HS_32_a_body_that_does_not_come_gets_408)
{
	struct client client;

	kit.limits.body_timeout = 20;
	kit_start();
	client = client_new();
	client_say(&client, "POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhell");
	client_expect(&client, "<!408$>");
	client_expect_close(&client);
	client_end(&client);
}

Test(server, SL_07_the_time_for_a_head_starts_anew_with_each_request)
{
	static const char head[] = GET("/x");
	int64_t ms_start;
	struct client client;

	kit.limits.header_timeout = 400;
	kit_start();
	client = client_new();
	ms_start = clock_mono_ms();
	/* The end of each request comes together with the start of the next. */
	cr_assert(client_send(&client, head, 5));
	while (clock_mono_ms() - ms_start < 600) {
		kit_turn();
		client_say(&client, head + 5);
		cr_assert(client_send(&client, head, 5));
		client_expect(&client, "<GET /x>");
	}
	client_end(&client);
}

Test(server, SL_07_a_client_that_does_not_read_is_dropped)
{
	static const char request[] = GET("/entry");
	struct client client;
	int small = 4096;

	kit.limits.write_timeout = 50;
	kit.limits.max_requests_per_connection = UINT32_MAX;
	kit_start();
	setsockopt(kit.listening, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	client = client_new();
	wait_for_connections(1);
	/* client_send runs the loop while the server reads nothing. */
	while (client_send(&client, request, sizeof(request) - 1))
		continue;
	cr_assert_eq(kit.server->n_connections, 0);
	client_end(&client);
}

Test(server, SL_07_a_client_that_does_not_close_is_closed)
{
	struct client client;

	kit_start();
	client = client_new();
	client_say(&client, "GET /x HTTP/1.0\r\n\r\n");
	client_expect(&client, "<GET /x$>");
	client_expect_close(&client);
	wait_for_connections(0); /* LINGER_MS later */
	client_end(&client);
}

Test(server, SL_07_no_more_than_so_many_requests)
{
	struct client client;

	kit.limits.max_requests_per_connection = 3;
	kit_start();
	client = client_new();
	client_say(&client, GET("/1") GET("/2") GET("/3") GET("/4"));
	client_expect(&client, "<GET /1><GET /2><GET /3$>");
	client_expect_close(&client);
	client_end(&client);
}

Test(server, a_request_that_waits_is_under_no_limit_of_ours)
{
	struct client client, other;

	kit.limits.header_timeout = kit.limits.body_timeout = kit.limits.idle_timeout = 20;
	kit_start();
	client = client_new();
	client_say(&client, GET("/hold"));
	wait_until_held(1);
	other = client_new();
	client_expect_close(&other); /* so that much time has passed */
	kit_release(0);
	client_expect(&client, "<HELD 0>");
	client_end(&client);
	client_end(&other);
}

/* --- how many --------------------------------------------------------------------------------- */

Test(server, SL_06_three_hundred_from_one_address)
{
	static struct client clients[300];
	unsigned n_closed = 0;

	kit_start();
	for (unsigned i = 0; i < 300; i++)
		clients[i] = client_new();
	while (counter_sum(METRIC_CONNECTIONS_REFUSED, 0, 0, 0) < 44)
		kit_turn();
	cr_assert_eq(kit.server->n_connections, 256);
	cr_assert_eq(counter_sum(METRIC_CONNECTIONS, 0, 0, 0), 256);
	cr_assert_eq(counter_sum(METRIC_CONNECTIONS_TOTAL, 0, 0, 0), 256);
	for (unsigned i = 0; i < 300; i++) {
		client_pull(&clients[i]);
		n_closed += clients[i].is_closed || clients[i].is_reset;
	}
	cr_assert_eq(n_closed, 44);
	client_expect_open(&clients[0]);
	for (unsigned i = 0; i < 300; i++)
		client_end(&clients[i]);
	wait_for_connections(0);
	cr_assert_eq(counter_sum(METRIC_CONNECTIONS, 0, 0, 0), 0);
}

Test(server, SL_06_the_one_idle_for_longest_makes_room)
{
	struct client clients[3], fourth;

	kit.limits.max_connections = 3;
	kit_start();
	for (unsigned i = 0; i < 3; i++) {
		clients[i] = client_new();
		client_expect_open(&clients[i]);
	}
	client_expect_open(&clients[0]);
	fourth = client_new();
	client_expect_open(&fourth);
	client_expect_close(&clients[1]);
	client_expect_open(&clients[0]);
	client_expect_open(&clients[2]);
	for (unsigned i = 0; i < 3; i++)
		client_end(&clients[i]);
	client_end(&fourth);
}

Test(server, SL_06_a_request_under_way_is_not_sacrificed)
{
	struct client client, second;

	kit.limits.max_connections = 1;
	kit_start();
	client = client_new();
	client_say(&client, GET("/hold"));
	wait_until_held(1);
	second = client_new();
	client_expect_close(&second);
	kit_release(0);
	client_expect(&client, "<HELD 0>");
	client_end(&client);
	client_end(&second);
}

Test(server, networks_that_are_not_allowed_are_disconnected)
{
	static char *others[] = {(char *)(uintptr_t) "10.0.0.0/8"};
	struct networks *allow;
	struct client before, after;
	size_t bad;

	kit_start();
	before = client_new();
	client_expect_open(&before);
	cr_assert_eq(networks_new(&(struct text_list){others, 1}, &allow, &bad), OK);
	server_set_limits(kit.server, &kit.limits, allow);
	after = client_new();
	client_expect_close(&after);
	client_expect_open(&before);
	cr_assert_eq(counter_sum(METRIC_CONNECTIONS_REFUSED, 0, 0, 0), 1);
	client_end(&before);
	client_end(&after);
	wait_for_connections(0);
	networks_free(allow);
}

Test(server, without_descriptors_accepting_pauses_and_goes_on)
{
	struct client client, second;
	struct rlimit old, none;

	kit_start();
	client = client_new();
	client_expect_open(&client);
	second = client_new();
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)second.fd + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	client_say(&second, GET("/x"));
	while (!kit.server->is_paused)
		kit_turn();
	client_expect_open(&client);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	client_expect(&second, "<GET /x>");
	client_end(&client);
	client_end(&second);
}

Test(server, new_limits_are_taken_up)
{
	static struct settings_limits limits;
	struct client client;

	kit_start();
	client = client_new();
	client_expect_open(&client);
	limits = kit.limits;
	limits.max_request_line = 256;
	limits.idle_timeout = 20;
	server_set_limits(kit.server, &limits, kit.allow);
	client_expect_close(&client);
	client_end(&client);
}

/* --- whom --------------------------------------------------------------------------------------
 */

static void expect_peer(const char *peer)
{
	struct client client = client_new();

	client_expect_open(&client);
	cr_assert_str_eq(kit.peer, peer);
	client_end(&client);
}

Test(server, the_peer_is_told_by_address)
{
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un path = {.sun_family = AF_UNIX};

	kit_start();
	/* The server listens on all of them until the test ends. */
	expect_peer("127.0.0.1");
	kit_listen(AF_INET6, (struct sockaddr *)&mapped, sizeof(mapped));
	expect_peer("::1");
	/* abstract: leaves no file */
	snprintf(path.sun_path + 1, sizeof(path.sun_path) - 1, "ocsprelay-test-%d", (int)getpid());
	kit_listen(AF_UNIX, (struct sockaddr *)&path, sizeof(path));
	expect_peer("unix");
}

/* --- the end -----------------------------------------------------------------------------------
 */

Test(server, EM_25_draining_answers_what_is_open_and_closes)
{
	struct client idle, waiting, partial, sent;

	kit_start();
	idle = client_new();
	client_expect_open(&idle);
	waiting = client_new();
	client_say(&waiting, GET("/hold") GET("/x"));
	wait_until_held(1);
	partial = client_new();
	client_say(&partial, "GET /late");
	wait_for_connections(3);
	while (list_is_empty(&kit.server->phases[PHASE_HEAD]))
		kit_turn();
	sent = client_new();
	wait_for_connections(4);
	client_say(&sent, GET("/sent")); /* before the drain, read after it */

	server_drain(kit.server);
	client_expect_close(&idle);
	client_expect(&sent, "<GET /sent$>");
	client_expect_close(&sent);
	kit_release(0);
	client_expect(&waiting, "<HELD 0$>");
	client_expect_close(&waiting);
	client_say(&partial, " HTTP/1.1\r\n" H "\r\n");
	client_expect(&partial, "<GET /late$>");
	client_expect_close(&partial);
	cr_assert_eq(kit.n_drained, 0, "they linger");
	client_end(&idle);
	client_end(&waiting);
	client_end(&partial);
	client_end(&sent);
	while (kit.n_drained == 0)
		kit_turn();
	cr_assert_eq(kit.server->n_connections, 0);
}

Test(server, EM_25_draining_without_connections_ends_in_a_later_turn)
{
	kit_start();
	server_drain(kit.server);
	cr_assert_eq(kit.n_drained, 0);
	while (kit.n_drained == 0)
		kit_turn();
	server_drain(kit.server);
	kit_turn();
	cr_assert_eq(kit.n_drained, 1, "once");
}

static void drain(const char *target)
{
	if (strcmp(target, "/drain") == 0)
		server_drain(kit.server);
}

/* What has been answered already said that it would stay open, and is closed all the same. */
Test(server, EM_25_draining_after_the_last_answer_of_a_turn)
{
	struct client client;

	kit_start();
	kit.on_answer = drain;
	client = client_new();
	client_say(&client, GET("/drain"));
	client_expect(&client, "<GET /drain>");
	client_expect_close(&client);
	client_end(&client);
	while (kit.n_drained == 0)
		kit_turn();
}

Test(server, EM_25_draining_from_inside_a_request)
{
	struct client client;

	kit_start();
	kit.on_request = drain;
	client = client_new();
	client_say(&client, GET("/1") GET("/drain") GET("/2"));
	client_expect(&client, "<GET /1><GET /drain$>");
	client_expect_close(&client);
	client_end(&client);
	while (kit.n_drained == 0)
		kit_turn();
}

Test(server, freeing_it_abandons_open_requests)
{
	struct client clients[2];

	kit_start();
	for (unsigned i = 0; i < 2; i++) {
		clients[i] = client_new();
		client_say(&clients[i], GET("/hold") GET("/x"));
	}
	wait_until_held(2);
	server_free(kit.server);
	kit.server = NULL;
	cr_assert_eq(kit.n_gone, 2);
	for (unsigned i = 0; i < 2; i++)
		client_end(&clients[i]);
}
