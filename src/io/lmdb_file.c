/* SPDX-License-Identifier: ISC */
/*
 * LMDB trusts a meta page that has its magic number: a page size of 0 makes it divide by zero, a
 * file without its roots makes it read beyond the end. A disk that filled up while the file was
 * copied there leaves such files. Damage further inside goes unseen until it is read.
 */
#include "io/lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "types.h"

#define PATH_SIZE    4200
#define LMDB_MAGIC   0xbeefc0deu
#define LMDB_VERSION 1
#define MIN_PAGE     512u
#define MAX_PAGE     32768u
#define NO_PAGE	     SIZE_MAX /* root of an empty tree */
#define N_TREES	     2	      /* of free pages, and of the named trees */

/* The data file of LMDB 0.9 begins with two of these, one page each, in the machine's own sizes and
 * byte order; the one with the higher transaction counts. */
struct meta {
	uint8_t page_header[sizeof(size_t) + 8];
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct {
		uint32_t page_size; /* in the first tree; unused in the second */
		uint16_t flags, depth;
		size_t n_branches, n_leaves, n_overflow, n_entries, root;
	} trees[N_TREES];
	size_t last_page, transaction;
};

static bool is_meta(const struct meta *meta)
{
	return meta->magic == LMDB_MAGIC && meta->version == LMDB_VERSION;
}

static bool is_page_size(uint32_t size)
{
	return size >= MIN_PAGE && size <= MAX_PAGE && (size & (size - 1)) == 0;
}

/* The roots, no more: the last page that a meta page counts may never have been written, if the
 * transaction that took it gave it back. */
static bool has_roots(const struct meta *meta, size_t file_size)
{
	size_t n_pages = file_size / meta->trees[0].page_size;

	for (size_t i = 0; i < N_TREES; i++) {
		if (meta->trees[i].root != NO_PAGE && meta->trees[i].root >= n_pages)
			return false;
	}
	return true;
}

/* The two meta pages, then the size: a file in use only grows meanwhile. */
static int check(int fd)
{
	struct meta metas[2];
	struct stat status;

	if (pread(fd, &metas[0], sizeof(metas[0]), 0) != sizeof(metas[0]) || !is_meta(&metas[0]))
		return 0; /* LMDB refuses it, or begins anew */
	if (!is_page_size(metas[0].trees[0].page_size))
		return MDB_CORRUPTED;
	if (pread(fd, &metas[1], sizeof(metas[1]), metas[0].trees[0].page_size) !=
		sizeof(metas[1]) ||
	    !is_meta(&metas[1]))
		return 0;
	if (metas[1].trees[0].page_size != metas[0].trees[0].page_size)
		return MDB_CORRUPTED;
	if (fstat(fd, &status) != 0)
		return errno;
	return has_roots(&metas[metas[1].transaction > metas[0].transaction],
			 (size_t)status.st_size)
		   ? 0
		   : MDB_CORRUPTED;
}

int lmdb_file_check(const char *directory)
{
	char path[PATH_SIZE];
	int fd, rc;

	if (snprintf(path, sizeof(path), "%s/data.mdb", directory) >= PATH_SIZE)
		return ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	rc = check(fd);
	close(fd);
	return rc;
}
