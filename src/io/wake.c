/* SPDX-License-Identifier: ISC */
/* An eventfd on Linux, elsewhere a pipe. Neither call can block or fail in a way that matters: a
 * full pipe or counter is readable already. */
#include "io/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#define MAX_HELD 16 /* further ones ring at once */

static _Thread_local struct {
	bool is_in_turn;
	unsigned n;
	const struct wake *wakes[MAX_HELD];
} held;

#ifdef __linux__

err_t wake_init(struct wake *wake)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return ERR_SYSTEM;
	wake->fd = wake->fd_ring = fd;
	return OK;
}

#else

err_t wake_init(struct wake *wake)
{
	int fds[2];

	if (pipe(fds) != 0)
		return ERR_SYSTEM;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
		(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	}
	wake->fd = fds[0];
	wake->fd_ring = fds[1];
	return OK;
}

#endif

static void forget(const struct wake *wake)
{
	unsigned n = 0;

	for (unsigned i = 0; i < held.n; i++) {
		if (held.wakes[i] != wake)
			held.wakes[n++] = held.wakes[i];
	}
	held.n = n;
}

void wake_fini(struct wake *wake)
{
	forget(wake);
	close(wake->fd);
	if (wake->fd_ring != wake->fd)
		close(wake->fd_ring);
}

void wake_ring(const struct wake *wake)
{
	const uint64_t one = 1; /* eight octets: what an eventfd wants */
	ssize_t n;

	do
		n = write(wake->fd_ring, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

void wake_ring_later(const struct wake *wake)
{
	if (held.is_in_turn && held.n < MAX_HELD)
		held.wakes[held.n++] = wake;
	else
		wake_ring(wake);
}

void wake_begin_turn(void)
{
	held.is_in_turn = true;
}

void wake_end_turn(void)
{
	held.is_in_turn = false;
	while (held.n > 0)
		wake_ring(held.wakes[--held.n]);
}

void wake_clear(const struct wake *wake)
{
	uint8_t octets[512];

	/* One read empties an eventfd; a pipe may need several. */
	while (read(wake->fd, octets, sizeof(octets)) == (ssize_t)sizeof(octets))
		continue;
}
