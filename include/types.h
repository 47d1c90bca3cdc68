/* SPDX-License-Identifier: ISC */
/*
 * The byte type that everybody shares. A slice borrows: whoever hands one out says in the
 * contract how long the bytes stay.
 */
#ifndef OCSPRELAY_TYPES_H
#define OCSPRELAY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

struct slice {
	const uint8_t *p; /* may be NULL only when len is 0 */
	size_t len;
};

#endif
