/* SPDX-License-Identifier: ISC */
/*
 * Times as seconds since 1970 UTC, read from and written to the forms of ASN.1 and HTTP. No
 * locale, no time zone, no library: a time that cannot be read is refused, never taken for fine.
 */
#ifndef OCSPRELAY_CORE_DATES_H
#define OCSPRELAY_CORE_DATES_H

#include "err.h"
#include "types.h"

#define TIME_NEVER    INT64_MAX /* "does not end" */
#define HTTP_DATE_LEN 29	/* Sun, 06 Nov 1994 08:49:37 GMT */

/* Content of a GeneralizedTime: exactly YYYYMMDDHHMMSSZ, calendar-checked, second 60 refused
 * (RFC 5280 4.1.2.5.2, rule VS-06). ERR_RSP_TIME otherwise. */
MUST_CHECK err_t date_from_generalized(struct slice content, int64_t *out_t);

/* IMF-fixdate of t (clamped to years 0 to 9999) into dst, HTTP_DATE_LEN octets, no NUL
 * (RFC 9110 5.6.7). */
void date_to_http(char *dst, int64_t t);

/* IMF-fixdate, and the two obsolete forms that RFC 9110 5.6.7 obliges a recipient to read; now
 * resolves the two-digit year of the second. ERR_SYNTAX otherwise. */
MUST_CHECK err_t date_from_http(struct slice text, int64_t now, int64_t *out_t);

/* 2026-11-22T12:00:00Z of t into dst, 20 octets and a NUL; the form of logs and the CLI. */
#define ISO_DATE_SIZE 21
void date_to_iso(char dst[ISO_DATE_SIZE], int64_t t);

/* Reads what date_to_iso writes, or plain seconds since 1970. ERR_SYNTAX otherwise. */
MUST_CHECK err_t date_from_iso(struct slice text, int64_t *out_t);

#endif
