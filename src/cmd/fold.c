/* SPDX-License-Identifier: ISC */
/* Words to lines. Only spaces separate words, so that URLs, hashes and keys can be copied. */
#include "cmd/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN 4 /* of words that are too long */

size_t fold_columns(const char *text, size_t len)
{
	size_t columns = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\033') {
			while (i < len && text[i] != 'm')
				i++;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) { /* begins a character */
			columns++;
		}
	}
	return columns;
}

static size_t column_of(const struct buf *out)
{
	size_t begin = out->len;

	while (begin > 0 && out->p[begin - 1] != '\n')
		begin--;
	return out->len > begin ? fold_columns((const char *)out->p + begin, out->len - begin) : 0;
}

static void begin_line(struct buf *out, size_t indent)
{
	while (out->len > 0 && out->p[out->len - 1] == ' ')
		out->len--;
	if (out->len > 0 && out->p[out->len - 1] != '\n')
		buf_text(out, "\n");
	buf_printf(out, "%*s", (int)indent, "");
}

void fold_text(struct buf *out, unsigned indent, const char *text)
{
	size_t column = column_of(out), gap = 0, margin = indent < MARGIN ? indent : MARGIN;

	for (;;) {
		size_t len = strcspn(text, " "), width = fold_columns(text, len);

		if (column + gap + width <= FOLD_COLUMNS) {
			buf_append(out, " ", gap);
			column += gap + width;
		} else if (indent + width <= FOLD_COLUMNS) {
			begin_line(out, indent);
			column = indent + width;
		} else {
			if (gap > 0 || column > margin)
				begin_line(out, margin);
			column = FOLD_COLUMNS; /* nothing goes behind it */
		}
		buf_append(out, text, len);
		if (text[len] == '\0')
			return;
		text += len + 1;
		gap = 1;
	}
}

void fold_vprintf(struct buf *out, unsigned indent, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0) {
		out->err = out->err == OK ? ERR_NO_MEMORY : out->err;
		return;
	}
	fold_text(out, indent, text);
	free(text);
}

void fold_printf(struct buf *out, unsigned indent, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fold_vprintf(out, indent, fmt, args);
	va_end(args);
}
