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
	    LOG_TEXT("error", errno ? strerror(errno) : "not found"));
	return ERR_SYSTEM;
}

/*
 * Gives what root made to the user: never anything that belongs to somebody else, that is not of
 * the type that is expected, or that has another name elsewhere, which the user could have linked.
 */
static void give_fd(int fd, mode_t type, const struct passwd *to)
{
	struct stat status;

	if (fstat(fd, &status) == 0 && status.st_uid == 0 && (status.st_mode & S_IFMT) == type &&
	    (type == S_IFDIR || status.st_nlink == 1))
		(void)fchownat(fd, "", to->pw_uid, to->pw_gid, AT_EMPTY_PATH);
}

/* O_PATH, because closing any other descriptor of a lock file ends the locks that LMDB has on it.
 */
static void give(int at, const char *name, mode_t type, const struct passwd *to)
{
	int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	give_fd(fd, type, to);
	close(fd);
}

/* Failures are silent: the store says what is wrong when it is opened. */
static void give_store(const char *directory, const struct passwd *to)
{
	int fd;

	(void)mkdir(directory, 0750);
	fd = open(directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	give(fd, "data.mdb", S_IFREG, to);
	give(fd, "lock.mdb", S_IFREG, to);
	give(fd, ".", S_IFDIR, to);
	close(fd);
}

static bool stays(const char *user)
{
	return geteuid() != 0 || *user == '\0';
}

err_t privileges_check(const char *user)
{
	return *user == '\0' || getpwnam(user) != NULL ? OK : ERR_SYSTEM;
}

void privileges_give_socket(int fd, const char *user)
{
	const struct passwd *to = stays(user) ? NULL : getpwnam(user);

	if (to != NULL)
		give_fd(fd, S_IFSOCK, to);
}

err_t privileges_drop(const char *user, const char *const *directories, const char *log_file)
{
	const struct passwd *to;

	if (stays(user))
		return OK;
	errno = 0;
	to = getpwnam(user);
	if (to == NULL)
		return fail(user, PRIVILEGES_NO_USER);
	for (; *directories != NULL; directories++)
		give_store(*directories, to);
	if (log_file != NULL)
		give(AT_FDCWD, log_file, S_IFREG, to);
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
