/* SPDX-License-Identifier: ISC */
/* Text for people that fits on a screen of the usual width. */
#ifndef OCSPRELAY_CMD_FOLD_H
#define OCSPRELAY_CMD_FOLD_H

#include <stdarg.h>

#include "base/buf.h"

#define FOLD_COLUMNS 80

/* Appends a text to the last line of out, which may have begun. Where the next word would not fit
 * another line begins, indented by so many columns. A word too long for that has a line of its
 * own, whole. Sequences of colours (cmd/paint.h) take no columns. No line's end is appended. */
void fold_text(struct buf *out, unsigned indent, const char *text);
void fold_vprintf(struct buf *out, unsigned indent, const char *fmt, va_list args)
    PRINTF_LIKE(3, 0);
void fold_printf(struct buf *out, unsigned indent, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* How many columns a text takes: characters, as far as we know. */
size_t fold_columns(const char *text, size_t len);

#endif
