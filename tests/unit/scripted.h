/* SPDX-License-Identifier: ISC */
/*
 * A responder that does what a script says: one thread on 127.0.0.1 that reads requests and, for
 * each in order of arrival, does the next step. What it was sent can be read after scripted_stop.
 */
#ifndef OCSPRELAY_TESTS_SCRIPTED_H
#define OCSPRELAY_TESTS_SCRIPTED_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCRIPTED_MAX 64

enum scripted_act {
	STEP_ANSWER, /* and keep the connection */
	STEP_LAST,   /* answer and close */
	STEP_DROP,   /* close without an answer */
	STEP_HANG    /* never answer */
};

struct scripted_step {
	enum scripted_act act;
	const char *text;
	size_t len; /* 0: that of the text */
};

struct scripted_connection {
	int fd; /* -1: closed */
	size_t len;
	char text[8192];
};

struct scripted {
	const struct scripted_step *steps;
	unsigned n_steps;
	unsigned hold; /* answers wait until so many requests have come */
	int listener, bell[2];
	pthread_t thread;
	unsigned port;
	struct scripted_connection connections[SCRIPTED_MAX];
	unsigned n_connections;
	struct scripted_request {
		unsigned connection; /* in order of acceptance */
		char text[8192];
	} requests[SCRIPTED_MAX];
	unsigned n_requests, n_done;
};

static void scripted_close(struct scripted_connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
}

static void scripted_do(struct scripted_connection *connection, const struct scripted_step *step)
{
	size_t len = step->len ? step->len : strlen(step->text ? step->text : "");

	if (step->act == STEP_HANG)
		return;
	if (step->act != STEP_DROP)
		cr_assert_eq(send(connection->fd, step->text, len, MSG_NOSIGNAL), (ssize_t)len);
	if (step->act != STEP_ANSWER)
		scripted_close(connection);
}

/* Octets of the request at the front of text, 0 if it is not whole yet. */
static size_t scripted_whole(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");
	size_t body_len = 0;

	if (!end)
		return 0;
	if (length && length < end)
		body_len = (size_t)strtoul(length + 15, NULL, 10);
	return (size_t)(end + 4 - text) + body_len;
}

static void scripted_read(struct scripted *server, unsigned i)
{
	struct scripted_connection *connection = &server->connections[i];
	size_t whole;
	ssize_t n = read(connection->fd, connection->text + connection->len,
			 sizeof(connection->text) - 1 - connection->len);

	if (n <= 0) {
		scripted_close(connection);
		return;
	}
	connection->len += (size_t)n;
	connection->text[connection->len] = '\0';
	whole = scripted_whole(connection->text);
	if (whole == 0 || whole > connection->len)
		return;
	cr_assert_lt(server->n_requests, server->n_steps, "a request too many: %s",
		     connection->text);
	memcpy(server->requests[server->n_requests].text, connection->text, whole);
	server->requests[server->n_requests++].connection = i;
	connection->len = 0;
	if (server->n_requests < server->hold)
		return;
	for (; server->n_done < server->n_requests; server->n_done++)
		scripted_do(&server->connections[server->requests[server->n_done].connection],
			    &server->steps[server->n_done]);
}

static void *scripted_run(void *arg)
{
	struct scripted *server = arg;

	for (;;) {
		struct pollfd polls[SCRIPTED_MAX + 2] = {
		    {.fd = server->bell[0], .events = POLLIN},
		    {.fd = server->listener, .events = POLLIN},
		};
		unsigned i, n = server->n_connections;

		for (i = 0; i < n; i++)
			polls[i + 2] =
			    (struct pollfd){.fd = server->connections[i].fd, .events = POLLIN};
		poll(polls, n + 2, -1);
		if (polls[0].revents)
			return NULL;
		for (i = 0; i < n; i++) {
			if (polls[i + 2].revents && server->connections[i].fd >= 0)
				scripted_read(server, i);
		}
		if (polls[1].revents)
			server->connections[server->n_connections++].fd =
			    accept(server->listener, NULL, NULL);
	}
}

static struct scripted *scripted_start(const struct scripted_step *steps, unsigned n_steps,
				       unsigned hold)
{
	struct scripted *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);

	server->steps = steps;
	server->n_steps = n_steps;
	server->hold = hold;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(server->listener, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(server->listener, SCRIPTED_MAX), 0);
	cr_assert_eq(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	cr_assert_eq(pipe(server->bell), 0);
	cr_assert_eq(pthread_create(&server->thread, NULL, scripted_run, server), 0);
	return server;
}

/* What was sent stays readable until scripted_free. */
static void scripted_stop(struct scripted *server)
{
	unsigned i;

	cr_assert_eq(write(server->bell[1], "", 1), 1);
	pthread_join(server->thread, NULL);
	for (i = 0; i < server->n_connections; i++) {
		if (server->connections[i].fd >= 0)
			close(server->connections[i].fd);
	}
	close(server->listener);
	close(server->bell[0]);
	close(server->bell[1]);
}

static void scripted_free(struct scripted *server)
{
	free(server);
}

#endif
