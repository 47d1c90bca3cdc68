/* SPDX-License-Identifier: ISC */
/*
 * The scanner. It follows lexer.l of libConfuse 3.3, so that both see the same tokens; where they
 * could differ, the text is cut and an error is certain (see config_text.c), never a setting lost.
 */
#include "ctl/config_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Appends n octets, or only the line ends among them. */
static void emit(struct config_scan *scan, size_t n, bool keep)
{
	for (; n > 0; n--, scan->p++) {
		bool is_line_end = *scan->p == '\n';

		scan->line += is_line_end;
		if (!scan->text)
			continue;
		if (keep || is_line_end)
			buf_append(&scan->text->text, scan->p, 1);
		if (is_line_end)
			config_report_line(scan->text->report, scan->file, scan->line);
	}
	if (scan->text && !keep)
		buf_text(&scan->text->text, " ");
}

static size_t rest(const struct config_scan *scan)
{
	return (size_t)(scan->end - scan->p);
}

/* Octets of the comment that starts here; 0: none does. An open one reaches beyond the end. */
static size_t comment_len(const struct config_scan *scan)
{
	const char *end;
	size_t n = rest(scan);

	if (n >= 2 && memcmp(scan->p, "/*", 2) == 0) {
		end = memmem(scan->p + 2, n - 2, "*/", 2);
		return end ? (size_t)(end - scan->p) + 2 : n + 1;
	}
	if (n == 0 || (*scan->p != '#' && (n < 2 || memcmp(scan->p, "//", 2) != 0)))
		return 0;
	end = memchr(scan->p, '\n', n);
	return end ? (size_t)(end - scan->p) : n;
}

/* Behind the brace that ends ${NAME}, if p is at the start of one; else NULL. */
static const char *variable_end(const char *p, const char *end)
{
	const char *brace;

	if (end - p < 2 || p[0] != '$' || p[1] != '{')
		return NULL;
	brace = memchr(p, '}', (size_t)(end - p));
	return brace ? brace + 1 : NULL;
}

/* Behind a string's closing quote; NULL when there is none. */
static const char *string_end(const char *p, const char *end)
{
	char quote = *p++;

	while (p < end && *p != quote) {
		/* Quotes inside ${NAME} belong to it. */
		const char *behind = quote == '"' ? variable_end(p, end) : NULL;

		if (behind)
			p = behind;
		else
			p += *p == '\\' && end - p >= 2 ? 2 : 1;
	}
	return p < end ? p + 1 : NULL;
}

static bool is_word_octet(const char *p, const char *end)
{
	if (*p == '+' && end - p >= 2 && p[1] == '=')
		return false;
	return !strchr(" \t\r\n#\"'={}(),", *p);
}

static struct config_token word_at(const char *p, const char *end)
{
	struct config_token token = {.type = TOKEN_WORD, .p = p};

	for (; p < end && is_word_octet(p, end); p++) {
		if (*p == '*' || *p == '+')
			token.type = TOKEN_STAR_WORD;
	}
	token.len = (size_t)(p - token.p);
	return token;
}

/* The token at p, which is neither blank nor a comment. */
static struct config_token token_at(const char *p, const char *end)
{
	struct config_token token = {.type = TOKEN_MARK, .p = p, .len = 1, .mark = *p};
	const char *behind;

	if (end - p >= 2 && p[0] == '+' && p[1] == '=') {
		token.len = 2;
		return token;
	}
	if (strchr("{}()=,", *p))
		return token;
	behind = variable_end(p, end);
	if (!behind && *p != '"' && *p != '\'')
		return word_at(p, end);
	if (!behind)
		behind = string_end(p, end);
	token.type = behind ? TOKEN_STRING : TOKEN_BROKEN;
	token.len = behind ? (size_t)(behind - p) : (size_t)(end - p);
	return token;
}

struct config_token config_scan_look(struct config_scan *scan)
{
	for (;;) {
		size_t n = comment_len(scan);

		if (scan->text && scan->text->is_cut)
			break;
		if (n > rest(scan))
			return (struct config_token){
			    .type = TOKEN_BROKEN, .p = scan->p, .len = rest(scan)};
		if (n > 0)
			emit(scan, n, false);
		else if (rest(scan) > 0 && strchr(" \t\r\n", *scan->p))
			emit(scan, 1, true);
		else
			break;
	}
	if (rest(scan) == 0 || (scan->text && scan->text->is_cut))
		return (struct config_token){.type = TOKEN_END, .p = scan->p};
	return token_at(scan->p, scan->end);
}

void config_scan_keep(struct config_scan *scan, const struct config_token *token)
{
	emit(scan, token->len, true);
}

void config_scan_blank(struct config_scan *scan, const struct config_token *token)
{
	emit(scan, token->len, false);
}

bool config_scan_keep_mark(struct config_scan *scan, char mark)
{
	struct config_token token = config_scan_look(scan);

	if (!config_token_is_mark(&token, mark))
		return false;
	config_scan_keep(scan, &token);
	return true;
}

bool config_scan_is_section(const struct config_scan *scan)
{
	struct config_scan ahead = *scan;
	struct config_token token;

	ahead.text = NULL;
	token = config_scan_look(&ahead); /* the name */
	config_scan_keep(&ahead, &token);
	token = config_scan_look(&ahead);
	return config_token_is_value(&token) || config_token_is_mark(&token, '{');
}

long config_scan_braces(const struct config_scan *scan)
{
	struct config_scan ahead = *scan;
	long n = 0;

	ahead.text = NULL;
	for (;;) {
		struct config_token token = config_scan_look(&ahead);

		if (token.type == TOKEN_END || token.type == TOKEN_BROKEN)
			return n;
		n += config_token_is_mark(&token, '}');
		n -= config_token_is_mark(&token, '{');
		config_scan_keep(&ahead, &token);
	}
}

void config_token_text(const struct config_token *token, char *dst, size_t cap)
{
	bool is_quoted = token->type == TOKEN_STRING && (*token->p == '"' || *token->p == '\'');
	const char *p = token->p + is_quoted;
	size_t len = token->len - (is_quoted ? 2 : 0);

	if (len >= cap)
		len = cap - 1;
	memcpy(dst, p, len);
	dst[len] = '\0';
}

bool config_token_unset(const struct config_token *token, char *dst, size_t cap)
{
	const char *p = token->p, *end = p + token->len;

	if (token->type != TOKEN_STRING || *p == '\'')
		return false;
	while (p < end) {
		const char *behind = variable_end(p, end);
		size_t len;

		if (!behind) {
			p += *p == '\\' && end - p >= 2 ? 2 : 1;
			continue;
		}
		len = (size_t)(behind - p) - strlen("${}");
		if (!memmem(p, len, ":-", 2)) {
			snprintf(dst, cap, "%.*s", (int)len, p + 2);
			if (!getenv(dst))
				return true;
		}
		p = behind;
	}
	return false;
}

bool config_token_is_mark(const struct config_token *token, char mark)
{
	return token->type == TOKEN_MARK && token->mark == mark;
}

bool config_token_is_value(const struct config_token *token)
{
	return token->type == TOKEN_WORD || token->type == TOKEN_STRING ||
	       token->type == TOKEN_STAR_WORD;
}
