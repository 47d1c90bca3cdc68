/* SPDX-License-Identifier: ISC */
/*
 * LMDB trusts a meta page that has its magic number: a page size of 0 makes it divide by zero, a
 * file without its roots makes it read beyond the end. All other pages are the business of
 * lmdb_pages.h.
 */
#include "io/lmdb_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/lmdb_format.h"

#define PATH_SIZE 4200

static bool path_of(const char *directory, char path[PATH_SIZE])
{
	return snprintf(path, PATH_SIZE, "%s/data.mdb", directory) < PATH_SIZE;
}

static bool is_meta(const struct lmdb_meta *meta)
{
	return meta->magic == LMDB_MAGIC && meta->version == LMDB_VERSION;
}

static bool is_page_size(uint32_t size)
{
	return size >= LMDB_MIN_PAGE && size <= LMDB_MAX_PAGE && (size & (size - 1)) == 0;
}

/* The roots, no more: the last page that a meta page counts may never have been written, if the
 * transaction that took it gave it back. */
static bool holds(const struct lmdb_meta *meta, size_t file_size)
{
	size_t n_pages = file_size / meta->trees[0].page_size;
	size_t i;

	for (i = 0; i < LMDB_TREES; i++) {
		if (meta->trees[i].root != LMDB_NO_PAGE && meta->trees[i].root >= n_pages)
			return false;
	}
	return true;
}

/* The two meta pages, then the size: a file in use only grows meanwhile. */
static int check(int fd)
{
	struct lmdb_meta metas[2];
	const struct lmdb_meta *newest;
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
