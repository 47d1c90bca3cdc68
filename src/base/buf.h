/* SPDX-License-Identifier: ISC */
/*
 * A growing byte buffer with a ceiling, for what is assembled off the hot path: pages, logs,
 * upstream bodies. A failed append adds nothing and is remembered: every later one returns the same
 * failure until buf_reset, so that a writer may check once at the end.
 */
#ifndef OCSPRELAY_BASE_BUF_H
#define OCSPRELAY_BASE_BUF_H

#include "err.h"
#include "types.h"

struct buf {
	uint8_t *p; /* owned */
	size_t len, cap, max;
	err_t err; /* first failure: ERR_TOO_LONG or ERR_NO_MEMORY */
};

/* Empty, without memory of its own; never grows beyond max octets. */
void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);

/* Forgets contents and failure, keeps the memory. */
void buf_reset(struct buf *buf);

err_t buf_append(struct buf *buf, const void *p, size_t len);
err_t buf_text(struct buf *buf, const char *text);
err_t buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends text as the inside of a JSON string: quotes, backslashes, controls and octets that are
 * not UTF-8 escaped, the latter as the code point of the octet's value. */
err_t buf_json(struct buf *buf, struct slice text);

/* Borrowed until the next append. */
struct slice buf_slice(const struct buf *buf);

#endif
