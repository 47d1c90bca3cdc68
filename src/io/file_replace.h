/* SPDX-License-Identifier: ISC */
/* Replacing a file whole, so that nobody ever reads a part of it: neither a reader at that moment
 * nor one after a crash of the program or of the machine. */
#ifndef OCSPRELAY_IO_FILE_REPLACE_H
#define OCSPRELAY_IO_FILE_REPLACE_H

#include "err.h"
#include "types.h"

/*
 * Writes the octets beside path, under a hidden name, then renames that to path and waits for the
 * disk. The new file has the mode of a regular file that was there, and its owner and group as far
 * as we may give files away; else 0644, whatever the umask. A link is replaced, not followed.
 * ERR_SYSTEM (errno set), ERR_NO_MEMORY: what was there is untouched, and nothing is left beside
 * it. A process that is killed may leave its hidden file.
 */
MUST_CHECK err_t file_replace(const char *path, struct slice octets);

#endif
