/* SPDX-License-Identifier: ISC */
/* What LMDB does not check of its data file before it relies on it. For the LMDB store. */
#ifndef OCSPRELAY_IO_LMDB_FILE_H
#define OCSPRELAY_IO_LMDB_FILE_H

#include <sys/types.h>
#include <time.h>

#include "types.h"

/* Which file it is and how it was; all zero: none. */
struct lmdb_identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

/* Looks at directory/data.mdb. 0: none yet, or nothing that LMDB would not refuse itself;
 * MDB_CORRUPTED: its page size is impossible, or the file ends before the roots of its trees; an
 * errno.
 */
int lmdb_file_check(const char *directory);

struct lmdb_identity lmdb_file_identity(const char *directory);
bool lmdb_identity_eq(const struct lmdb_identity *a, const struct lmdb_identity *b);

/* Whether fd is (still) that directory's data.mdb: a file that was removed takes writes for ever.
 */
bool lmdb_file_is(const char *directory, int fd);

#endif
