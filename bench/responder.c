/* SPDX-License-Identifier: ISC */
/*
 * A responder that costs next to nothing: it finds the serial number in a request, by GET or POST,
 * and sends the ready response for it, at once or, for those from number FIRST on, so many
 * milliseconds later.
 *
 *	responder PORT DIRECTORY [DELAY-MS FIRST]
 *
 * One request at a time on a connection, as libcurl and nginx send them; of at most 8 KiB.
 */
#include "net.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 65536 /* by descriptor */
#define MAX_REQUEST	8192

struct connection {
	unsigned generation; /* which of those that had this descriptor */
	size_t len;
	char *octets; /* MAX_REQUEST, kept for the next one */
};

struct due {
	int64_t at;
	uint64_t index;
	int fd;
	unsigned generation;
};

static struct connection connections[MAX_CONNECTIONS];
static struct due queue[MAX_CONNECTIONS]; /* in order: the delay is always the same */
static unsigned queue_first, queue_end;
static const struct answers *answers;
static int64_t delay;
static uint64_t first_delayed;
static int epoll;

static void send_answer(int fd, uint64_t index)
{
	const struct answer *answer =
	    (const void *)((const uint8_t *)(answers + 1) + index * answers->slot);
	char octets[65536];
	size_t len;

	len = (size_t)snprintf(octets, sizeof(octets),
			       "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n"
			       "Content-Length: %u\r\n\r\n",
			       answer->len);
	memcpy(octets + len, answer->der, answer->len);
	len += answer->len;
	if (send(fd, octets, len, MSG_NOSIGNAL) != (ssize_t)len)
		shutdown(fd, SHUT_RDWR);
}

static void answer_later(int fd, uint64_t index)
{
	if (delay == 0 || index < first_delayed) {
		send_answer(fd, index);
		return;
	}
	queue[queue_end++ % MAX_CONNECTIONS] =
	    (struct due){now_ns() + delay, index, fd, connections[fd].generation};
}

/* Milliseconds until the next one, -1: none. */
static int send_due(void)
{
	while (queue_first != queue_end) {
		const struct due *due = &queue[queue_first % MAX_CONNECTIONS];
		int64_t left = due->at - now_ns();

		if (left > 0)
			return (int)(left / 1000000 + 1);
		if (due->generation == connections[due->fd].generation)
			send_answer(due->fd, due->index);
		queue_first++;
	}
	return -1;
}

static int sextet(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = memchr(digits, c, 64);

	return at ? (int)(at - digits) : -1;
}

/* Base64 with %XX in it, up to a blank. */
static size_t decode_target(const char *text, uint8_t *der)
{
	unsigned bits = 0, n_bits = 0;
	size_t len = 0;

	for (; *text != ' ' && *text != '\0'; text++) {
		char c = *text, hex[3] = {0};
		int value;

		if (c == '%' && text[1] && text[2]) {
			memcpy(hex, text + 1, 2);
			c = (char)strtoul(hex, NULL, 16);
			text += 2;
		}
		value = sextet(c);
		if (value < 0)
			continue;
		bits = bits << 6 | (unsigned)value;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			der[len++] = (uint8_t)(bits >> n_bits);
		}
	}
	return len;
}

/* The serial number stands at the end of a request without extensions. */
static void on_request(int fd, const uint8_t *der, size_t len)
{
	const uint64_t index = len > SERIAL_LEN ? serial_index(der + len - SERIAL_LEN) : UINT64_MAX;

	if (index < answers->count)
		answer_later(fd, index);
	else
		shutdown(fd, SHUT_RDWR);
}

static void on_octets(int fd, struct connection *connection)
{
	uint8_t der[MAX_REQUEST];
	char *octets = connection->octets, *body, *length;
	size_t body_len = 0;

	octets[connection->len] = '\0';
	body = memmem(octets, connection->len, "\r\n\r\n", 4);
	if (body == NULL)
		return;
	body += 4;
	length = strcasestr(octets, "\r\nContent-Length:");
	if (length != NULL && length < body)
		body_len = strtoul(length + 17, NULL, 10);
	if ((size_t)(octets + connection->len - body) < body_len)
		return;
	connection->len = 0;
	if (*octets == 'G')
		on_request(fd, der, decode_target(octets + 5, der));
	else
		on_request(fd, (const uint8_t *)body, body_len);
}

static void read_request(int fd)
{
	struct connection *connection = &connections[fd];
	ssize_t n =
	    read(fd, connection->octets + connection->len, MAX_REQUEST - 1 - connection->len);

	if (n <= 0) {
		connection->generation++;
		close(fd);
		return;
	}
	connection->len += (size_t)n;
	on_octets(fd, connection);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

		if (fd >= MAX_CONNECTIONS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
			close(fd);
			continue;
		}
		connections[fd].len = 0;
		if (connections[fd].octets == NULL &&
		    (connections[fd].octets = malloc(MAX_REQUEST)) == NULL)
			fail("malloc");
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[256], event = {.events = EPOLLIN};
	int listener;
	size_t len;

	if (argc != 3 && argc != 5)
		return 64;
	answers = map_file(argv[2], "answers", &len);
	if (argc == 5) {
		delay = (int64_t)atoi(argv[3]) * 1000000;
		first_delayed = strtoull(argv[4], NULL, 10);
	}
	epoll = epoll_create1(0);
	event.data.fd = listener = net_listen((uint16_t)atoi(argv[1]));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
		fail("epoll_ctl");
	for (;;) {
		int n = epoll_wait(epoll, events, 256, send_due());

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(listener);
			else
				read_request(events[i].data.fd);
		}
	}
}
