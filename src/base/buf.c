/* SPDX-License-Identifier: ISC */
/*
 * The growing buffer. Memory doubles up to the ceiling; one octet more than cap is allocated, for
 * the NUL that vsnprintf writes. The first failure sticks: every later append returns it and adds
 * nothing, so what is there is always a prefix of what was meant.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

#define FIRST_CAP 256

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void buf_fini(struct buf *buf)
{
	free(buf->p);
	*buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->err = OK;
}

static err_t fail(struct buf *buf, err_t err)
{
	buf->err = err;
	return err;
}

/* Room for n more octets and a NUL. */
static err_t reserve(struct buf *buf, size_t n)
{
	size_t needed, cap, alloc_len;
	uint8_t *p;

	if (buf->err)
		return buf->err;
	if (!size_add(buf->len, n, &needed) || needed > buf->max)
		return fail(buf, ERR_TOO_LONG);
	if (buf->p && needed <= buf->cap)
		return OK;
	if (!size_mul(buf->cap, 2, &cap) || cap > buf->max)
		cap = buf->max;
	if (cap < FIRST_CAP)
		cap = buf->max < FIRST_CAP ? buf->max : FIRST_CAP;
	if (cap < needed)
		cap = needed;
	if (!size_add(cap, 1, &alloc_len))
		return fail(buf, ERR_NO_MEMORY);
	p = realloc(buf->p, alloc_len);
	if (!p)
		return fail(buf, ERR_NO_MEMORY);
	buf->p = p;
	buf->cap = cap;
	return OK;
}

err_t buf_append(struct buf *buf, const void *p, size_t len)
{
	err_t err = reserve(buf, len);

	if (err)
		return err;
	if (len > 0)
		memcpy(buf->p + buf->len, p, len);
	buf->len += len;
	return OK;
}

err_t buf_text(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

err_t buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args;
	int n;
	err_t err;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return buf->err ? buf->err : fail(buf, ERR_TOO_LONG);
	err = reserve(buf, (size_t)n);
	if (err)
		return err;
	va_start(args, fmt);
	vsnprintf((char *)buf->p + buf->len, (size_t)n + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)n;
	return OK;
}

/* Stands inside a JSON string as it is; C1 controls do not, for the sake of terminals. */
static bool is_plain(uint32_t code)
{
	return code >= 0x20 && code != '"' && code != '\\' && (code < 0x7f || code > 0x9f);
}

err_t buf_json(struct buf *buf, struct slice text)
{
	size_t len_before = buf->len;
	err_t err = buf->err;

	while (text.len > 0 && !err) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);

		if (n > 0 && is_plain(code)) {
			err = buf_append(buf, text.p, n);
		} else if (n > 0 && (code == '"' || code == '\\')) {
			err = buf_append(buf, (uint8_t[]){'\\', text.p[0]}, 2);
		} else {
			/* An octet that is not UTF-8 counts as the code point of its value. */
			if (n == 0) {
				code = text.p[0];
				n = 1;
			}
			err = buf_printf(buf, "\\u%04x", (unsigned)code);
		}
		text = slice_skip(text, n);
	}
	if (err)
		buf->len = len_before;
	return err;
}

struct slice buf_slice(const struct buf *buf)
{
	return slice_of(buf->p, buf->len);
}
