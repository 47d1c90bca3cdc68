/* SPDX-License-Identifier: ISC */
/* Giving up root. */
#ifndef OCSPRELAY_IO_PRIVILEGES_H
#define OCSPRELAY_IO_PRIVILEGES_H

#include "err.h"

/* What there is to do about an unknown user. */
#define PRIVILEGES_NO_USER "no such user: create it, set another, or \"\" to stay root"

/* There is such a user, or user is empty. ERR_SYSTEM: there is none, or nobody can say. */
MUST_CHECK err_t privileges_check(const char *user);

/* Started as root and user not empty: gives user the file of a Unix socket, fd being one of O_PATH.
 * Only what is root's and has no other name; anything else stays. */
void privileges_give_socket(int fd, const char *user);

/* Started as root and user not empty: hands the directories of the LMDB stores (NULL-
 * terminated list) and the log file (NULL: none) over to user where they are root's, then changes
 * groups, gid and uid for good. Not root, or an empty user: nothing. ERR_SYSTEM (logged as
 * PRIVILEGES): unknown user, or a call failed; the caller must not go on. */
MUST_CHECK err_t privileges_drop(const char *user, const char *const *directories,
				 const char *log_file);

#endif
