/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay: finds the subcommand that the first argument names and hands it the rest. The
 * commands are the rows of tbl/commands.h, each a function of cmd.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/commands.h"
#include "ctl/config.h"
#include "ctl/suggest.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
#define COMMAND(name, arguments, text, help) {#name, cmd_##name},
#include "tbl/commands.h"
#undef COMMAND
};

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

static int unknown_command(const char *word)
{
	struct suggestion suggestion = {.word = word};

	if (word[0] == '-')
		return args_usage(NULL, "unknown option %s; options stand after a command", word);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++)
		suggestion_try(&suggestion, commands[i].name);
	if (suggestion.best)
		return args_usage(NULL, "unknown command \"%s\", did you mean %s?", word,
				  suggestion.best);
	return args_usage(NULL, "unknown command \"%s\"", word);
}

/* Output that did not get out whole (full disk, closed pipe) is not a success. */
static int flushed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("ocsprelay: standard output");
	return status == EXIT_OK ? EXIT_NO_ANSWER : status;
}

/* command may be NULL. */
static int print_help(const char *command)
{
	for (size_t i = 0; command && i < N_ELEMENTS(commands); i++) {
		if (strcmp(command, commands[i].name) == 0) {
			args_print_help(command);
			return flushed(EXIT_OK);
		}
	}
	if (command && command[0] != '-')
		return unknown_command(command);
	args_print_help(NULL);
	return flushed(EXIT_OK);
}

int main(int argc, char **argv)
{
	static const char *const help[] = {"help", "--help", "-h", NULL};
	static const char *const version[] = {"version", "--version", "-V", NULL};

	if (argc < 2)
		return args_usage(NULL, "a command is missing");
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return flushed(commands[i].run(argc - 1, argv + 1));
	}
	if (is_one_of(argv[1], help))
		return print_help(argc > 2 ? argv[2] : NULL);
	if (is_one_of(argv[1], version)) {
		args_print_version();
		return flushed(EXIT_OK);
	}
	return unknown_command(argv[1]);
}
