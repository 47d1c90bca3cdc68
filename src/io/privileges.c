/* SPDX-License-Identifier: ISC */
/* From root to the configured user, for good. */
#include "io/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

static err_t fail(const char *user, const char *what)
{
	LOG(PRIVILEGES, LOG_TEXT("user", user), LOG_TEXT("what", what),
	    LOG_TEXT("error", errno ? strerror(errno) : "no such user"));
	return ERR_SYSTEM;
}

/*
 * Gives what root made there to the user: never anything that belongs to somebody else, that is not
 * what is expected, or that has another name elsewhere, which the user could have linked in.
 * O_PATH, because closing any other descriptor of a lock file ends the locks that LMDB has on it.
 */
static void give(int at, const char *name, int flags, const struct passwd *to)
{
	int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);
	struct stat status;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_uid == 0 &&
	    (S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_nlink == 1)))
		(void)fchownat(fd, "", to->pw_uid, to->pw_gid, AT_EMPTY_PATH);
	close(fd);
}

/* Failures are silent: the store says what is wrong when it is opened. */
static void hand_over(const char *directory, const struct passwd *to)
{
	int fd;

	(void)mkdir(directory, 0750);
	fd = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	give(fd, "data.mdb", 0, to);
	give(fd, "lock.mdb", 0, to);
	give(fd, ".", O_DIRECTORY, to);
	close(fd);
}

err_t privileges_drop(const char *user, const char *const *directories)
{
	const struct passwd *to;

	if (geteuid() != 0 || *user == '\0')
		return OK;
	errno = 0;
	to = getpwnam(user);
	if (to == NULL)
		return fail(user, "getpwnam");
	for (; *directories != NULL; directories++)
		hand_over(*directories, to);
	if (initgroups(user, to->pw_gid) != 0)
		return fail(user, "initgroups");
	if (setgid(to->pw_gid) != 0)
		return fail(user, "setgid");
	if (setuid(to->pw_uid) != 0)
		return fail(user, "setuid");
	if (to->pw_uid != 0 && (setuid(0) == 0 || geteuid() == 0))
		return fail(user, "root could be had again");
	return OK;
}
