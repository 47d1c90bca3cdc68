/* SPDX-License-Identifier: ISC */
/*
 * LMDB trusts a meta page that has its magic number: a page size of 0 makes it divide by zero, a
 * file without its roots makes it read beyond the end. What else may be wrong with pages is left to
 * fault_guard.h. The layout below is that of LMDB 0.9 (data
 * version 1), in the machine's own sizes and byte order; anything else LMDB refuses by itself.
 */
#include "io/lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC	  0xbeefc0deu
#define MIN_PAGE  512u
#define MAX_PAGE  65536u
#define PATH_SIZE 4200
#define NO_PAGE	  SIZE_MAX /* root of an empty tree */
#define N_TREES	  2

struct tree {
	uint32_t page_size; /* in the first tree; unused in the second */
	uint16_t flags, depth;
	size_t n_branch, n_leaf, n_overflow, n_entries, root;
};

struct meta {
	uint64_t page_header[2];
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct tree trees[N_TREES];
	size_t last_page, transaction;
};

static bool path_of(const char *directory, char path[PATH_SIZE])
{
	return snprintf(path, PATH_SIZE, "%s/data.mdb", directory) < PATH_SIZE;
}

static bool is_meta(const struct meta *meta)
{
	return meta->magic == MAGIC && meta->version == 1;
}

static bool is_page_size(uint32_t size)
{
	return size >= MIN_PAGE && size <= MAX_PAGE && (size & (size - 1)) == 0;
}

/* The roots, no more: the last page that a meta page counts may never have been written, if the
 * transaction that took it gave it back. */
static bool holds(const struct meta *meta, size_t file_size)
{
	size_t n_pages = file_size / meta->trees[0].page_size;
	size_t i;

	for (i = 0; i < N_TREES; i++) {
		if (meta->trees[i].root != NO_PAGE && meta->trees[i].root >= n_pages)
			return false;
	}
	return true;
}

/* The two meta pages, then the size: a file in use only grows meanwhile. */
static int check(int fd)
{
	struct meta metas[2];
	const struct meta *newest;
	struct stat status;

	if (pread(fd, &metas[0], sizeof(metas[0]), 0) != sizeof(metas[0]) || !is_meta(&metas[0]))
		return 0;
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
	newest = &metas[metas[1].transaction > metas[0].transaction];
	return holds(newest, (size_t)status.st_size) ? 0 : MDB_CORRUPTED;
}

int lmdb_file_check(const char *directory)
{
	char path[PATH_SIZE];
	int fd, rc;

	if (!path_of(directory, path))
		return ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	rc = check(fd);
	close(fd);
	return rc;
}

static struct lmdb_identity identity_of(const struct stat *status)
{
	return (struct lmdb_identity){.device = status->st_dev,
				      .inode = status->st_ino,
				      .size = status->st_size,
				      .modified = status->st_mtim};
}

struct lmdb_identity lmdb_file_identity(const char *directory)
{
	char path[PATH_SIZE];
	struct stat status;

	if (!path_of(directory, path) || stat(path, &status) != 0)
		return (struct lmdb_identity){.inode = 0};
	return identity_of(&status);
}

bool lmdb_identity_eq(const struct lmdb_identity *a, const struct lmdb_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

bool lmdb_file_is(const char *directory, int fd)
{
	struct lmdb_identity path = lmdb_file_identity(directory), ours;
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	ours = identity_of(&status);
	return path.inode != 0 && path.device == ours.device && path.inode == ours.inode;
}
