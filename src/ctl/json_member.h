/* SPDX-License-Identifier: ISC */
/*
 * Members of JSON objects whose values may be anybody's: what the API answers and commands print.
 * Appended without a comma; out remembers failure.
 */
#ifndef OCSPRELAY_CTL_JSON_MEMBER_H
#define OCSPRELAY_CTL_JSON_MEMBER_H

#include "base/buf.h"

/* "name":"value", escaped as by buf_json; name as it is. */
void json_member_text(struct buf *out, const char *name, const char *value);

/* "name":"2026-01-31T12:00:00Z"; t in seconds since 1970. */
void json_member_time(struct buf *out, const char *name, int64_t t);

#endif
