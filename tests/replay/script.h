/* SPDX-License-Identifier: ISC */
/*
 * A play's text: lines of words. A comment begins with '#'. Commas, and the colon at the end of a
 * word, are words of their own. And how a play fails: with the line, the virtual time and what was
 * logged last; then the process ends.
 */
#ifndef OCSPRELAY_TESTS_REPLAY_SCRIPT_H
#define OCSPRELAY_TESTS_REPLAY_SCRIPT_H

#include "types.h"

#define SCRIPT_MAX_WORDS 64

struct words { /* of a line; the part that has not been read yet */
	char *const *word;
	size_t n;
};

void script_open(const char *path);

/* The next line that has words; false at the end. The words are valid until the next call. */
bool script_next(struct words *out);

/* Never returns. A "%s" may be a word of the line. */
__attribute__((noreturn, format(printf, 1, 2))) void script_fail(const char *format, ...);

/* What script_fail shows behind its message. */
extern void (*script_on_failure)(void);

/* The word at the front is this one: takes it. */
bool words_take(struct words *words, const char *word);

/* Takes the word at the front, which must be there: `what` says for the message what it should be.
 */
const char *words_next(struct words *words, const char *what);

void words_end(const struct words *words); /* nothing must be left */

/* "90s", "10m", "12h", "7d", "250ms" as milliseconds; a "+" or "-" before it counts. */
int64_t words_duration(struct words *words);
int64_t words_number(struct words *words); /* with K, M for 1024, 1024^2; or a bare number */
double words_rate(struct words *words);	   /* "5/s", "20/m", "3/h" as per second */

int64_t script_duration(const char *word);
int64_t script_number(const char *word);

#endif
