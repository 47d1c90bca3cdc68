/* SPDX-License-Identifier: ISC */
/* Whether the pages of an LMDB file are sound enough for LMDB to change them: it copies them into
 * memory and moves things around by the offsets and lengths that it finds there. */
#ifndef OCSPRELAY_IO_LMDB_PAGES_H
#define OCSPRELAY_IO_LMDB_PAGES_H

#include "types.h"

typedef bool lmdb_pages_fn(void *arg);

/*
 * Reads every page of every tree as of a transaction, which a reader must keep from being changed
 * meanwhile; overflow pages by their head only. 0; MDB_CORRUPTED; EAGAIN: the meta page of that
 * transaction is gone; ECANCELED: is_unwanted, asked now and then, said so; an errno.
 */
int lmdb_pages_check(int fd, size_t transaction, lmdb_pages_fn *is_unwanted, void *arg);

#endif
