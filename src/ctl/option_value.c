/* SPDX-License-Identifier: ISC */
/*
 * One row of functions per option type would be a table of one-liners; a switch on the type keeps
 * each direction (read, store, print) in one place. Numbers of all types are held as doubles while
 * they are judged: every range in tbl/options.h is far below 2^53.
 */
#include "ctl/option_value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "io/files.h"

#define MAX_WORD_LEN 4096
#define MAX_TEXT_LEN (1 << 24) /* of a member as the file has it */

struct unit {
	const char *suffix;
	uint64_t factor;
};

struct units {
	uint64_t bare; /* what a number without a suffix counts */
	struct unit steps[6];
};

static const struct units sizes = {
    1, {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {.suffix = NULL}}};
static const struct units times = {
    1000, {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}}};
static const struct units plain = {1, {{"", 1}, {.suffix = NULL}}};

static const struct units *units_of(const struct option_row *row)
{
	switch (row->type) {
	case OPTION_IS_SIZE:
		return &sizes;
	case OPTION_IS_TIME:
		return &times;
	default:
		return &plain;
	}
}

err_t text_list_add(struct text_list *list, const char *word)
{
	char *copy = strdup(word);
	char **items = copy ? realloc(list->items, (list->n + 1) * sizeof(*items)) : NULL;

	if (!items) {
		free(copy);
		return ERR_NO_MEMORY;
	}
	items[list->n++] = copy;
	list->items = items;
	return OK;
}

static size_t member_size(const struct option_row *row)
{
	static const size_t sizes_by_type[] = {
	    [OPTION_IS_TEXT] = sizeof(OPTION_TYPE_TEXT),
	    [OPTION_IS_LIST] = sizeof(OPTION_TYPE_LIST),
	    [OPTION_IS_NUMBER] = sizeof(OPTION_TYPE_NUMBER),
	    [OPTION_IS_RATIO] = sizeof(OPTION_TYPE_RATIO),
	    [OPTION_IS_SIZE] = sizeof(OPTION_TYPE_SIZE),
	    [OPTION_IS_TIME] = sizeof(OPTION_TYPE_TIME),
	    [OPTION_IS_FLAG] = sizeof(OPTION_TYPE_FLAG),
	    [OPTION_IS_CHOICE] = sizeof(OPTION_TYPE_CHOICE),
	};

	return sizes_by_type[row->type];
}

/* The i-th of the words that a CHOICE allows; empty behind the last. */
static struct slice choice_at(const struct option_row *row, int i)
{
	const char *text = row->initial;

	for (; i > 0 && *text; i--) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return slice_of(text, strcspn(text, " "));
}

/* Index of word among them, or -1. */
static int choice_of(const struct option_row *row, const char *word)
{
	for (int i = 0; choice_at(row, i).len > 0; i++) {
		if (slice_eq(choice_at(row, i), slice_text(word)))
			return i;
	}
	return -1;
}

/* 0 when there is no such suffix; those of sizes are read in either case. */
static uint64_t factor_of(const struct units *units, const char *suffix)
{
	if (*suffix == '\0')
		return units->bare;
	for (const struct unit *unit = units->steps; unit->suffix; unit++) {
		if (strcmp(suffix, unit->suffix) == 0 ||
		    (units == &sizes && strcasecmp(suffix, unit->suffix) == 0))
			return unit->factor;
	}
	return 0;
}

/* Digits and a suffix. */
static bool scaled_of(const struct units *units, const char *word, double *out)
{
	size_t n_digits = strspn(word, "0123456789");
	uint64_t factor = factor_of(units, word + n_digits);
	uint64_t n;

	if (factor == 0 || decimal_decode(slice_of(word, n_digits), UINT64_C(1) << 53, &n) != OK)
		return false;
	*out = (double)n * (double)factor;
	return true;
}

/* Digits with at most one point among them. */
static bool ratio_of(const char *word, double *out)
{
	size_t whole = strspn(word, "0123456789");
	size_t all = whole + (word[whole] == '.');

	all += strspn(word + all, "0123456789");
	if (whole == 0 || word[all] != '\0' || word[all - 1] == '.' || all > 20)
		return false;
	*out = strtod(word, NULL);
	return true;
}

static bool number_of(const struct option_row *row, const char *word, double *out)
{
	return row->type == OPTION_IS_RATIO ? ratio_of(word, out)
					    : scaled_of(units_of(row), word, out);
}

/* In the largest unit that divides value evenly. */
static void print_scaled(const struct units *units, uint64_t value, struct buf *out)
{
	const struct unit *best = units->steps;

	if (value == 0) {
		buf_text(out, "0");
		return;
	}
	for (const struct unit *unit = units->steps; unit->suffix; unit++) {
		if (value % unit->factor == 0)
			best = unit;
	}
	buf_printf(out, "%llu%s", (unsigned long long)(value / best->factor), best->suffix);
}

static void print_number(const struct option_row *row, double value, struct buf *out)
{
	if (row->type == OPTION_IS_RATIO)
		buf_printf(out, "%g", value);
	else
		print_scaled(units_of(row), (uint64_t)value, out);
}

static void print_choices(const struct option_row *row, struct buf *out)
{
	for (int i = 0; choice_at(row, i).len > 0; i++) {
		if (i > 0)
			buf_text(out, choice_at(row, i + 1).len > 0 ? ", " : " or ");
		buf_append(out, choice_at(row, i).p, choice_at(row, i).len);
	}
}

bool option_value_is_same(const struct option_row *row, const void *a, const void *b)
{
	struct buf texts[2];
	bool is_same;

	buf_init(&texts[0], MAX_TEXT_LEN);
	buf_init(&texts[1], MAX_TEXT_LEN);
	option_value_print(row, a, &texts[0]);
	option_value_print(row, b, &texts[1]);
	is_same = texts[0].err == OK && texts[1].err == OK &&
		  slice_eq(buf_slice(&texts[0]), buf_slice(&texts[1]));
	buf_fini(&texts[0]);
	buf_fini(&texts[1]);
	return is_same;
}

/* "60s to 30d", "auto, get or post" */
static void put_allowed(const struct option_row *row, struct buf *out)
{
	switch (row->type) {
	case OPTION_IS_TEXT:
	case OPTION_IS_LIST:
		buf_printf(out, "up to %d octets", MAX_WORD_LEN);
		break;
	case OPTION_IS_FLAG:
		buf_text(out, "on or off");
		break;
	case OPTION_IS_CHOICE:
		print_choices(row, out);
		break;
	default:
		print_number(row, row->min, out);
		buf_text(out, " to ");
		print_number(row, row->max, out);
	}
}

static bool is_number(const struct option_row *row)
{
	return row->type == OPTION_IS_NUMBER || row->type == OPTION_IS_RATIO ||
	       row->type == OPTION_IS_SIZE || row->type == OPTION_IS_TIME;
}

/* What is wrong with word, or NULL. */
static const char *fault_of(const struct option_row *row, const char *word)
{
	static const char *const not_of_type[] = {
	    [OPTION_IS_TEXT] = "is too long",	       [OPTION_IS_LIST] = "is too long",
	    [OPTION_IS_NUMBER] = "is no whole number", [OPTION_IS_RATIO] = "is no ratio",
	    [OPTION_IS_SIZE] = "is no size",	       [OPTION_IS_TIME] = "is no time",
	    [OPTION_IS_FLAG] = "is unknown",	       [OPTION_IS_CHOICE] = "is unknown",
	};
	bool is_of_type;
	double number = row->min;

	if (is_number(row))
		is_of_type = number_of(row, word, &number);
	else if (row->type == OPTION_IS_CHOICE)
		is_of_type = choice_of(row, word) >= 0;
	else if (row->type == OPTION_IS_FLAG)
		is_of_type = strcmp(word, "on") == 0 || strcmp(word, "off") == 0;
	else
		is_of_type = strlen(word) <= MAX_WORD_LEN;
	if (!is_of_type)
		return not_of_type[row->type];
	if (number < row->min)
		return "is too small";
	return is_number(row) && number > row->max ? "is too large" : NULL;
}

err_t option_value_check(const struct option_row *row, const char *word, struct buf *why)
{
	const char *fault = fault_of(row, word);

	if (!fault)
		return OK;
	buf_printf(why, "\"%.64s\" %s, allowed: ", word, fault);
	put_allowed(row, why);
	return ERR_SYNTAX;
}

static err_t store_text(const char *word, char **out)
{
	char *copy = strdup(word);

	if (!copy)
		return ERR_NO_MEMORY;
	free(*out);
	*out = copy;
	return OK;
}

static err_t store_list(const struct text_list *words, struct text_list *out)
{
	struct text_list copy = {.items = NULL};

	for (size_t i = 0; i < words->n; i++) {
		if (text_list_add(&copy, words->items[i]) != OK) {
			text_list_free(&copy);
			return ERR_NO_MEMORY;
		}
	}
	text_list_free(out);
	*out = copy;
	return OK;
}

err_t option_value_store(const struct option_row *row, void *base, const struct text_list *words)
{
	void *member = (char *)base + row->offset;
	double value = 0;

	if (row->type == OPTION_IS_LIST)
		return store_list(words, member);
	if (row->type == OPTION_IS_TEXT)
		return store_text(words->items[0], member);
	if (row->type == OPTION_IS_FLAG)
		*(bool *)member = strcmp(words->items[0], "on") == 0;
	else if (row->type == OPTION_IS_CHOICE)
		*(int *)member = choice_of(row, words->items[0]);
	else if (!number_of(row, words->items[0], &value))
		return ERR_SYNTAX;
	else if (row->type == OPTION_IS_RATIO)
		*(double *)member = value;
	else if (row->type == OPTION_IS_TIME)
		*(int64_t *)member = (int64_t)value;
	else
		*(uint64_t *)member = (uint64_t)value;
	return OK;
}

/* The blank-separated words of text. */
static err_t split(const char *text, struct text_list *out)
{
	char *copy = strdup(text), *rest = copy, *word;
	err_t err = copy ? OK : ERR_NO_MEMORY;

	while (!err && (word = strtok_r(rest, " ", &rest)))
		err = text_list_add(out, word);
	free(copy);
	return err;
}

/* The member is taken for empty, not freed. */
static err_t set_default(const struct option_row *row, void *base)
{
	struct text_list words = {.items = NULL};
	err_t err;

	memset((char *)base + row->offset, 0, member_size(row));
	err = row->type == OPTION_IS_TEXT ? text_list_add(&words, row->initial)
					  : split(row->initial, &words);
	if (!err)
		err = option_value_store(row, base, &words);
	text_list_free(&words);
	return err;
}

/* Here, too. */
static err_t copy_member(const struct option_row *row, void *base, const void *from)
{
	void *to_member = (char *)base + row->offset;
	const void *from_member = (const char *)from + row->offset;

	memset(to_member, 0, member_size(row));
	if (row->type == OPTION_IS_LIST)
		return store_list(from_member, to_member);
	if (row->type == OPTION_IS_TEXT)
		return store_text(*(char *const *)from_member, to_member);
	memcpy(to_member, from_member, member_size(row));
	return OK;
}

static void free_member(const struct option_row *row, void *base)
{
	void *member = (char *)base + row->offset;

	if (row->type == OPTION_IS_LIST)
		text_list_free(member);
	else if (row->type == OPTION_IS_TEXT)
		free(*(char **)member);
	memset(member, 0, member_size(row));
}

err_t option_group_init(enum option_group group, void *base)
{
	const struct option_table *table = &option_tables[group];

	for (size_t i = 0; i < table->n; i++) {
		err_t err = set_default(&table->rows[i], base);

		if (!err)
			continue;
		while (i > 0)
			free_member(&table->rows[--i], base);
		return err;
	}
	return OK;
}

err_t option_group_copy(enum option_group group, void *base, const void *from)
{
	const struct option_table *table = &option_tables[group];

	for (size_t i = 0; i < table->n; i++) {
		err_t err = copy_member(&table->rows[i], base, from);

		if (!err)
			continue;
		while (i > 0)
			free_member(&table->rows[--i], base);
		return err;
	}
	return OK;
}

void option_group_fini(enum option_group group, void *base)
{
	const struct option_table *table = &option_tables[group];

	for (size_t i = 0; i < table->n; i++)
		free_member(&table->rows[i], base);
}

/* In double quotes, as libConfuse reads them. */
static void print_quoted(const char *text, struct buf *out)
{
	buf_text(out, "\"");
	for (; *text; text++) {
		if ((unsigned char)*text < ' ')
			buf_printf(out, "\\x%02x", (unsigned)*text);
		else if (*text == '"' || *text == '\\' || *text == '$')
			buf_printf(out, "\\%c", *text);
		else
			buf_append(out, text, 1);
	}
	buf_text(out, "\"");
}

static void print_list(const struct text_list *list, struct buf *out)
{
	buf_text(out, "{");
	for (size_t i = 0; i < list->n; i++) {
		buf_text(out, i > 0 ? ", " : "");
		print_quoted(list->items[i], out);
	}
	buf_text(out, "}");
}

void option_value_print(const struct option_row *row, const void *base, struct buf *out)
{
	const void *member = (const char *)base + row->offset;
	struct slice choice;

	switch (row->type) {
	case OPTION_IS_TEXT:
		print_quoted(*(char *const *)member, out);
		break;
	case OPTION_IS_LIST:
		print_list(member, out);
		break;
	case OPTION_IS_FLAG:
		buf_text(out, *(const bool *)member ? "on" : "off");
		break;
	case OPTION_IS_CHOICE:
		choice = choice_at(row, *(const int *)member);
		buf_append(out, choice.p, choice.len);
		break;
	case OPTION_IS_RATIO:
		print_number(row, *(const double *)member, out);
		break;
	case OPTION_IS_TIME:
		print_number(row, (double)*(const int64_t *)member, out);
		break;
	case OPTION_IS_SIZE:
	case OPTION_IS_NUMBER:
		print_number(row, (double)*(const uint64_t *)member, out);
		break;
	}
}
