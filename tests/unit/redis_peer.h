/* SPDX-License-Identifier: ISC */
/* A server on loopback that says what a script says: one thread, one connection after the other. */
#ifndef OCSPRELAY_TESTS_REDIS_PEER_H
#define OCSPRELAY_TESTS_REDIS_PEER_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_HANG_UP "hang up"
#define PEER_FLOOD   "flood" /* a string that does not end */

/* What to say to a command, by its name: octets, NULL for nothing, or one of the words above. n
 * counts commands of all connections. */
typedef const char *peer_answer_fn(void *arg, const char *command, unsigned n);

struct peer {
	int fd;
	unsigned port;
	pthread_t thread;
	peer_answer_fn *answer;
	void *arg;
	atomic_uint n_connections, n_commands;
	atomic_size_t n_flooded;
};

/* The name of the next command, its words thrown away, but for the second one of SENTINEL. False at
 * the end. */
static inline bool peer_read(FILE *in, char name[64])
{
	char line[256];
	unsigned n_words, len, at = 0;

	name[0] = '\0';
	if (!fgets(line, sizeof(line), in) || sscanf(line, "*%u", &n_words) != 1)
		return false;
	for (unsigned i = 0; i < n_words; i++) {
		if (!fgets(line, sizeof(line), in) || sscanf(line, "$%u", &len) != 1)
			return false;
		for (unsigned j = 0; j < len + 2; j++) {
			int c = getc(in);

			if (c == EOF)
				return false;
			if (i <= (strncmp(name, "SENTINEL ", 9) == 0) && j < len && at < 62)
				name[at++] = (char)c;
		}
		name[at] = '\0';
		if (i == 0 && strcmp(name, "SENTINEL") == 0)
			strcpy(name + at++, " ");
	}
	return true;
}

static inline void peer_flood(struct peer *peer, int fd)
{
	static char octets[65536];
	ssize_t n;

	send(fd, "$500000000\r\n", 12, MSG_NOSIGNAL);
	while ((n = send(fd, octets, sizeof(octets), MSG_NOSIGNAL)) > 0)
		atomic_fetch_add(&peer->n_flooded, (size_t)n);
}

static inline void peer_talk(struct peer *peer, int fd)
{
	FILE *in = fdopen(fd, "r");
	char name[64];

	while (peer_read(in, name)) {
		const char *said =
		    peer->answer(peer->arg, name, atomic_fetch_add(&peer->n_commands, 1));

		if (!said)
			continue;
		if (strcmp(said, PEER_HANG_UP) == 0)
			break;
		if (strcmp(said, PEER_FLOOD) == 0) {
			peer_flood(peer, fd);
			break;
		}
		if (send(fd, said, strlen(said), MSG_NOSIGNAL) < 0)
			break;
	}
	fclose(in);
}

static inline void *peer_run(void *arg)
{
	struct peer *peer = arg;
	int fd;

	while ((fd = accept(peer->fd, NULL, NULL)) >= 0) {
		atomic_fetch_add(&peer->n_connections, 1);
		peer_talk(peer, fd);
	}
	return NULL;
}

static inline void peer_open(struct peer *peer, peer_answer_fn *answer, void *arg)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	memset(peer, 0, sizeof(*peer));
	peer->answer = answer;
	peer->arg = arg;
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(peer->fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(peer->fd, 16), 0);
	cr_assert_eq(getsockname(peer->fd, (struct sockaddr *)&address, &len), 0);
	peer->port = ntohs(address.sin_port);
	cr_assert_eq(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

/* After the last connection has been closed by the other side. */
static inline void peer_close(struct peer *peer)
{
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
}

#endif
