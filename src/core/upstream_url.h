/* SPDX-License-Identifier: ISC */
/* How a responder is asked: the URL of a GET, and whether GET is the method (RFC 6960 A.1, RFC
 * 9919 6; rules HC-01, HC-02). */
#ifndef OCSPRELAY_CORE_UPSTREAM_URL_H
#define OCSPRELAY_CORE_UPSTREAM_URL_H

#include "err.h"
#include "types.h"

#define MAX_GET_URL_LEN 255

/* OK for an absolute http or https URL with a host, without user info, query or fragment, printable
 * ASCII, of at most 1024 octets; else ERR_SYNTAX. */
MUST_CHECK err_t upstream_url_check(const char *url);

/* The length of the GET URL for request: url, a "/" unless it ends in one, base64 with + / =
 * escaped. */
size_t upstream_url_get_len(const char *url, struct slice request);

/* Writes it with a NUL; ERR_TOO_LONG when cap does not suffice. */
MUST_CHECK err_t upstream_url_get(const char *url, struct slice request, char *dst, size_t cap);

#endif
