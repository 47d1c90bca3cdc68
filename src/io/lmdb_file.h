/* SPDX-License-Identifier: ISC */
/* What LMDB does not check of its data file before it relies on it. For the LMDB store. */
#ifndef OCSPRELAY_IO_LMDB_FILE_H
#define OCSPRELAY_IO_LMDB_FILE_H

/* Looks at directory/data.mdb. 0: none yet, or nothing that LMDB would not refuse itself;
 * MDB_CORRUPTED: its page size is impossible, or the file ends before the roots of its trees; an
 * errno. */
int lmdb_file_check(const char *directory);

#endif
