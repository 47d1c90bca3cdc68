/* SPDX-License-Identifier: ISC */
/* Giving up root. */
#ifndef OCSPRELAY_IO_PRIVILEGES_H
#define OCSPRELAY_IO_PRIVILEGES_H

#include "err.h"

/* Started as root and user not empty: hands the directories of the LMDB stores over to user where
 * they are root's (NULL-terminated list), then changes groups, gid and uid for good. Not root, or
 * an empty user: nothing. ERR_SYSTEM (logged as PRIVILEGES): unknown user, or a call failed; the
 * caller must not go on. */
MUST_CHECK err_t privileges_drop(const char *user, const char *const *directories);

#endif
