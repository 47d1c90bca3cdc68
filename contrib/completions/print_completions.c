/* SPDX-License-Identifier: ISC */
/*
 * Prints what a shell needs to complete ocsprelay's command line, out of include/tbl/commands.h: a
 * build-time program, so that no completion can differ from what --help says.
 *
 *	print_completions bash | zsh | fish
 *
 * An option is a line of a command's help that begins with blanks and a dash; its value is the word
 * in capitals behind it. What a value may be is told by that word: see values[].
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "types.h"

#ifndef CONFIG_DEFAULT_PATH
#define CONFIG_DEFAULT_PATH SYSCONFDIR "/ocsprelay/ocsprelay.conf"
#endif

#define MAX_TEXT 256

static const struct command {
	const char *name, *arguments, *text, *help;
} commands[] = {
#define COMMAND(name, arguments, text, help) {#name, arguments, text, help},
#include "tbl/commands.h"
#undef COMMAND
    {"help", "", "what there is", ""},
    {"version", "", "the version", ""},
};

static const struct value {
	const char *name;
	const char *words; /* "/" for directories, "*" for files */
} values[] = {
    {"FILE", "*"},
    {"PATH", "*"},
    {"DIR", "/"},
    {"ALG", "sha1 sha224 sha256 sha384 sha512"},
    {"METHOD", "auto get post"},
    {"TIER", "memory disk redis"},
};

struct option {
	char letter;	     /* or 0 */
	char name[64];	     /* without its dashes */
	char value[64];	     /* "" for a flag */
	char text[MAX_TEXT]; /* what it does */
	bool is_repeatable;
};

static void copy(char *dst, size_t cap, const char *src, size_t len)
{
	snprintf(dst, cap, "%.*s", (int)len, src);
}

/* The option that a line of help is about; false when it is about an operand. */
static bool read_option(const char *line, size_t len, struct option *out)
{
	const char *end = line + len, *p = line;

	*out = (struct option){.letter = 0};
	while (p < end && *p == ' ')
		p++;
	if (end - p > 4 && p[0] == '-' && p[1] != '-') {
		out->letter = p[1];
		p += strlen("-x, ");
	}
	if (end - p < 3 || p[0] != '-' || p[1] != '-')
		return false;
	p += 2;
	copy(out->name, sizeof(out->name), p, strcspn(p, " \n"));
	p += strlen(out->name);
	if (p + 1 < end && p[0] == ' ' && isupper((unsigned char)p[1])) {
		copy(out->value, sizeof(out->value), p + 1, strcspn(p + 1, " \n"));
		p += 1 + strlen(out->value);
	}
	while (p < end && *p == ' ')
		p++;
	copy(out->text, sizeof(out->text), p, (size_t)(end - p));
	out->is_repeatable = strstr(out->text, "may be given again") != NULL;
	return true;
}

/* Calls fn with each option of a command, --help and --version included. */
static void each_option(const struct command *command,
			void (*fn)(const struct command *command, const struct option *option))
{
	static const struct option common[] = {
	    {.letter = 'h', .name = "help", .text = "how it is used"},
	    {.letter = 'V', .name = "version", .text = "the version"},
	};

	for (const char *line = command->help; *line;) {
		size_t len = strcspn(line, "\n");
		struct option option;

		if (read_option(line, len, &option))
			fn(command, &option);
		line += len + (line[len] == '\n');
	}
	for (size_t i = 0; i < N_ELEMENTS(common); i++)
		fn(command, &common[i]);
}

static const char *words_of(const char *value)
{
	for (size_t i = 0; i < N_ELEMENTS(values); i++) {
		if (strcmp(values[i].name, value) == 0)
			return values[i].words;
	}
	return "";
}

/* The command takes files: its usage ends neither with an option nor with one's value. */
static bool takes_files(const struct command *command)
{
	const char *arguments = command->arguments, *last = strrchr(arguments, '[');
	size_t len = strlen(arguments);

	if (len == 0)
		return false;
	if (arguments[len - 1] == ']')
		return last[1] != '-';
	last = strrchr(arguments, ' ');
	return (last ? last[1] : arguments[0]) != '-';
}

/* The word that must follow the command, as "add" of "add CERT.pem"; its length, or 0. */
static size_t word_after(const struct command *command)
{
	size_t len = strspn(command->arguments, "abcdefghijklmnopqrstuvwxyz");

	return command->arguments[len] == ' ' ? len : 0;
}

/* Text inside of single quotes; the characters of special get a backslash. */
static void print_quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr(special, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* --- bash ------------------------------------------------------------------------------------- */

static void print_bash_name(const struct command *command, const struct option *option)
{
	(void)command;
	printf(" --%s", option->name);
}

static void print_bash_value(const struct command *command, const struct option *option)
{
	const char *words = words_of(option->value);

	if (!option->value[0])
		return;
	printf("\t%s:--%s", command->name, option->name);
	if (option->letter)
		printf("|%s:-%c", command->name, option->letter);
	if (*words == '*' || *words == '/')
		printf(") _ocsprelay_files %s; return ;;\n", *words == '/' ? "-d" : "-f");
	else
		printf(") COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", words);
}

static void print_bash(void)
{
	fputs("_ocsprelay_files()\n{\n"
	      "\tcompopt -o filenames 2>/dev/null\n"
	      "\tmapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n}\n\n"
	      "_ocsprelay()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal command=${COMP_WORDS[1]} options= word= files=\n\n"
	      "\tCOMPREPLY=()\n"
	      "\t# --option=value comes as three words\n"
	      "\tif [[ $cur == = ]]; then\n\t\tcur=\n"
	      "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
	      "\tif ((COMP_CWORD == 1)); then\n\t\tCOMPREPLY=($(compgen -W '",
	      stdout);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++)
		printf("%s ", commands[i].name);
	fputs("--help --version' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $command:$prev in\n",
	      stdout);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++)
		each_option(&commands[i], print_bash_value);
	fputs("\tesac\n\tcase $command in\n", stdout);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		printf("\t%s)", commands[i].name);
		printf(" word='%.*s' files=%s options='", (int)word_after(&commands[i]),
		       commands[i].arguments, takes_files(&commands[i]) ? "yes" : "");
		each_option(&commands[i], print_bash_name);
		fputs("' ;;\n", stdout);
	}
	fputs("\tesac\n"
	      "\tif [[ $cur == -* ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	      "\telif [[ -n $word ]] && ((COMP_CWORD == 2)); then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$word\" -- \"$cur\"))\n"
	      "\telif [[ -n $files ]]; then\n"
	      "\t\t_ocsprelay_files -f\n\tfi\n}\n\n"
	      "complete -F _ocsprelay ocsprelay\n",
	      stdout);
}

/* --- zsh -------------------------------------------------------------------------------------- */

static void print_zsh_option(const struct command *command, const struct option *option)
{
	const char *words = words_of(option->value);

	(void)command;
	fputs(" \\\n\t\t\t", stdout);
	if (option->letter)
		printf("'(-%c --%s)'{-%c,--%s%s}", option->letter, option->name, option->letter,
		       option->name, option->value[0] ? "=" : "");
	else
		printf("%s--%s%s", option->is_repeatable ? "'*'" : "", option->name,
		       option->value[0] ? "=" : "");
	fputs("'[", stdout);
	print_quoted(option->text, ":[]\\");
	putchar(']');
	if (option->value[0]) {
		putchar(':');
		print_quoted(option->value, ":[]\\");
		putchar(':');
		if (*words == '*' || *words == '/')
			fputs(*words == '/' ? "_files -/" : "_files", stdout);
		else if (*words)
			printf("(%s)", words);
	}
	putchar('\'');
}

static void print_zsh(void)
{
	fputs("_ocsprelay() {\n\tlocal curcontext=$curcontext state line\n\tlocal -a commands\n"
	      "\tcommands=(\n",
	      stdout);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		printf("\t\t'%s:", commands[i].name);
		print_quoted(commands[i].text, ":\\");
		fputs("'\n", stdout);
	}
	fputs("\t)\n"
	      "\t_arguments -C '(-h --help)'{-h,--help}'[all commands]' "
	      "'(-V --version)'{-V,--version}'[the version]' \\\n"
	      "\t\t'1: :->command' '*:: :->arguments'\n"
	      "\tif [[ $state == command ]]; then\n\t\t_describe -t commands command commands\n"
	      "\t\treturn\n\tfi\n\t[[ $state == arguments ]] || return\n"
	      "\tcurcontext=${curcontext%:*}-$words[1]:\n\tcase $words[1] in\n",
	      stdout);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		size_t len = word_after(&commands[i]);

		printf("\t(%s)\n\t\t_arguments -S", commands[i].name);
		each_option(&commands[i], print_zsh_option);
		if (len > 0)
			printf(" \\\n\t\t\t'1: :(%.*s)'", (int)len, commands[i].arguments);
		if (takes_files(&commands[i]))
			fputs(" \\\n\t\t\t'*: :_files'", stdout);
		fputs("\n\t\t;;\n", stdout);
	}
	fputs("\tesac\n}\n\n"
	      "[[ $funcstack[1] != _ocsprelay ]] || _ocsprelay \"$@\"\n",
	      stdout);
}

/* --- fish ------------------------------------------------------------------------------------- */

static void print_fish_option(const struct command *command, const struct option *option)
{
	const char *words = words_of(option->value);

	printf("complete -c ocsprelay -n '__ocsprelay_is %s' -l %s", command->name, option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	if (option->value[0])
		fputs(*words == '*' ? " -r -F" : " -x", stdout);
	if (*words == '/')
		fputs(" -a '(__fish_complete_directories)'", stdout);
	else if (*words && *words != '*')
		printf(" -a '%s'", words);
	fputs(" -d '", stdout);
	print_quoted(option->text, "");
	fputs("'\n", stdout);
}

static void print_fish(void)
{
	fputs("function __ocsprelay_is\n"
	      "\tset -l words (commandline -opc)\n"
	      "\ttest \"$words[2]\" = $argv[1]\nend\n\n"
	      "complete -c ocsprelay -f\n"
	      "complete -c ocsprelay -n __fish_use_subcommand -s h -l help -d 'all commands'\n"
	      "complete -c ocsprelay -n __fish_use_subcommand -s V -l version -d 'the version'\n",
	      stdout);
	for (size_t i = 0; i < N_ELEMENTS(commands); i++) {
		const struct command *command = &commands[i];
		size_t len = word_after(command);

		printf("complete -c ocsprelay -n __fish_use_subcommand -a %s -d '", command->name);
		print_quoted(command->text, "");
		fputs("'\n", stdout);
		if (len > 0)
			printf("complete -c ocsprelay -n '__ocsprelay_is %s; and not "
			       "__fish_seen_subcommand_from %.*s' -a %.*s\n",
			       command->name, (int)len, command->arguments, (int)len,
			       command->arguments);
		if (takes_files(command))
			printf("complete -c ocsprelay -n '__ocsprelay_is %s' -F\n", command->name);
		each_option(command, print_fish_option);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *first_line;
		void (*print)(void);
	} shells[] = {
	    {"bash", "", print_bash},
	    {"zsh", "#compdef ocsprelay\n", print_zsh},
	    {"fish", "", print_fish},
	};

	for (size_t i = 0; argc == 2 && i < N_ELEMENTS(shells); i++) {
		if (strcmp(shells[i].name, argv[1]) != 0)
			continue;
		printf("%s# Completions of ocsprelay for %s, made from include/tbl/commands.h.\n",
		       shells[i].first_line, shells[i].name);
		shells[i].print();
		return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
	}
	fputs("usage: print_completions bash | zsh | fish\n", stderr);
	return 64;
}
