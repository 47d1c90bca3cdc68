/* SPDX-License-Identifier: ISC */
/* Quotes around what buf_json escapes. */
#include "ctl/json_member.h"

#include "base/bytes.h"
#include "core/dates.h"

void json_member_text(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\":\"", name);
	buf_json(out, slice_text(value));
	buf_text(out, "\"");
}

void json_member_time(struct buf *out, const char *name, int64_t t)
{
	char iso[ISO_DATE_SIZE];

	date_to_iso(iso, t);
	json_member_text(out, name, iso);
}
