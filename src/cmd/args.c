/* SPDX-License-Identifier: ISC */
/*
 * getopt_long driven by rows. getopt_long keeps silent (opterr, leading colon) and what it finds
 * wrong is said here, in one line with a hint, because its own messages name the program only.
 */
#include "cmd/args.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "ctl/config.h"
#include "ctl/suggest.h"

#define PROGRAM	    "ocsprelay"
#define MAX_ROWS    30
#define FIRST_VAL   256 /* getopt_long's value of row 0; above every letter */
#define VAL_HELP    (FIRST_VAL + MAX_ROWS)
#define VAL_VERSION (VAL_HELP + 1)
#define MAX_NUMBER  INT32_MAX
#define MAX_SECONDS 3600
#define HELP_WIDTH  80
#define HELP_INDENT 24 /* of the text about an option */

struct command_row {
	const char *name, *arguments, *text, *help;
};

static const struct command_row commands[] = {
#define COMMAND(name, arguments, text, help) {#name, arguments, text, help},
#include "tbl/commands.h"
#undef COMMAND
};

int args_usage(const char *command, const char *fmt, ...)
{
	const char *space = command ? " " : "", *name = command ? command : "";
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "%s%s%s: %s (see %s%s%s --help)\n", PROGRAM, space, name, text, PROGRAM,
		space, name);
	return EXIT_USAGE;
}

void args_print_version(void)
{
	puts(PROGRAM " " PACKAGE_VERSION);
}

/* So much of text as is not to be torn: up to a blank that is not between brackets. */
static size_t unit_len(const char *text)
{
	int depth = 0;
	size_t n = 0;

	for (; text[n] != '\0' && (text[n] != ' ' || depth > 0); n++)
		depth += (text[n] == '[') - (text[n] == ']');
	return n;
}

/* A line, of which column octets stand there already; what does not fit goes below, indented. */
static void print_folded(const char *text, size_t column, size_t indent)
{
	for (bool is_first = true; *text != '\0'; is_first = false) {
		size_t len = unit_len(text);

		if (!is_first && column + 1 + len > HELP_WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (!is_first) {
			putchar(' ');
			column++;
		}
		fwrite(text, 1, len, stdout);
		column += len;
		text += len;
		text += *text == ' ';
	}
	putchar('\n');
}

/* Lines, in each of which an option takes HELP_INDENT octets and its text the rest. */
static void print_options(const char *help)
{
	char line[512];

	while (*help != '\0') {
		size_t len = strcspn(help, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, help);
		printf("%.*s", HELP_INDENT, line);
		print_folded(len > HELP_INDENT ? line + HELP_INDENT : "", HELP_INDENT, HELP_INDENT);
		help += len + 1;
	}
}

static void print_program_help(void)
{
	puts("usage: " PROGRAM " COMMAND [OPTION]...\n\n"
	     "A caching OCSP relay: answers from verified responses, fetches what it lacks.\n");
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		int n = printf("  %-10s ", commands[i].name);

		print_folded(commands[i].text, (size_t)n, (size_t)n);
	}
	puts("\n  -h, --help            this text; after a command: its options\n"
	     "  -V, --version         the version\n\n"
	     "Exit status: 0 ok, 1 revoked or something is wrong, 2 unknown, 3 could not find\n"
	     "out, 64 usage, 78 configuration.");
}

void args_print_help(const char *command)
{
	if (!command) {
		print_program_help();
		return;
	}
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		const struct command_row *row = &commands[i];
		size_t column;

		if (strcmp(row->name, command) != 0)
			continue;
		column = (size_t)printf("usage: %s %s ", PROGRAM, row->name);
		print_folded(row->arguments, column, column);
		putchar('\n');
		print_folded(row->text, 0, 0);
		putchar('\n');
		print_options(row->help);
		puts("  -h, --help            this text\n"
		     "  -V, --version         the version");
		return;
	}
}

static bool takes_value(const struct args_row *row)
{
	return row->type == ARGS_TEXT || row->type == ARGS_TEXTS || row->type == ARGS_NUMBER ||
	       row->type == ARGS_SECONDS;
}

static bool is_operand(const struct args_row *row)
{
	return row->type == ARGS_OPERAND || row->type == ARGS_OPERANDS;
}

/* The rows as getopt_long wants them. */
static void make_options(const struct args_spec *spec, struct option *options, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < spec->n_rows; i++) {
		const struct args_row *row = &spec->rows[i];

		if (is_operand(row))
			continue;
		*options++ =
		    (struct option){.name = row->name,
				    .has_arg = takes_value(row) ? required_argument : no_argument,
				    .val = FIRST_VAL + (int)i};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (takes_value(row))
			*letters++ = ':';
	}
	*options++ = (struct option){.name = "help", .val = VAL_HELP};
	*options++ = (struct option){.name = "version", .val = VAL_VERSION};
	*options = (struct option){.name = NULL};
	memcpy(letters, "hV", sizeof("hV"));
}

/* The row of getopt_long's value: of a long name or a letter. */
static const struct args_row *row_of(const struct args_spec *spec, int val)
{
	if (val >= FIRST_VAL)
		return &spec->rows[val - FIRST_VAL];
	for (size_t i = 0; i < spec->n_rows; i++) {
		if (spec->rows[i].letter == val)
			return &spec->rows[i];
	}
	return NULL;
}

static int store_number(const struct args_spec *spec, const struct args_row *row, const char *text,
			uint64_t *out)
{
	bool are_seconds = row->type == ARGS_SECONDS;
	uint64_t number;

	if (decimal_decode(slice_text(text), MAX_NUMBER, &number) != OK)
		return args_usage(spec->command, "--%s: \"%s\" is no whole number", row->name,
				  text);
	if (are_seconds && (number == 0 || number > MAX_SECONDS))
		return args_usage(spec->command, "--%s: 1 to %d", row->name, MAX_SECONDS);
	*out = number;
	return ARGS_GO;
}

static int add_text(const struct args_spec *spec, struct args_texts *texts, const char *text)
{
	const char **items = reallocarray(texts->items, texts->n + 1, sizeof(*items));

	if (items == NULL)
		return args_usage(spec->command, "out of memory");
	items[texts->n++] = text;
	texts->items = items;
	return ARGS_GO;
}

void args_texts_fini(struct args_texts *texts)
{
	free(texts->items);
	*texts = (struct args_texts){.items = NULL};
}

/* text: the value, or the operand; NULL: a flag. */
static int store(const struct args_spec *spec, const struct args_row *row, const char *text,
		 void *out)
{
	void *member = (char *)out + row->offset;

	switch (row->type) {
	case ARGS_FLAG:
		*(bool *)member = true;
		break;
	case ARGS_NUMBER:
	case ARGS_SECONDS:
		return store_number(spec, row, text, member);
	case ARGS_TEXTS:
	case ARGS_OPERANDS:
		return add_text(spec, member, text);
	case ARGS_TEXT:
	case ARGS_OPERAND:
		*(const char **)member = text;
		break;
	}
	return ARGS_GO;
}

/* word: as on the command line, with its dashes. */
static int unknown_option(const struct args_spec *spec, const char *word)
{
	char name[64];
	struct suggestion suggestion = {.word = name};

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; i < spec->n_rows; i++) {
		if (!is_operand(&spec->rows[i]))
			suggestion_try(&suggestion, spec->rows[i].name);
	}
	suggestion_try(&suggestion, "help");
	suggestion_try(&suggestion, "version");
	if (suggestion.best)
		return args_usage(spec->command, "unknown option --%s, did you mean --%s?", name,
				  suggestion.best);
	return args_usage(spec->command, "unknown option --%s", name);
}

/* What getopt_long answered with '?' or ':'; optopt says which option, if it knows one. */
static int refused_option(const struct args_spec *spec, int result, char **argv)
{
	const char *what = result == ':' ? "needs a value" : "takes no value";
	const struct args_row *row;

	if (optopt >= VAL_HELP)
		return args_usage(spec->command, "--help and --version take no value");
	row = optopt ? row_of(spec, optopt) : NULL;
	if (row)
		return args_usage(spec->command, "--%s %s", row->name, what);
	if (optopt)
		return args_usage(spec->command, "unknown option -%c", optopt);
	return unknown_option(spec, argv[optind - 1]);
}

static int read_operands(const struct args_spec *spec, int argc, char **argv, void *out)
{
	int status = ARGS_GO;

	for (size_t i = 0; i < spec->n_rows; i++) {
		const struct args_row *row = &spec->rows[i];

		if (row->type == ARGS_OPERAND && optind >= argc)
			return args_usage(spec->command, "%s is missing", row->name);
		if (row->type == ARGS_OPERAND)
			status = store(spec, row, argv[optind++], out);
		while (row->type == ARGS_OPERANDS && optind < argc && status == ARGS_GO)
			status = store(spec, row, argv[optind++], out);
	}
	if (status == ARGS_GO && optind < argc)
		return args_usage(spec->command, "\"%s\" is too much", argv[optind]);
	return status;
}

int args_read(const struct args_spec *spec, int argc, char **argv, void *out)
{
	struct option options[MAX_ROWS + 3];
	char letters[2 * MAX_ROWS + 4];
	int status = ARGS_GO;

	make_options(spec, options, letters);
	opterr = 0;
	optind = 0; /* glibc and musl: start afresh */
	while (status == ARGS_GO) {
		int val = getopt_long(argc, argv, letters, options, NULL);

		if (val == -1)
			return read_operands(spec, argc, argv, out);
		if (val == '?' || val == ':')
			return refused_option(spec, val, argv);
		if (val == 'h' || val == VAL_HELP) {
			args_print_help(spec->command);
			return EXIT_OK;
		}
		if (val == 'V' || val == VAL_VERSION) {
			args_print_version();
			return EXIT_OK;
		}
		status = store(spec, row_of(spec, val), optarg, out);
	}
	return status;
}
