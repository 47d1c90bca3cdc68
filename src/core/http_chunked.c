/* SPDX-License-Identifier: ISC */
/*
 * The chunked decoder: a state per grammar position, so that the input may be cut anywhere. Data
 * octets move in blocks; only sizes, extensions and trailers go octet by octet. n_decoded <= n_read
 * <= len always, since every body octet was read first.
 */
#include "core/http_chunked.h"

#include <string.h>

#include "core/http_text.h"

enum state {
	SIZE_FIRST, /* a chunk-size must start */
	SIZE,
	EXTENSION_BLANK, /* blanks are allowed only before a semicolon */
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* a field line or the empty line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	DONE,
	INVALID /* and stays so */
};

static err_t add_digit(struct http_chunked *chunked, uint8_t digit, uint64_t max_body)
{
	uint64_t room = max_body > chunked->n_decoded ? max_body - chunked->n_decoded : 0;

	if (chunked->remaining > UINT64_MAX >> 4)
		return ERR_HTTP_BODY_SIZE;
	/* Zeros in front could go on for ever. */
	if (chunked->remaining == 0 && digit == '0' && ++chunked->n_overhead > MAX_CHUNKED_OVERHEAD)
		return ERR_HTTP_CHUNK;
	chunked->remaining = chunked->remaining << 4 | hex_value(digit);
	return chunked->remaining > room ? ERR_HTTP_BODY_SIZE : OK;
}

/* The state after c, which is no digit of a size. */
static enum state after_octet(const struct http_chunked *chunked, uint8_t c)
{
	switch ((enum state)chunked->state) {
	case SIZE:
		if (c == ' ' || c == '\t')
			return EXTENSION_BLANK;
		return c == '\r' ? SIZE_LF : c == ';' ? EXTENSION : INVALID;
	case EXTENSION_BLANK:
		if (c == ' ' || c == '\t')
			return EXTENSION_BLANK;
		return c == ';' ? EXTENSION : INVALID;
	case EXTENSION:
		return c == '\r' ? SIZE_LF : is_value_char(c) ? EXTENSION : INVALID;
	case SIZE_LF:
		if (c != '\n')
			return INVALID;
		return chunked->remaining > 0 ? DATA : TRAILER_FIRST;
	case DATA_CR:
		return c == '\r' ? DATA_LF : INVALID;
	case DATA_LF:
		return c == '\n' ? SIZE_FIRST : INVALID;
	case TRAILER_FIRST:
		return c == '\r' ? END_LF : is_char(c, CHAR_TOKEN) ? TRAILER_NAME : INVALID;
	case TRAILER_NAME:
		return c == ':' ? TRAILER_VALUE : is_char(c, CHAR_TOKEN) ? TRAILER_NAME : INVALID;
	case TRAILER_VALUE:
		return c == '\r' ? TRAILER_LF : is_value_char(c) ? TRAILER_VALUE : INVALID;
	case TRAILER_LF:
		return c == '\n' ? TRAILER_FIRST : INVALID;
	case END_LF:
		return c == '\n' ? DONE : INVALID;
	default:
		return INVALID;
	}
}

static err_t read_octet(struct http_chunked *chunked, uint8_t c, uint64_t max_body)
{
	enum state next;

	if (chunked->state <= SIZE && is_char(c, CHAR_HEX)) {
		chunked->state = SIZE;
		return add_digit(chunked, c, max_body);
	}
	next = after_octet(chunked, c);
	if (next == EXTENSION || next == EXTENSION_BLANK || next >= TRAILER_FIRST)
		chunked->n_overhead++;
	if (chunked->n_overhead > MAX_CHUNKED_OVERHEAD)
		next = INVALID;
	chunked->state = (int)next;
	return next == INVALID ? ERR_HTTP_CHUNK : OK;
}

static void move_data(struct http_chunked *chunked, uint8_t *buffer, size_t len)
{
	size_t n = len - chunked->n_read;

	if (n > chunked->remaining)
		n = (size_t)chunked->remaining;
	memmove(buffer + chunked->n_decoded, buffer + chunked->n_read, n);
	chunked->n_decoded += n;
	chunked->n_read += n;
	chunked->remaining -= n;
	if (chunked->remaining == 0)
		chunked->state = DATA_CR;
}

err_t http_chunked_decode(struct http_chunked *chunked, uint8_t *buffer, size_t len,
			  uint64_t max_body)
{
	err_t e;

	while (chunked->state != DONE) {
		if (chunked->n_read >= len)
			return ERR_AGAIN;
		if (chunked->state == DATA) {
			move_data(chunked, buffer, len);
			continue;
		}
		e = read_octet(chunked, buffer[chunked->n_read++], max_body);
		if (e != OK)
			return e;
	}
	return OK;
}
