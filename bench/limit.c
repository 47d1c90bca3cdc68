/* SPDX-License-Identifier: ISC */
/*
 * The limit: what moving the bytes costs and nothing else. One epoll loop that reads whatever comes
 * and writes a ready answer, without looking at what was asked; the benchmark holds every server
 * against it.  limit PORT ANSWER-FILE; prints "ready" when it listens.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ANSWER 65536

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_on(uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 1024) != 0)
		fail("listen");
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

static bool answer(int fd, const char *bytes, size_t len)
{
	char request[65536];
	ssize_t n = read(fd, request, sizeof(request));

	return n > 0 && write(fd, bytes, len) == (ssize_t)len;
}

int main(int argc, char **argv)
{
	static char bytes[MAX_ANSWER];
	struct epoll_event events[256];
	int listener, epoll = epoll_create1(0), on = 1;
	size_t len;
	FILE *file;

	if (argc != 3 || (file = fopen(argv[2], "rb")) == NULL)
		return 64;
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	listener = listen_on((uint16_t)atoi(argv[1]));
	watch(epoll, listener);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, 256, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener) {
				fd = accept(listener, NULL, NULL);
				if (fd < 0)
					continue;
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
				watch(epoll, fd);
			} else if (!answer(fd, bytes, len)) {
				close(fd);
			}
		}
	}
}
