/* SPDX-License-Identifier: ISC */
/*
 * What the header fields of a responder's answer say. They are unsigned: framing and coding decide
 * whether there is a body to look at, everything else is a hint (decision F1).
 */
#ifndef OCSPRELAY_CORE_UPSTREAM_FIELDS_H
#define OCSPRELAY_CORE_UPSTREAM_FIELDS_H

#include "core/freshness.h"

#define MAX_RETRY_AFTER	 300 /* seconds (rules CL-19, HC-14) */
#define MAX_CACHE_STATUS 128
#define MAX_CONTENT_TYPE 64
#define MAX_ETAG	 80 /* octets, quotes included; longer ones are not remembered */

struct upstream_fields {
	struct upstream_hints hints;
	int64_t retry_after; /* seconds, 0 to MAX_RETRY_AFTER; 0: not said */
	int64_t date;	     /* of the responder's clock, seconds; 0: not said */
	int64_t age;	     /* seconds that the answer spent in caches, by their own account */
	bool is_coded;	     /* a Content-Encoding, or a Transfer-Encoding beyond chunked */
	bool is_ambiguous;   /* Content-Lengths that differ (RFC 9112 6.3) */
	bool has_length;
	uint64_t length;
	char etag[MAX_ETAG + 1]; /* a strong one, with its quotes (RFC 9110 8.8.3); or "" */
	char content_type[MAX_CONTENT_TYPE]; /* printable ASCII, cut; "" if there is none */
	char cache_status[MAX_CACHE_STATUS]; /* RFC 9211, printable ASCII, cut; "" if there is none
					      */
};

/* Takes in one line of a header section, line end included or not. A status line forgets all that
 * came before it: an interim answer's fields are not the answer's. What cannot be read is ignored.
 * now: wall clock, for a Retry-After that is a date. */
void upstream_fields_read(struct upstream_fields *fields, struct slice line, int64_t now);

#endif
