/* SPDX-License-Identifier: ISC */
/* Arguments of subcommands: what is taken, what is refused with exit status 64, and that --help and
 * --version work everywhere. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/commands.h"
#include "ctl/config.h"

#define MAX_ARGS 10

struct sample {
	const char *config, *cert;
	bool json;
	uint64_t timeout;
};

static const struct args_row rows[] = {
    {"config", 'c', ARGS_TEXT, offsetof(struct sample, config)},
    {"json", 0, ARGS_FLAG, offsetof(struct sample, json)},
    {"timeout", 0, ARGS_SECONDS, offsetof(struct sample, timeout)},
    {"CERT.pem", 0, ARGS_OPERAND, offsetof(struct sample, cert)},
};
static const struct args_spec spec = {"query", rows, N_ELEMENTS(rows)};

static const struct args_spec no_operands = {"query", rows, N_ELEMENTS(rows) - 1};

/* Reads words (ended by NULL) after the command's name. */
static int read_words(const struct args_spec *by, const char *const *words, struct sample *out)
{
	char *argv[MAX_ARGS + 2] = {(char *)(uintptr_t) "query"};
	int argc = 1;

	for (; *words && argc <= MAX_ARGS; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	*out = (struct sample){.timeout = 10};
	return args_read(by, argc, argv, out);
}

Test(args, nothing_given_leaves_the_defaults)
{
	struct sample sample;

	cr_assert_eq(read_words(&no_operands, (const char *[]){NULL}, &sample), ARGS_GO);
	cr_expect_null(sample.config);
	cr_expect_not(sample.json);
	cr_expect_eq(sample.timeout, 10);
}

Test(args, options_stand_before_and_after_operands)
{
	static const char *const words[][MAX_ARGS] = {
	    {"-c", "a.conf", "--json", "--timeout", "5", "x.pem"},
	    {"x.pem", "--timeout=5", "--config=a.conf", "--json"},
	    {"-ca.conf", "--conf", "a.conf", "x.pem", "--json", "--timeout", "5"},
	    {"--json", "-c", "b.conf", "-c", "a.conf", "--timeout=5", "--", "x.pem"},
	};

	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		struct sample sample;

		cr_assert_eq(read_words(&spec, words[i], &sample), ARGS_GO, "row %zu", i);
		cr_expect_str_eq(sample.config, "a.conf", "row %zu", i);
		cr_expect_str_eq(sample.cert, "x.pem", "row %zu", i);
		cr_expect(sample.json, "row %zu", i);
		cr_expect_eq(sample.timeout, 5, "row %zu", i);
	}
}

Test(args, what_may_be_given_again_is_gathered)
{
	struct again {
		struct args_texts hosts, paths;
	};
	static const struct args_row again_rows[] = {
	    {"tls", 0, ARGS_TEXTS, offsetof(struct again, hosts)},
	    {"PATH", 0, ARGS_OPERANDS, offsetof(struct again, paths)},
	};
	static const struct args_spec by = {"warm", again_rows, N_ELEMENTS(again_rows)};
	const char *words[] = {"warm", "x", "--tls", "a", "y", "--tls=b", "z", NULL};
	struct again again = {.hosts = {0}};

	cr_assert_eq(args_read(&by, 1, (char *[]){(char *)(uintptr_t) "warm", NULL}, &again),
		     ARGS_GO);
	cr_expect_eq(again.hosts.n + again.paths.n, 0);
	cr_assert_eq(args_read(&by, N_ELEMENTS(words) - 1, (char **)(uintptr_t)words, &again),
		     ARGS_GO);
	cr_assert_eq(again.hosts.n, 2);
	cr_expect_str_eq(again.hosts.items[0], "a");
	cr_expect_str_eq(again.hosts.items[1], "b");
	cr_assert_eq(again.paths.n, 3);
	cr_expect_str_eq(again.paths.items[0], "x");
	cr_expect_str_eq(again.paths.items[2], "z");
	args_texts_fini(&again.hosts);
	args_texts_fini(&again.paths);
}

Test(args, a_dashed_operand_stands_after_two_dashes)
{
	struct sample sample;

	cr_assert_eq(read_words(&spec, (const char *[]){"--", "--json", NULL}, &sample), ARGS_GO);
	cr_expect_str_eq(sample.cert, "--json");
	cr_expect_not(sample.json);
}

Test(args, usage_errors_are_one_line_with_a_hint, .init = cr_redirect_stderr)
{
	static const struct {
		const char *words[MAX_ARGS];
		const char *text;
	} cases[] = {
	    {{"--jsn", "x.pem"}, "unknown option --jsn, did you mean --json?"},
	    {{"--jsn=1", "x.pem"}, "unknown option --jsn, did you mean --json?"},
	    {{"--purple", "x.pem"}, "unknown option --purple"},
	    {{"-x", "x.pem"}, "unknown option -x"},
	    {{"x.pem", "-c"}, "--config needs a value"},
	    {{"x.pem", "--timeout"}, "--timeout needs a value"},
	    {{"--json=yes", "x.pem"}, "--json takes no value"},
	    {{"--help=yes"}, "--help and --version take no value"},
	    {{"--timeout", "5s", "x.pem"}, "--timeout: \"5s\" is no whole number"},
	    {{"--timeout", "-1", "x.pem"}, "--timeout: \"-1\" is no whole number"},
	    {{"--timeout", "", "x.pem"}, "--timeout: \"\" is no whole number"},
	    {{"--timeout", "2147483648", "x.pem"}, "--timeout: \"2147483648\" is no whole number"},
	    {{"--timeout", "0", "x.pem"}, "--timeout: 1 to 3600"},
	    {{"--timeout", "3601", "x.pem"}, "--timeout: 1 to 3600"},
	    {{"--json"}, "CERT.pem is missing"},
	    {{"x.pem", "y.pem"}, "\"y.pem\" is too much"},
	};
	char expected[2048] = "";

	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		size_t len = strlen(expected);
		struct sample sample;

		cr_expect_eq(read_words(&spec, cases[i].words, &sample), EXIT_USAGE, "row %zu", i);
		snprintf(expected + len, sizeof(expected) - len,
			 "ocsprelay query: %s (see ocsprelay query --help)\n", cases[i].text);
	}
	fflush(stderr);
	cr_assert_stderr_eq_str(expected);
}

Test(args, usage_of_the_program_names_no_command, .init = cr_redirect_stderr)
{
	cr_expect_eq(args_usage(NULL, "unknown command \"%s\"", "x"), 64);
	fflush(stderr);
	cr_assert_stderr_eq_str("ocsprelay: unknown command \"x\" (see ocsprelay --help)\n");
}

Test(args, help_and_version_end_with_0, .init = cr_redirect_stdout)
{
	static const char *const words[][MAX_ARGS] = {
	    {"--help"}, {"-h"}, {"--json", "-h"}, {"--version"}, {"-V"}, {"x", "y", "--version"}};

	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		struct sample sample;

		cr_expect_eq(read_words(&spec, words[i], &sample), EXIT_OK, "row %zu", i);
	}
}

Test(args, version_is_one_line, .init = cr_redirect_stdout)
{
	args_print_version();
	fflush(stdout);
	cr_assert_stdout_eq_str("ocsprelay " PACKAGE_VERSION "\n");
}

/* What --help prints for command. */
static void capture(const char *command, char *dst, size_t cap)
{
	FILE *file;
	size_t n;

	cr_redirect_stdout();
	args_print_help(command);
	fflush(stdout);
	file = cr_get_redirected_stdout();
	n = fread(dst, 1, cap - 1, file);
	dst[n] = '\0';
}

Test(args, help_lists_every_command)
{
	char text[8192];

	capture(NULL, text, sizeof(text));
#define COMMAND(name, arguments, summary, help) \
	cr_expect_not_null(strstr(text, "\n  " #name " "), #name);
#include "tbl/commands.h"
#undef COMMAND
}

Test(args, help_of_a_command_has_its_usage_and_options)
{
	char text[8192];

	capture("verify", text, sizeof(text));
	cr_expect_eq(strncmp(text, "usage: ocsprelay verify --issuer CA.pem", 39), 0);
	cr_expect_not_null(strstr(text, "\n      --at TIME "));
	cr_expect_not_null(strstr(text, "\n  -h, --help "));
}

Test(args, help_fits_a_terminal)
{
	static const char *const names[] = {
	    NULL,
#define COMMAND(name, arguments, summary, help) #name,
#include "tbl/commands.h"
#undef COMMAND
	};
	char text[8192];

	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		capture(names[i], text, sizeof(text));
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			cr_expect(strlen(line) <= 80 || strstr(line, CONFIG_DEFAULT_PATH), "%s",
				  line);
	}
}

Test(args, help_tears_nothing_between_brackets)
{
	char text[8192];

	capture("staple", text, sizeof(text));
	cr_expect_not_null(
	    strstr(text, " [--dir DIR]\n                        [--hook CMD [--shell]] "));
	cr_expect_not_null(strstr(text, " as its arguments\n"));
}
