/* SPDX-License-Identifier: ISC */
/*
 * The tokens of one file of the configuration, cut as libConfuse's lexer cuts them. Taking a token
 * appends it to the text, or only its line ends where it is to be blank.
 */
#ifndef OCSPRELAY_CTL_CONFIG_SCAN_H
#define OCSPRELAY_CTL_CONFIG_SCAN_H

#include "ctl/config_text.h"

#define CONFIG_NAME_SIZE 128 /* of an option or section; longer ones are unknown anyway */

enum config_token_type {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STAR_WORD, /* with a star or plus, which libConfuse would drop */
	TOKEN_STRING,
	TOKEN_MARK,  /* one of { } ( ) = , and += */
	TOKEN_BROKEN /* a string or comment that does not end */
};

struct config_token {
	enum config_token_type type;
	const char *p; /* in the file */
	size_t len;
	char mark; /* of a TOKEN_MARK; '+' for += */
};

struct config_scan {
	struct config_text *text; /* NULL: only looking ahead */
	const char *p, *end;
	size_t file; /* index in the report */
	unsigned line;
};

/* Takes blanks and comments; the token behind them is not taken yet. */
struct config_token config_scan_look(struct config_scan *scan);
void config_scan_keep(struct config_scan *scan, const struct config_token *token);
void config_scan_blank(struct config_scan *scan, const struct config_token *token);

/* Takes a token of this mark, if it comes next. */
bool config_scan_keep_mark(struct config_scan *scan, char mark);

/* Looks ahead: the name that comes next stands for a section. */
bool config_scan_is_section(const struct config_scan *scan);

/* Looks ahead to the end of the file: how many more braces are closed than opened. */
long config_scan_braces(const struct config_scan *scan);

/* The token's text without quotes, escapes as written, cut where cap ends. */
void config_token_text(const struct config_token *token, char *dst, size_t cap);

/* True: a variable of the environment stands in the token, has no default and is not set; its name
 * to dst, cut where cap ends. */
bool config_token_unset(const struct config_token *token, char *dst, size_t cap);

bool config_token_is_mark(const struct config_token *token, char mark);

/* A word or a string: what may be a name or a value. */
bool config_token_is_value(const struct config_token *token);

#endif
