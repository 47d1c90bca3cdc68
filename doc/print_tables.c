/* SPDX-License-Identifier: ISC */
/*
 * Prints the tables of include/tbl as mdoc, for the man pages: a build-time program, so that no
 * page can differ from the rows.  print_tables options SECTION | brief COMMAND... |
 * synopsis COMMAND... | command COMMAND | metrics | process | events | fields |
 * oddities | errors
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/counters.h"
#include "base/log.h"
#include "err.h"

#ifndef CONFIG_DEFAULT_PATH
#define CONFIG_DEFAULT_PATH SYSCONFDIR "/ocsprelay/ocsprelay.conf"
#endif

/* Where the texts of a command's help begin. */
#define HELP_COLUMN 24

struct option {
	const char *section, *name, *type, *value, *help;
};

#define OPTION(name, type, def, min, max, help) {SECTION, #name, #type, def, help},

static const struct option options[] = {
#define SECTION "top"
#define OPTIONS_TOP
#include "tbl/options.h"
#undef OPTIONS_TOP
#undef SECTION
#define SECTION "cache"
#define OPTIONS_CACHE
#include "tbl/options.h"
#undef OPTIONS_CACHE
#undef SECTION
#define SECTION "redis"
#define OPTIONS_REDIS
#include "tbl/options.h"
#undef OPTIONS_REDIS
#undef SECTION
#define SECTION "log"
#define OPTIONS_LOG
#include "tbl/options.h"
#undef OPTIONS_LOG
#undef SECTION
#define SECTION "limits"
#define OPTIONS_LIMITS
#include "tbl/options.h"
#undef OPTIONS_LIMITS
#undef SECTION
#define SECTION "issuer"
#define OPTIONS_ISSUER_OWN
#define OPTIONS_ISSUER
#include "tbl/options.h"
#undef OPTIONS_ISSUER
#undef OPTIONS_ISSUER_OWN
#undef SECTION
};

/* Text for mdoc: a backslash is written \e; a line that would begin with a control is shielded. */
static void print_slice(const char *text, size_t len)
{
	if (len > 0 && (*text == '.' || *text == '\''))
		fputs("\\&", stdout);
	for (; len > 0; text++, len--) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

static void print_text(const char *text)
{
	print_slice(text, strlen(text));
}

static void print_default(const struct option *option)
{
	if (strcmp(option->type, "CHOICE") == 0)
		printf("One of %s; the first is the default.\n", option->value);
	else if (strcmp(option->type, "LIST") == 0 && *option->value)
		printf("Default: { %s }.\n", option->value);
	else if (*option->value)
		printf("Default: %s.\n", option->value);
}

/* Exit status: 1 if there is no such section. */
static int print_options(const char *section)
{
	int status = 1;

	for (size_t i = 0; i < N_ELEMENTS(options); i++) {
		if (strcmp(options[i].section, section) != 0)
			continue;
		status = 0;
		printf(".It Cm %s\n", options[i].name);
		print_text(options[i].help);
		fputs(".\n", stdout);
		print_default(&options[i]);
	}
	return status;
}

static const struct command {
	const char *name, *arguments, *text, *help;
} commands[] = {
#define COMMAND(name, arguments, text, help) {#name, arguments, text, help},
#include "tbl/commands.h"
#undef COMMAND
};

/* NULL if no row has this name. */
static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	fprintf(stderr, "print_tables: include/tbl/commands.h has no %s\n", name);
	return NULL;
}

/* An item of a list that only says what the command is for. */
static void print_brief(const struct command *command)
{
	printf(".It Cm %s\n", command->name);
	print_text(command->text);
	fputs(".\n", stdout);
}

static void print_synopsis(const struct command *command)
{
	printf(".Nm ocsprelay\n.Cm %s\n", command->name);
	print_text(command->arguments);
	putchar('\n');
}

/* "-c, --config FILE" as the head of an item: options bold, their arguments underlined. */
static void print_option_head(const char *head, size_t len)
{
	char text[HELP_COLUMN + 1];
	size_t n = len < HELP_COLUMN ? len : HELP_COLUMN;

	memcpy(text, head, n);
	text[n] = '\0';
	fputs(".It", stdout);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		fputs(*word == '-' ? " Cm " : " Ar ", stdout);
		print_text(word);
	}
	putchar('\n');
}

/* What it does, and each line of its help as an item. */
static void print_command(const struct command *command)
{
	putchar(toupper((unsigned char)command->text[0]));
	print_text(command->text + 1);
	fputs(".\n.Bl -tag -width Ds\n", stdout);
	for (const char *line = command->help, *end; *line; line = end + 1) {
		size_t len;

		end = strchr(line, '\n');
		len = (size_t)(end - line);
		print_option_head(line, len);
		if (len > HELP_COLUMN)
			print_slice(line + HELP_COLUMN, len - HELP_COLUMN);
		putchar('\n');
	}
	fputs(".El\n", stdout);
}

/* "; op: get, put", with the values that no list of its own has. */
static void print_label(enum label_dim dim, const char *before)
{
	if (dim == DIM_NONE)
		return;
	printf("%s%s", before, label_name(dim));
	if (dim == DIM_REASON || dim == DIM_UPSTREAM_RESULT || dim == DIM_ODDITY)
		return;
	for (unsigned i = 0; i < label_count(dim); i++)
		printf("%s%s", i == 0 ? ": " : ", ", label_text(dim, i));
}

static void print_metrics(void)
{
	static const char *const scopes[N_SCOPES] = {"", "issuer", "issuer; responder", "tier"};

	for (unsigned i = 0; i < N_METRICS; i++) {
		const struct metric_row *row = metric_row((enum metric)i);

		printf(".It Va ocsprelay_%s\n", row->name);
		print_text(row->help);
		fputs(".\n", stdout);
		if (row->scope == SCOPE_NONE && row->dim[0] == DIM_NONE)
			continue;
		printf(".br\nLabels: %s", scopes[row->scope]);
		print_label(row->dim[0], row->scope == SCOPE_NONE ? "" : "; ");
		print_label(row->dim[1], "; ");
		fputs(".\n", stdout);
	}
}

static void print_process(void)
{
	static const struct {
		const char *name, *help;
	} rows[] = {
#define PROCESS(member, name, help) {name, help},
#include "tbl/process.h"
#undef PROCESS
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		printf(".It Va %s\n", rows[i].name);
		print_text(rows[i].help);
		fputs(".\n", stdout);
	}
}

static void print_oddities(void)
{
	static const struct {
		const char *label, *text;
	} oddities[] = {
#define ODDITY(id, label, text) {label, text},
#include "tbl/oddities.h"
#undef ODDITY
	};

	for (size_t i = 0; i < N_ELEMENTS(oddities); i++) {
		printf(".It Li %s\n", oddities[i].label);
		print_text(oddities[i].text);
		fputs(".\n", stdout);
	}
}

static void print_errors(void)
{
	for (unsigned i = 1; i < N_ERRORS; i++) {
		const struct err_row *row = err_row((err_t)i);

		printf(".It Li %s\n", row->label);
		print_text(row->text);
		fputs(".\n", stdout);
	}
}

static void print_events(void)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};

	for (unsigned i = 0; i < N_EVENTS; i++) {
		const struct log_row *row = log_row((enum log_event)i);

		printf(".It Li %s Pq %s\n", row->name, levels[row->level]);
		print_text(row->text);
		fputs(".\n.br\nFields: ", stdout);
		for (const char *p = row->fields; *p; p++)
			fputs(*p == ' ' ? ", " : (const char[]){*p, '\0'}, stdout);
		fputs(".\n", stdout);
	}
}

static void print_fields(void)
{
	static const struct {
		const char *name, *text;
	} fields[] = {
#define FIELD(name, text) {#name, text},
#include "tbl/fields.h"
#undef FIELD
	};

	for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
		printf(".It Li %s\n", fields[i].name);
		print_text(fields[i].text);
		fputs(".\n", stdout);
	}
}

static int print_commands(int n_names, char **names, void (*print)(const struct command *))
{
	for (int i = 0; i < n_names; i++) {
		const struct command *command = find_command(names[i]);

		if (!command)
			return 1;
		print(command);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word;
		void (*print)(void);
	} lists[] = {
	    {"metrics", print_metrics}, {"process", print_process},   {"events", print_events},
	    {"fields", print_fields},	{"oddities", print_oddities}, {"errors", print_errors},
	};

	if (argc == 3 && strcmp(argv[1], "options") == 0)
		return print_options(argv[2]);
	if (argc > 2 && strcmp(argv[1], "brief") == 0)
		return print_commands(argc - 2, argv + 2, print_brief);
	if (argc > 2 && strcmp(argv[1], "synopsis") == 0)
		return print_commands(argc - 2, argv + 2, print_synopsis);
	if (argc == 3 && strcmp(argv[1], "command") == 0)
		return print_commands(1, argv + 2, print_command);
	for (size_t i = 0; argc == 2 && i < N_ELEMENTS(lists); i++) {
		if (strcmp(argv[1], lists[i].word) == 0) {
			lists[i].print();
			return 0;
		}
	}
	return 64;
}
