/* SPDX-License-Identifier: ISC */
/* Sockets, clock, files and serial numbers of the benchmark's programs. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PER_ADDRESS 20000 /* local ports of one address that are used */

void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(uint16_t port, unsigned host)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host)};
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

int net_listen(uint16_t port)
{
	const struct sockaddr_in address = loopback(port, 0);
	int fd = new_socket();

	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 4096) != 0)
		fail("listen");
	return fd;
}

int net_connect(uint16_t port, unsigned number)
{
	const struct sockaddr_in from = loopback(0, number / PER_ADDRESS), to = loopback(port, 0);
	int fd = new_socket(), on = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) != 0 ||
	    (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS))
		fail("connect");
	return fd;
}

int net_connect_blocking(uint16_t port, unsigned number)
{
	struct pollfd ready = {.fd = net_connect(port, number), .events = POLLOUT};

	if (poll(&ready, 1, -1) != 1 || fcntl(ready.fd, F_SETFL, 0) != 0)
		fail("connect");
	return ready.fd;
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put_64(uint8_t *dst, uint64_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 8)
		dst[i] = (uint8_t)n;
}

/* Scrambled in front, so that numbers one after the other do not look alike; positive. */
void serial_put(uint8_t dst[SERIAL_LEN], uint64_t index)
{
	uint64_t z = (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	put_64(dst, (z ^ z >> 27) >> 2 | UINT64_C(1) << 62);
	put_64(dst + 8, index);
}

uint64_t serial_index(const uint8_t serial[SERIAL_LEN])
{
	uint64_t index = 0;

	for (int i = 8; i < SERIAL_LEN; i++)
		index = index << 8 | serial[i];
	return index;
}

const void *map_file(const char *directory, const char *name, size_t *out_len)
{
	char path[PATH_SIZE];
	struct stat stat;
	void *octets;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) != 0)
		fail(path);
	octets = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (octets == MAP_FAILED)
		fail(path);
	close(fd);
	*out_len = (size_t)stat.st_size;
	return octets;
}
