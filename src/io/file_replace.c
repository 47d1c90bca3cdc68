/* SPDX-License-Identifier: ISC */
/* A temporary file of its own name for each call, so that two writers never share one. */
#include "io/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_MODE 0644

static int length_of_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash + 1 - path) : 0;
}

/* Hidden: who takes all files of a directory leaves out such names. */
static char *name_beside(const char *path)
{
	int len = length_of_directory(path);
	char *name;

	return asprintf(&name, "%.*s.%s.XXXXXX", len, path, path + len) < 0 ? NULL : name;
}

/* Those of the file that was there, so that who could read it still can; to give it away takes
 * CAP_CHOWN, to give it to a group one has to be of it. The mode first: afterwards it may be
 * another one's file. */
static bool keep_rights(int fd, const char *path)
{
	struct stat was;

	if (lstat(path, &was) != 0 || !S_ISREG(was.st_mode))
		return fchmod(fd, NEW_MODE) == 0;
	if (fchmod(fd, was.st_mode & 0777) != 0)
		return false;
	if (fchown(fd, was.st_uid, was.st_gid) != 0)
		(void)!fchown(fd, (uid_t)-1, was.st_gid);
	return true;
}

static bool write_all(int fd, struct slice octets)
{
	while (octets.len > 0) {
		ssize_t n = write(fd, octets.p, octets.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		octets.p += n;
		octets.len -= (size_t)n;
	}
	return true;
}

/* The octets are on the disk before their name is: else a crash leaves an empty file. */
static bool fill(int fd, const char *path, struct slice octets)
{
	return write_all(fd, octets) && keep_rights(fd, path) && fsync(fd) == 0;
}

/* The name itself. What cannot be synchronised (some file systems) has been renamed all the same.
 */
static void sync_directory(const char *path)
{
	int len = length_of_directory(path), fd;
	char *directory;

	if (asprintf(&directory, "%.*s", len > 0 ? len : 1, len > 0 ? path : ".") < 0)
		return;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(directory);
}

err_t file_replace(const char *path, struct slice octets)
{
	char *beside = name_beside(path);
	bool is_filled;
	int fd, saved;

	if (beside == NULL)
		return ERR_NO_MEMORY;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0) {
		saved = errno;
		free(beside);
		errno = saved;
		return ERR_SYSTEM;
	}
	is_filled = fill(fd, path, octets);
	saved = errno;
	if (close(fd) != 0 && is_filled) {
		saved = errno;
		is_filled = false;
	}
	if (is_filled && rename(beside, path) == 0) {
		sync_directory(path);
		free(beside);
		return OK;
	}
	if (is_filled)
		saved = errno;
	(void)unlink(beside);
	free(beside);
	errno = saved;
	return ERR_SYSTEM;
}
