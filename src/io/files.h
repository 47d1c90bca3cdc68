/* SPDX-License-Identifier: ISC */
/* Whole files and directory listings, for start-up, reload and the command line; never in a loop's
 * way. */
#ifndef OCSPRELAY_IO_FILES_H
#define OCSPRELAY_IO_FILES_H

#include "base/buf.h"
#include "err.h"
#include "settings.h"

/* Appends the file's octets to out, as many as there are room for and can be read. "-" is standard
 * input. ERR_SYSTEM (errno set), ERR_TOO_LONG, ERR_NO_MEMORY. */
MUST_CHECK err_t file_read(const char *path, struct buf *out);

/* The same of what may be in a directory of somebody else: never waits for the other end of a pipe.
 * ERR_SYSTEM with EINVAL or EISDIR if it is no regular file, by links neither. */
MUST_CHECK err_t file_read_regular(const char *path, struct buf *out);

/* Whether users may read the file who are neither its owner nor of its group. */
bool file_is_open(const char *path);

/* Whether what is put into a directory, or will be once it is made, is gone with the power: tmpfs.
 */
bool directory_is_in_memory(const char *path);

/* Paths (directory/name) of the regular files in a directory whose names end in one of the NULL-
 * terminated suffixes, sorted by name; hidden ones left out, those that cannot be looked at (a link
 * to nowhere) not. ERR_SYSTEM (errno set), ERR_NO_MEMORY. */
MUST_CHECK err_t directory_list(const char *path, const char *const *suffixes,
				struct text_list *out);
void text_list_free(struct text_list *list);

#endif
