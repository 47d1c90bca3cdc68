/* SPDX-License-Identifier: ISC */
/*
 * Statements of the configuration:  name = value   name += {list}   section [title] { ... }
 * include("files"). What can be said about a statement without its value is said here: that its
 * name is unknown, that a value is no list, that its syntax is broken. Such a statement is blanked,
 * so that libConfuse goes on and the values of all others are judged as well. After a fault of
 * syntax that is from the next line on which a statement must begin, whatever the fault was; a
 * brace that is missing is put in.
 */
#include "ctl/config_statements.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/config_check.h"
#include "ctl/config_fault.h"
#include "ctl/config_unknown.h"

#define MAX_NOTED 64 /* more than any section has */

struct noted { /* the options that have a value, and the lines of the text where they got it */
	const struct option_row *rows[MAX_NOTED];
	size_t lines[MAX_NOTED];
	size_t n;
};

static struct config_report *report_of(const struct config_reader *reader)
{
	return reader->scan.text->report;
}

/* Blanks from an opening mark to the closing one that belongs to it. */
static void skip_nested(struct config_reader *reader, char open, char close)
{
	size_t line = report_of(reader)->n_lines;
	unsigned depth = 0;

	do {
		struct config_token token = config_scan_look(&reader->scan);

		if (token.type == TOKEN_BROKEN) {
			config_fault_open(reader, &token);
			return;
		}
		if (token.type == TOKEN_END) {
			config_report_add(report_of(reader), CONFIG_ERROR, line,
					  "syntax: a %c without its %c", open, close);
			reader->scan.text->is_broken = true;
			return;
		}
		depth += config_token_is_mark(&token, open);
		depth -= config_token_is_mark(&token, close);
		config_scan_blank(&reader->scan, &token);
	} while (depth > 0);
}

/* Blanks a whole statement, whatever it is; its name comes next. */
static void skip_statement(struct config_reader *reader)
{
	struct config_scan *scan = &reader->scan;
	struct config_token token = config_scan_look(scan);

	config_scan_blank(scan, &token);
	token = config_scan_look(scan);
	if (config_token_is_mark(&token, '(')) {
		skip_nested(reader, '(', ')');
		return;
	}
	if (config_token_is_mark(&token, '=') || config_token_is_mark(&token, '+')) {
		config_scan_blank(scan, &token);
		token = config_scan_look(scan);
	}
	if (config_token_is_value(&token)) {
		bool is_title;

		config_scan_blank(scan, &token);
		token = config_scan_look(scan);
		is_title = config_token_is_mark(&token, '{');
		if (!is_title)
			return;
	}
	if (config_token_is_mark(&token, '{'))
		skip_nested(reader, '{', '}');
}

/* Looks ahead: name = {} */
static bool is_emptied_ahead(const struct config_scan *scan)
{
	struct config_scan ahead = *scan;
	struct config_token token;

	ahead.text = NULL;
	token = config_scan_look(&ahead); /* the name */
	config_scan_keep(&ahead, &token);
	return config_scan_keep_mark(&ahead, '=') && config_scan_keep_mark(&ahead, '{') &&
	       config_scan_keep_mark(&ahead, '}');
}

/*
 * Looks ahead at a statement of a known option: what is wrong with its form, or NULL. NULL also
 * where the syntax is broken, which libConfuse says.
 */
static const char *fault_ahead(const struct config_scan *scan, const struct option_row *row)
{
	static const char *const needs_quotes = "a value with * or + needs quotes";
	struct config_scan ahead = *scan;
	struct config_token token;
	bool is_list = row->type == OPTION_IS_LIST;

	if (is_list && row->min > 0 && is_emptied_ahead(scan))
		return "is empty, allowed: at least one item";
	ahead.text = NULL;
	token = config_scan_look(&ahead); /* the name */
	config_scan_keep(&ahead, &token);
	token = config_scan_look(&ahead);
	if (config_token_is_mark(&token, '+') && !is_list)
		return "+= is for lists, allowed: =";
	config_scan_keep(&ahead, &token);
	token = config_scan_look(&ahead);
	if (config_token_is_mark(&token, '{') && !is_list)
		return "takes one value, not a list";
	if (token.type == TOKEN_STAR_WORD)
		return needs_quotes;
	if (!config_token_is_mark(&token, '{'))
		return NULL;
	while (config_token_is_value(&token) || token.type == TOKEN_MARK) {
		if (token.type == TOKEN_STAR_WORD)
			return needs_quotes;
		if (config_token_is_mark(&token, '}'))
			return NULL;
		config_scan_keep(&ahead, &token);
		token = config_scan_look(&ahead);
	}
	return NULL;
}

/* Takes the value of an option; says so when a variable in it is not set. */
static void keep_value(struct config_reader *reader, const struct option_row *row,
		       const struct config_token *value)
{
	char name[CONFIG_NAME_SIZE];

	if (config_token_unset(value, name, sizeof(name)))
		config_report_add(report_of(reader), CONFIG_WARNING, 0,
				  "%s: ${%s} is not set in the environment, and empty here",
				  row->name, name);
	config_scan_keep(&reader->scan, value);
}

/* {value, ...} behind its opening brace. False: it cannot go on with what comes next. */
static bool scan_list(struct config_reader *reader, const struct option_section *section,
		      const struct option_row *row)
{
	struct config_scan *scan = &reader->scan;
	bool may_be_value = true;

	while (!config_scan_keep_mark(scan, '}')) {
		struct config_token token = config_scan_look(scan);

		if (may_be_value
			? !config_token_is_value(&token) || config_fault_is_over(scan, section, 1)
			: !config_token_is_mark(&token, ','))
			return false;
		keep_value(reader, row, &token);
		may_be_value = !may_be_value;
	}
	return true;
}

/* name = value, name = {value, ...}, name += {value, ...}; the name comes next. */
static void scan_option(struct config_reader *reader, const struct option_section *section,
			const struct option_row *row)
{
	const char *fault = fault_ahead(&reader->scan, row);
	const char *doubt = config_doubt_empty(row->name);
	struct config_scan *scan = &reader->scan;
	size_t start = scan->text->text.len;
	struct config_token token;
	bool is_list;

	if (fault) {
		config_report_add(report_of(reader), CONFIG_ERROR, 0, "%s: %s", row->name, fault);
		skip_statement(reader);
		return;
	}
	if (doubt && is_emptied_ahead(scan))
		config_report_add(report_of(reader), CONFIG_WARNING, 0, "%s = {}: %s", row->name,
				  doubt);
	token = config_scan_look(scan);
	config_scan_keep(scan, &token);
	if (!config_scan_keep_mark(scan, '=') && !config_scan_keep_mark(scan, '+')) {
		config_fault_missing(reader, "equal sign after option", row->name);
		config_fault_skip(reader, section, start, 0);
		return;
	}
	is_list = row->type == OPTION_IS_LIST && config_scan_keep_mark(scan, '{');
	token = config_scan_look(scan);
	if (is_list && scan_list(reader, section, row))
		return;
	if (!is_list && config_fault_is_over(scan, section, 1)) {
		config_fault_missing(reader, "value of option", row->name);
	} else if (!is_list && config_token_is_value(&token)) {
		keep_value(reader, row, &token);
		return;
	} else {
		config_fault_unexpected(reader);
	}
	config_fault_skip(reader, section, start, is_list);
}

/* Says so when an option has had a value in this section of this file, of which nothing is left. */
static void note_option(struct config_reader *reader, const struct option_row *row,
			struct noted *noted)
{
	struct config_report *report = report_of(reader);
	struct config_scan ahead = reader->scan;
	struct config_token token;
	size_t i = 0;

	ahead.text = NULL;
	token = config_scan_look(&ahead); /* the name */
	config_scan_keep(&ahead, &token);
	if (!config_scan_keep_mark(&ahead, '='))
		return;
	while (i < noted->n && noted->rows[i] != row)
		i++;
	if (i < noted->n) {
		unsigned line;
		const char *file = config_report_origin(report, noted->lines[i], &line);

		config_report_add(report, CONFIG_WARNING, 0,
				  "%s: stands at %s:%u already, and only this one counts",
				  row->name, file, line);
	} else if (noted->n < MAX_NOTED) {
		noted->n++;
	} else {
		return;
	}
	noted->rows[i] = row;
	noted->lines[i] = report->n_lines;
}

/* Remembers that a section begins; says so when its title is not new. Takes title. */
static void add_mark(struct config_reader *reader, const struct option_section *section,
		     char *title)
{
	struct config_text *text = reader->scan.text;
	struct config_mark *marks = realloc(text->marks, (text->n_marks + 1) * sizeof(*marks));

	if (!marks) {
		text->report->err = ERR_NO_MEMORY;
		free(title);
		return;
	}
	text->marks = marks;
	for (size_t i = 0; title && i < text->n_marks; i++) {
		unsigned line;
		const char *file = config_report_origin(text->report, marks[i].line, &line);

		if (!marks[i].title || strcmp(marks[i].title, title) != 0)
			continue;
		config_report_add(text->report, CONFIG_ERROR, 0,
				  "%s: \"%s\" is the name of a section already, at %s:%u",
				  section->name, title, file, line);
		break;
	}
	marks[text->n_marks++] =
	    (struct config_mark){.section = section, .title = title, .line = text->report->n_lines};
}

static char *title_of(struct config_reader *reader, const struct config_token *token)
{
	char *title = malloc(token->len + 1);

	if (title)
		config_token_text(token, title, token->len + 1);
	else
		report_of(reader)->err = ERR_NO_MEMORY;
	return title;
}

/* The brace of a section, which may be missing: behind an equal sign that is wrong, or in front of
 * an option of the section. False: what comes next is something else. */
static bool scan_brace(struct config_reader *reader, const struct option_section *section)
{
	struct config_scan *scan = &reader->scan, ahead = *scan;
	struct config_token token;

	if (config_scan_keep_mark(scan, '{'))
		return true;
	ahead.text = NULL;
	if (config_scan_keep_mark(&ahead, '=') && config_scan_keep_mark(&ahead, '{')) {
		config_fault_missing(reader, "opening brace for section", section->name);
		token = config_scan_look(scan);
		config_scan_blank(scan, &token);
		return config_scan_keep_mark(scan, '{');
	}
	if (!config_fault_is_over(scan, section, 1))
		return false;
	config_fault_missing(reader, "opening brace for section", section->name);
	buf_text(&scan->text->text, "{");
	return true;
}

/* The title of a section, if it has one and it comes next. False: it is missing, and there is no
 * brace of which that can be said without doubt. */
static bool scan_title(struct config_reader *reader, const struct option_section *section)
{
	struct config_scan *scan = &reader->scan;
	struct config_token token = config_scan_look(scan);
	char *title = NULL;

	if (section->is_titled && config_token_is_value(&token)) {
		title = title_of(reader, &token);
		config_scan_keep(scan, &token);
	} else if (section->is_titled) {
		config_fault_missing(reader, "title for section", section->name);
		if (!config_token_is_mark(&token, '{'))
			return false;
		buf_text(&scan->text->text, "'untitled'");
	}
	add_mark(reader, section, title);
	return true;
}

/* section { ... } or section "title" { ... }; the name comes next. */
static void scan_section(struct config_reader *reader, const struct option_section *section)
{
	struct config_scan *scan = &reader->scan;
	struct config_token token = config_scan_look(scan);
	size_t line = report_of(reader)->n_lines, start = scan->text->text.len;

	config_scan_keep(scan, &token);
	if (!scan_title(reader, section)) {
		config_fault_skip(reader, option_sections, start, 0);
		return;
	}
	if (!scan_brace(reader, section)) {
		config_fault_missing(reader, "opening brace for section", section->name);
		config_fault_skip(reader, option_sections, start, 0);
		return;
	}
	reader->n_open++;
	config_statements_read(reader, section);
	reader->n_open--;
	if (scan->text->is_cut || config_scan_keep_mark(scan, '}'))
		return;
	config_report_add(report_of(reader), CONFIG_ERROR, line, "%s: its { has no }",
			  section->name);
	scan->text->is_broken = true;
	buf_text(&scan->text->text, "}");
}

/* Takes a value, if it comes next; its text to dst. */
static bool skip_value(struct config_scan *scan, char *dst, size_t cap)
{
	struct config_token token = config_scan_look(scan);

	if (!config_token_is_value(&token))
		return false;
	config_token_text(&token, dst, cap);
	config_scan_blank(scan, &token);
	return true;
}

/* include("pattern"); the name comes next. */
static void scan_include(struct config_reader *reader, const struct option_section *section)
{
	struct config_scan ahead = reader->scan;
	size_t line = report_of(reader)->n_lines;
	char pattern[PATH_MAX];
	bool is_call;

	ahead.text = NULL;
	is_call =
	    skip_value(&ahead, pattern, sizeof(pattern)) && config_scan_keep_mark(&ahead, '(') &&
	    skip_value(&ahead, pattern, sizeof(pattern)) && config_scan_keep_mark(&ahead, ')');
	skip_statement(reader);
	if (is_call)
		reader->include(reader, section, pattern);
	else
		config_report_add(report_of(reader), CONFIG_ERROR, line,
				  "include: not understood, allowed: include(\"FILES\")");
}

/* A section's name comes next, inside of another one: that has no end, unless braces pair up as
 * they are. */
static bool lacks_end(const struct config_reader *reader)
{
	return reader->n_open > 0 && config_scan_is_section(&reader->scan) &&
	       config_scan_braces(&reader->scan) != (long)reader->n_open;
}

void config_statements_read(struct config_reader *reader, const struct option_section *section)
{
	struct noted noted = {.n = 0};

	for (;;) {
		struct config_token token = config_scan_look(&reader->scan);
		const struct option_section *inner;
		const struct option_row *row;
		char name[CONFIG_NAME_SIZE];

		if (token.type == TOKEN_END || config_token_is_mark(&token, '}'))
			return;
		if (!config_token_is_value(&token)) {
			config_fault_unexpected(reader);
			config_fault_skip(reader, section, reader->scan.text->text.len, 0);
			continue;
		}
		config_token_text(&token, name, sizeof(name));
		row = option_row_named(section, name);
		inner = name[0] ? option_section_named(name) : NULL;
		if (row) {
			note_option(reader, row, &noted);
			scan_option(reader, section, row);
		} else if (inner && section == option_sections) {
			scan_section(reader, inner);
		} else if (inner && lacks_end(reader)) {
			return;
		} else if (strcmp(name, "include") == 0) {
			scan_include(reader, section);
		} else {
			config_unknown_report(&reader->scan, section, name);
			skip_statement(reader);
		}
	}
}
