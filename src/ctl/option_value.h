/* SPDX-License-Identifier: ISC */
/*
 * Values of options: from the words of the file into the members of settings.h and back, by the
 * type and range of the row.
 */
#ifndef OCSPRELAY_CTL_OPTION_VALUE_H
#define OCSPRELAY_CTL_OPTION_VALUE_H

#include "base/buf.h"
#include "ctl/option_rows.h"
#include "err.h"
#include "settings.h"

/* Judges one word (one item of a LIST). ERR_SYNTAX: why holds "what is wrong, what is allowed". */
MUST_CHECK err_t option_value_check(const struct option_row *row, const char *word,
				    struct buf *why);

/*
 * Stores words, which option_value_check has passed (n is 1 except for a LIST), into the row's
 * member of the struct at base; what the member owned is freed. ERR_NO_MEMORY: the member is
 * untouched.
 */
MUST_CHECK err_t option_value_store(const struct option_row *row, void *base,
				    const struct text_list *words);

/* Stores the default of every row of a group, or copies every member from another struct; those of
 * base are taken for empty, not freed. On failure the struct is empty. */
MUST_CHECK err_t option_group_init(enum option_group group, void *base);
MUST_CHECK err_t option_group_copy(enum option_group group, void *base, const void *from);
void option_group_fini(enum option_group group, void *base);

/* True when the members of two structs would stand in the file as the same; false without memory.
 */
bool option_value_is_same(const struct option_row *row, const void *a, const void *b);

/* Appends the member as it would stand in the file. */
void option_value_print(const struct option_row *row, const void *base, struct buf *out);

/* Appends a copy of word. ERR_NO_MEMORY: nothing changed. */
MUST_CHECK err_t text_list_add(struct text_list *list, const char *word);

#endif
