/* SPDX-License-Identifier: ISC */
/*
 * The load generator for what wrk does not do: requests for many certificates, and a fixed
 *schedule.
 *
 *	drive -p PORT -d DIRECTORY [-c CONNECTIONS] [-s SECONDS] [-n REQUESTS] [-r PER-SECOND]
 *	      [-f FIRST] [-k CERTIFICATES] [-z EXPONENT] [-i IDLE] [-m HEAD]
 *
 * Asks by GET (or HEAD) for CERTIFICATES of material.c's from number FIRST on, one after the other,
 *or as often as Zipf's law says with -z. Without -r each connection asks again as soon as it has
 *its answer. With -r requests fall due by the clock, whoever is still waiting, and the time of an
 * answer counts from then on: a server that stops for a while does not slow down the clock. Before
 * that, IDLE further connections are opened, which ask once and stay. Prints "begin" when it
 *begins, ends after SECONDS or REQUESTS, whichever comes first, and prints one line of NAME=VALUE;
 *times in microseconds. Its connections stay open until its standard input ends.
 */
#include "drive.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PATIENCE INT64_C(20000000000) /* for the last answers, in ns */

static struct options options = {.seconds = 1e9, .method = "GET"};
static struct connection *connections, **idle; /* idle: a stack */
static size_t n_idle;
static uint64_t n_started, n_ended, n_refused, n_reconnects;
static int64_t start;
static bool is_head;
static int epoll, timer;
static struct choice choice;
static struct times times;

/* When the request of that number falls due. */
static int64_t due_at(uint64_t number)
{
	return start + (int64_t)((double)number * 1e9 / options.rate);
}

static bool is_over(void)
{
	return n_started >= options.n_requests ||
	       (options.rate > 0 ? due_at(n_started) : now_ns()) - start >=
		   (int64_t)(options.seconds * 1e9);
}

static void open_connection(struct connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

	connection->fd = net_connect(options.port, connection->number);
	connection->answer_len = 0;
	connection->is_open = false;
	event.events = EPOLLIN | EPOLLOUT;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
		fail("epoll_ctl");
}

static void ask(struct connection *connection, int64_t due)
{
	char request[MAX_REQUEST];
	const size_t len = choice_next(&choice, request);

	connection->due = due;
	connection->answer_len = 0;
	n_started++;
	if (send(connection->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		shutdown(connection->fd, SHUT_RDWR);
}

/* What is due goes out over the connections that have nothing to do. */
static void ask_due(void)
{
	struct itimerspec next = {.it_value.tv_nsec = 1};
	int64_t now = now_ns();

	while (n_idle > 0 && !is_over()) {
		int64_t due = options.rate > 0 ? due_at(n_started) : now;

		if (due > now) {
			next.it_value.tv_sec = due / 1000000000;
			next.it_value.tv_nsec = due % 1000000000;
			timerfd_settime(timer, TFD_TIMER_ABSTIME, &next, NULL);
			return;
		}
		ask(idle[--n_idle], due);
	}
}

static void end_answer(struct connection *connection, bool is_good)
{
	times_add(&times, now_ns() - connection->due);
	n_ended++;
	n_refused += !is_good;
	connection->due = 0;
	idle[n_idle++] = connection;
}

/* Another one in its place; a request that was under way is lost. */
static void reopen(struct connection *connection)
{
	if (connection->due != 0) {
		n_ended++;
		n_refused++;
		connection->due = 0;
	} else {
		for (size_t i = 0; i < n_idle; i++)
			if (idle[i] == connection)
				idle[i] = idle[--n_idle];
	}
	n_reconnects++;
	close(connection->fd);
	open_connection(connection);
}

static void on_ready(struct connection *connection, uint32_t events)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	bool is_good;
	ssize_t n;

	if (!connection->is_open && (events & EPOLLOUT) && !(events & (EPOLLERR | EPOLLHUP))) {
		connection->is_open = true;
		epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
		idle[n_idle++] = connection;
		return;
	}
	n = read(connection->fd, connection->answer + connection->answer_len,
		 MAX_ANSWER - 1 - connection->answer_len);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		reopen(connection);
		return;
	}
	connection->answer_len += (size_t)n;
	if (connection->due != 0 && answer_is_whole(connection, is_head, &is_good))
		end_answer(connection, is_good);
}

static void turn(int milliseconds)
{
	struct epoll_event events[256];
	int n = epoll_wait(epoll, events, 256, milliseconds);

	for (int i = 0; i < n; i++) {
		uint64_t count;

		if (events[i].data.ptr != NULL)
			on_ready(events[i].data.ptr, events[i].events);
		else if (read(timer, &count, sizeof(count)) < 0 && errno != EAGAIN)
			fail("read");
	}
}

/* Opened, asked once and left alone: as browsers do. */
static void open_idle(void)
{
	struct connection connection = {.fd = -1};
	char request[MAX_REQUEST];
	bool is_good;

	for (unsigned i = 0; i < options.n_idle; i++) {
		const size_t len = choice_next(&choice, request);
		ssize_t n;

		connection.fd = net_connect_blocking(options.port, options.n_connections + i);
		connection.answer_len = 0;
		if (send(connection.fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
			fail("send");
		do {
			n = read(connection.fd, connection.answer + connection.answer_len,
				 MAX_ANSWER - 1 - connection.answer_len);
			if (n <= 0)
				fail("an idle connection");
			connection.answer_len += (size_t)n;
		} while (!answer_is_whole(&connection, is_head, &is_good));
	}
}

static void run(void)
{
	int64_t end;

	puts("begin");
	fflush(stdout);
	start = now_ns();
	while (!is_over()) {
		ask_due();
		turn(100);
	}
	end = now_ns() + PATIENCE;
	while (n_ended < n_started && now_ns() < end)
		turn(100);
	printf("requests=%llu refused=%llu lost=%llu reconnects=%llu seconds=%.3f ",
	       (unsigned long long)n_ended, (unsigned long long)n_refused,
	       (unsigned long long)(n_started - n_ended), (unsigned long long)n_reconnects,
	       (double)(now_ns() - start) / 1e9);
	times_print(&times);
	fflush(stdout);
}

/* Each is a number, but for the two that are text. */
static void read_options(int argc, char **argv)
{
	double port = 0, n_requests = 0, first = 0, n_idle_ones = 0, n_connections = 64,
	       n_certificates = 1;
	const struct {
		char letter;
		double *number;
		const char **text;
	} rows[] = {
	    {'c', &n_connections, NULL},
	    {'d', NULL, &options.directory},
	    {'f', &first, NULL},
	    {'i', &n_idle_ones, NULL},
	    {'k', &n_certificates, NULL},
	    {'m', NULL, &options.method},
	    {'n', &n_requests, NULL},
	    {'p', &port, NULL},
	    {'r', &options.rate, NULL},
	    {'s', &options.seconds, NULL},
	    {'z', &options.exponent, NULL},
	};
	int letter;

	while ((letter = getopt(argc, argv, "c:d:f:i:k:m:n:p:r:s:z:")) != -1) {
		size_t i = 0;

		while (i < sizeof(rows) / sizeof(rows[0]) && rows[i].letter != letter)
			i++;
		if (i == sizeof(rows) / sizeof(rows[0]))
			exit(64);
		if (rows[i].text != NULL)
			*rows[i].text = optarg;
		else
			*rows[i].number = atof(optarg);
	}
	if (port < 1 || port > 65535 || options.directory == NULL)
		exit(64);
	options.port = (uint16_t)port;
	options.n_connections = (unsigned)n_connections;
	options.n_idle = (unsigned)n_idle_ones;
	options.first = (uint64_t)first;
	options.n_certificates = (uint64_t)n_certificates;
	options.n_requests = n_requests > 0 ? (uint64_t)n_requests : UINT64_MAX;
	is_head = strcmp(options.method, "HEAD") == 0;
}

int main(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	struct rlimit limit;
	char ignored;

	read_options(argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	choice_init(&choice, &options);
	epoll = epoll_create1(0);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	connections = calloc(options.n_connections, sizeof(*connections));
	idle = calloc(options.n_connections, sizeof(struct connection *));
	if (connections == NULL || idle == NULL ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) != 0)
		fail("drive");
	open_idle();
	for (unsigned i = 0; i < options.n_connections; i++) {
		connections[i].number = i;
		open_connection(&connections[i]);
	}
	while (n_idle < options.n_connections)
		turn(100);
	run();
	while (read(STDIN_FILENO, &ignored, 1) > 0)
		;
	return 0;
}
