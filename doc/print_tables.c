/* SPDX-License-Identifier: ISC */
/*
 * Prints the tables of include/tbl as mdoc, for the man pages: a build-time program, so that no
 * page can differ from the rows.  print_tables options SECTION | commands | metrics |
 * oddities | errors
 */
#include <stdio.h>
#include <string.h>

#include "base/counters.h"
#include "err.h"

#ifndef CONFIG_DEFAULT_PATH
#define CONFIG_DEFAULT_PATH SYSCONFDIR "/ocsprelay/ocsprelay.conf"
#endif

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
static void print_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
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

static void print_options(const char *section)
{
	for (size_t i = 0; i < N_ELEMENTS(options); i++) {
		if (strcmp(options[i].section, section) != 0)
			continue;
		printf(".It Cm %s\n", options[i].name);
		print_text(options[i].help);
		fputs(".\n", stdout);
		print_default(&options[i]);
	}
}

static void print_commands(void)
{
	static const struct {
		const char *name, *arguments, *text, *help;
	} commands[] = {
#define COMMAND(name, arguments, text, help) {#name, arguments, text, help},
#include "tbl/commands.h"
#undef COMMAND
	};

	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		printf(".It Cm %s Li ", commands[i].name);
		print_text(commands[i].arguments);
		putchar('\n');
		print_text(commands[i].text);
		fputs(".\n.Bd -literal\n", stdout);
		print_text(commands[i].help);
		fputs(".Ed\n", stdout);
	}
}

static void print_metrics(void)
{
	static const char *const scopes[N_SCOPES] = {"", "issuer", "issuer, responder", "tier"};

	for (unsigned i = 0; i < N_METRICS; i++) {
		const struct metric_row *row = metric_row((enum metric)i);

		printf(".It Va ocsprelay_%s\n", row->name);
		print_text(row->help);
		fputs(".\n", stdout);
		if (row->scope != SCOPE_NONE || row->dim[0] != DIM_NONE)
			printf("Labels: %s%s%s%s%s.\n", scopes[row->scope],
			       row->scope != SCOPE_NONE && row->dim[0] != DIM_NONE ? ", " : "",
			       row->dim[0] != DIM_NONE ? label_name(row->dim[0]) : "",
			       row->dim[1] != DIM_NONE ? ", " : "",
			       row->dim[1] != DIM_NONE ? label_name(row->dim[1]) : "");
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

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "options") == 0)
		print_options(argv[2]);
	else if (argc == 2 && strcmp(argv[1], "commands") == 0)
		print_commands();
	else if (argc == 2 && strcmp(argv[1], "metrics") == 0)
		print_metrics();
	else if (argc == 2 && strcmp(argv[1], "oddities") == 0)
		print_oddities();
	else if (argc == 2 && strcmp(argv[1], "errors") == 0)
		print_errors();
	else
		return 64;
	return 0;
}
