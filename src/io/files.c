/* SPDX-License-Identifier: ISC */
/* Reading files and directories whole. */
#include "io/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Closes file, but for standard input. */
static err_t read_all(FILE *file, struct buf *out)
{
	uint8_t block[8192];
	err_t err = OK;
	size_t n;
	int saved;

	while (err == OK && (n = fread(block, 1, sizeof(block), file)) > 0)
		err = buf_append(out, block, n);
	if (err == OK && ferror(file))
		err = ERR_SYSTEM;
	saved = errno;
	if (file != stdin)
		fclose(file);
	errno = saved;
	return err;
}

err_t file_read(const char *path, struct buf *out)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");

	return file != NULL ? read_all(file, out) : ERR_SYSTEM;
}

/* Looked at when it is open: before, somebody could still put another one there. */
err_t file_read_regular(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), saved = EINVAL;
	struct stat found;
	FILE *file = NULL;

	if (fd < 0)
		return ERR_SYSTEM;
	if (fstat(fd, &found) != 0)
		saved = errno;
	else if (S_ISDIR(found.st_mode))
		saved = EISDIR;
	else if (S_ISREG(found.st_mode) && (file = fdopen(fd, "rb")) == NULL)
		saved = errno;
	if (file != NULL)
		return read_all(file, out);
	close(fd);
	errno = saved;
	return ERR_SYSTEM;
}

bool file_is_open(const char *path)
{
	struct stat stat_of;

	return stat(path, &stat_of) == 0 && (stat_of.st_mode & S_IROTH) != 0;
}

bool directory_is_in_memory(const char *path)
{
	char parent[PATH_MAX];
	struct statfs of;
	char *slash;

	if (statfs(path, &of) != 0) {
		snprintf(parent, sizeof(parent), "%s", path);
		slash = strrchr(parent, '/');
		if (errno != ENOENT || slash == NULL || slash == parent)
			return false;
		*slash = '\0';
		if (statfs(parent, &of) != 0)
			return false;
	}
	return of.f_type == TMPFS_MAGIC || of.f_type == RAMFS_MAGIC;
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
	size_t len = strlen(name), suffix_len;

	for (; *suffixes != NULL; suffixes++) {
		suffix_len = strlen(*suffixes);
		if (len > suffix_len && strcmp(name + len - suffix_len, *suffixes) == 0)
			return true;
	}
	return false;
}

static err_t append(struct text_list *list, char *item)
{
	char **grown;

	if (item == NULL)
		return ERR_NO_MEMORY;
	grown = realloc(list->items, (list->n + 1) * sizeof(char *));
	if (grown == NULL) {
		free(item);
		return ERR_NO_MEMORY;
	}
	list->items = grown;
	list->items[list->n++] = item;
	return OK;
}

static char *join(const char *directory, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* What cannot be looked at counts, so that whoever reads it says what is wrong with it. */
static bool may_be_file(const char *path)
{
	struct stat status;

	return stat(path, &status) != 0 || S_ISREG(status.st_mode);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static err_t read_names(DIR *directory, const char *path, const char *const *suffixes,
			struct text_list *list)
{
	const struct dirent *entry;
	err_t err = OK;
	char *item;

	while (err == OK && (errno = 0, entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.' || !has_suffix(entry->d_name, suffixes))
			continue;
		item = join(path, entry->d_name);
		if (item != NULL && !may_be_file(item))
			free(item);
		else
			err = append(list, item);
	}
	return err == OK && errno != 0 ? ERR_SYSTEM : err;
}

err_t directory_list(const char *path, const char *const *suffixes, struct text_list *out)
{
	struct text_list list = {.n = 0};
	DIR *directory = opendir(path);
	err_t err;
	int saved;

	if (directory == NULL)
		return ERR_SYSTEM;
	err = read_names(directory, path, suffixes, &list);
	saved = errno;
	closedir(directory);
	if (err != OK) {
		text_list_free(&list);
		errno = saved;
		return err;
	}
	if (list.n > 1)
		qsort(list.items, list.n, sizeof(char *), by_name);
	*out = list;
	return OK;
}

void text_list_free(struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){.n = 0};
}
