/* SPDX-License-Identifier: ISC */
/*
 * Listening sockets: from the words of the configuration to descriptors. All are opened before
 * privileges are dropped and before the threads start.
 */
#ifndef OCSPRELAY_IO_SOCKETS_H
#define OCSPRELAY_IO_SOCKETS_H

#include <sys/types.h>

#include "err.h"
#include "settings.h"

/* "127.0.0.1:80", "[::1]:80", "*:80" (v4 and v6), "localhost:80", "unix:/path", "systemd". OK or
 * ERR_SYNTAX: for checking a configuration; opens and resolves nothing. */
MUST_CHECK err_t sockets_check(const char *address);

struct sockets;

struct sockets_opts {
	unsigned n_copies; /* at least 1 */
	mode_t mode;	   /* of the files of Unix sockets, whatever the umask */
	const char *user;  /* who is given these files by root; "": nobody */
};

/*
 * Opens every address n_copies times with SO_REUSEPORT, so that each front thread has its own;
 * Unix sockets and passed ones are shared by all. What cannot be opened is logged (LISTEN_FAILED)
 * and left out, and so is a port that somebody listens on already. With port 0 the kernel chooses,
 * once for all copies and all addresses of the word. A stale Unix socket file is replaced, one that
 * answers is not; nobody gets in before the new one has its mode and owner. NULL only without
 * memory.
 */
struct sockets *sockets_open(const struct text_list *addresses, const struct sockets_opts *opts);

/* Nobody gets in any more: clients are refused, instead of waiting for an accept that never comes.
 * Passed sockets stay as they are: who waits there is for the next process. Any thread; accepting
 * gives EINVAL from now on. */
void sockets_shut(struct sockets *sockets);

/* Closes all descriptors and removes the Unix socket files that were made. */
void sockets_close(struct sockets *sockets);

/* Descriptors for one front thread (copy < n_copies), non-blocking, close-on-exec, listening. The
 * sockets stay the owner. */
size_t sockets_count(const struct sockets *sockets);
int sockets_fd(const struct sockets *sockets, size_t i, unsigned copy);

/* The address really bound, as text ("127.0.0.1:40123"); borrowed. */
const char *sockets_name(const struct sockets *sockets, size_t i);

#endif
