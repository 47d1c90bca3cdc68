/* SPDX-License-Identifier: ISC */
/* Reading plays. */
#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *path;
	FILE *file;
	unsigned line;
	char text[1024];
	char parts[2048]; /* the words, a NUL behind each */
	char *word[SCRIPT_MAX_WORDS];
} script;

void (*script_on_failure)(void);

void script_fail(const char *format, ...)
{
	va_list args;

	printf("%s:%u: ", script.path, script.line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n\t%s\n", script.text);
	if (script_on_failure != NULL)
		script_on_failure();
	fflush(stdout);
	_Exit(1);
}

void script_open(const char *path)
{
	script.path = path;
	script.file = fopen(path, "r");
	if (script.file == NULL)
		script_fail("cannot be read");
}

static bool is_alone(const char *c)
{
	return *c == ',' || (*c == ':' && (c[1] == ' ' || c[1] == '\0'));
}

static size_t split(void)
{
	char *to = script.parts;
	size_t n = 0;

	for (const char *c = script.text; *c != '\0' && *c != '#';) {
		if (*c == ' ' || *c == '\t') {
			c++;
			continue;
		}
		if (n == SCRIPT_MAX_WORDS)
			script_fail("too many words");
		script.word[n++] = to;
		do
			*to++ = *c++;
		while (!is_alone(c - 1) && !is_alone(c) && strchr(" \t#", *c) == NULL);
		*to++ = '\0';
	}
	return n;
}

bool script_next(struct words *out)
{
	while (fgets(script.text, sizeof(script.text), script.file) != NULL) {
		script.line++;
		script.text[strcspn(script.text, "\n")] = '\0';
		*out = (struct words){.word = script.word, .n = split()};
		if (out->n > 0)
			return true;
	}
	fclose(script.file);
	snprintf(script.text, sizeof(script.text), "(the end of the play)");
	return false;
}

bool words_take(struct words *words, const char *word)
{
	if (words->n == 0 || strcmp(words->word[0], word) != 0)
		return false;
	words->word++;
	words->n--;
	return true;
}

const char *words_next(struct words *words, const char *what)
{
	const char *word;

	if (words->n == 0)
		script_fail("%s is missing", what);
	word = words->word[0];
	words->word++;
	words->n--;
	return word;
}

void words_end(const struct words *words)
{
	if (words->n > 0)
		script_fail("'%s' is too much", words->word[0]);
}

struct unit {
	const char *name;
	int64_t factor;
};

static int64_t with_unit(const char *word, const struct unit *units)
{
	char *end;
	double number = strtod(word, &end);

	for (; end != word && units->name != NULL; units++) {
		if (strcmp(end, units->name) == 0)
			return (int64_t)(number * (double)units->factor);
	}
	script_fail("'%s' is no number, or has an unknown unit", word);
}

int64_t script_duration(const char *word)
{
	static const struct unit units[] = {{"ms", 1},	    {"s", 1000},     {"m", 60000},
					    {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

	return with_unit(word, units);
}

int64_t script_number(const char *word)
{
	static const struct unit units[] = {{"", 1}, {"K", 1024}, {"M", 1048576}, {NULL, 0}};

	return with_unit(word, units);
}

int64_t words_duration(struct words *words)
{
	return script_duration(words_next(words, "a duration"));
}

int64_t words_number(struct words *words)
{
	return script_number(words_next(words, "a number"));
}

double words_rate(struct words *words)
{
	static const struct unit units[] = {
	    {"/s", 3600000}, {"/m", 60000}, {"/h", 1000}, {NULL, 0}};

	return (double)with_unit(words_next(words, "a rate"), units) / 3600000;
}
