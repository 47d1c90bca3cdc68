/* SPDX-License-Identifier: ISC */
/* From root to the configured user, for good. */
#include "io/privileges.h"

#include <errno.h>
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

/* A directory that root made for the relay, or that a relay made as root before: never one that
 * belongs to somebody else. */
static void hand_over(const char *directory, const struct passwd *to)
{
	static const char *const names[] = {"", "/data.mdb", "/lock.mdb"};
	char path[4096];
	struct stat status;

	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		size_t len = strlen(directory), name_len = strlen(names[i]);

		if (len + name_len >= sizeof(path))
			return;
		memcpy(path, directory, len);
		memcpy(path + len, names[i], name_len + 1);
		if (i == 0 && mkdir(path, 0750) != 0 && errno != EEXIST)
			return; /* the store says what is wrong when it is opened */
		if (lstat(path, &status) != 0 || status.st_uid != 0 || S_ISLNK(status.st_mode))
			continue;
		if (lchown(path, to->pw_uid, to->pw_gid) != 0)
			return;
	}
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
