/* SPDX-License-Identifier: ISC */
/* Which certificates there are, merged into which there were. */
#include "cmd/staples.h"

#include <stdlib.h>
#include <string.h>

#include "io/files.h"

void staples_init(struct staples *staples, const struct args_texts *operands, const char *directory)
{
	*staples = (struct staples){.operands = operands, .directory = directory};
}

static void forget_clash(struct staples *staples)
{
	for (size_t i = 0; i < N_ELEMENTS(staples->clash); i++) {
		staple_free((struct staple *)staples->clash[i]);
		staples->clash[i] = NULL;
	}
}

void staples_fini(struct staples *staples)
{
	for (size_t i = 0; i < staples->n; i++)
		staple_free(staples->items[i]);
	free(staples->items);
	forget_clash(staples);
}

static int by_certificate(const void *a, const void *b)
{
	return strcmp((*(struct staple *const *)a)->cert_path,
		      (*(struct staple *const *)b)->cert_path);
}

static int by_staple(const void *a, const void *b)
{
	return strcmp((*(struct staple *const *)a)->path, (*(struct staple *const *)b)->path);
}

/* Its place in the list, or NULL. */
static struct staple **find(const struct staples *staples, const char *path)
{
	struct staple key = {.cert_path = (char *)path}, *wanted = &key;

	if (staples->n == 0)
		return NULL;
	return bsearch(&wanted, staples->items, staples->n, sizeof(wanted), by_certificate);
}

/* --- what is named ---------------------------------------------------------------------------- */

static err_t append(struct staples *to, struct staple *staple)
{
	struct staple **items;

	if (staple == NULL)
		return ERR_NO_MEMORY;
	items = reallocarray(to->items, to->n + 1, sizeof(*items));
	if (items == NULL) {
		staple_free(staple);
		return ERR_NO_MEMORY;
	}
	to->items = items;
	items[to->n++] = staple;
	return OK;
}

static err_t add_directory(struct staples *to, const struct text_list *files,
			   const struct staples *was)
{
	err_t err = OK;

	for (size_t i = 0; i < files->n && err == OK; i++) {
		const char *path = files->items[i];

		if (find(was, path) != NULL || !staple_is_no_leaf(path))
			err = append(to, staple_new(path, to->directory));
	}
	return err;
}

/* New staples for all, in the order of the command line. */
static err_t expand(struct staples *to, const struct staples *was)
{
	static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", NULL};
	err_t err = OK;

	for (size_t i = 0; i < to->operands->n && err == OK; i++) {
		const char *operand = to->operands->items[i];
		struct text_list files = {.items = NULL};

		err = directory_list(operand, suffixes, &files);
		if (err == OK)
			err = add_directory(to, &files, was);
		else if (err == ERR_SYSTEM)
			err = append(to, staple_new(operand, to->directory));
		text_list_free(&files);
	}
	return err;
}

/* Sorts; what was named twice is there once. */
static void sort(struct staples *list)
{
	size_t n = 0;

	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), by_certificate);
	for (size_t i = 0; i < list->n; i++) {
		if (n > 0 && by_certificate(&list->items[n - 1], &list->items[i]) == 0)
			staple_free(list->items[i]);
		else
			list->items[n++] = list->items[i];
	}
	list->n = n;
}

/* --- what there was --------------------------------------------------------------------------- */

/* ERR_BUSY: gives the two to is->clash. */
static err_t check(struct staples *list, struct staples *is)
{
	err_t err = OK;

	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), by_staple);
	for (size_t i = 1; i < list->n && err == OK; i++) {
		if (by_staple(&list->items[i - 1], &list->items[i]) != 0)
			continue;
		is->clash[0] = list->items[i - 1];
		is->clash[1] = list->items[i];
		list->items[i - 1] = list->items[i] = NULL;
		err = ERR_BUSY;
	}
	if (err == OK && list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), by_certificate);
	return err;
}

/* Those that were there already change places with the new ones. */
static void merge(struct staples *list, struct staples *was)
{
	for (size_t i = 0; i < list->n; i++) {
		struct staple *new = list->items[i], **old = find(was, new->cert_path);

		if (old == NULL)
			continue;
		list->items[i] = *old;
		*old = new;
	}
}

err_t staples_read(struct staples *staples, const struct staple_sources *sources)
{
	struct staples list;
	err_t err;

	forget_clash(staples);
	staples_init(&list, staples->operands, staples->directory);
	err = expand(&list, staples);
	if (err == OK) {
		sort(&list);
		err = check(&list, staples);
	}
	if (err == OK) {
		merge(&list, staples);
		staples_fini(staples);
		*staples = list;
	} else {
		staples_fini(&list);
	}
	for (size_t i = 0; i < staples->n; i++)
		staple_read(staples->items[i], sources);
	return err;
}
