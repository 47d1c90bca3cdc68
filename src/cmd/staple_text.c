/* SPDX-License-Identifier: ISC */
/* One line or one object for each. */
#include "cmd/staple_text.h"

#include "cmd/response_text.h"
#include "core/dates.h"
#include "ctl/json_member.h"

static const char *const did_texts[N_STAPLE_DID] = {[STAPLE_DID_NOTHING] = "failed",
						    [STAPLE_DID_WRITE] = "written",
						    [STAPLE_DID_LEAVE] = "unchanged",
						    [STAPLE_DID_KEEP] = "kept",
						    [STAPLE_DID_REMOVE] = "removed"};

void staple_text(const struct staple *staple, struct buf *out)
{
	char until[ISO_DATE_SIZE], at[ISO_DATE_SIZE];

	date_to_iso(until, staple->is.hard_expiry);
	date_to_iso(at, staple->is.revoked_at);
	buf_printf(out, "%s: ", staple->cert_path);
	if (staple->did == STAPLE_DID_NOTHING) {
		buf_text(out, staple->why);
		if (staple->is_there)
			buf_printf(out, "; the staple at hand says %s until %s",
				   response_cert_status(staple->is.status), until);
		else
			buf_text(out, "; there is no valid staple");
		return;
	}
	buf_text(out, response_cert_status(staple->is.status));
	if (staple->is.status == CERT_REVOKED)
		buf_printf(out, " since %s", at);
	if (staple->did == STAPLE_DID_REMOVE)
		buf_text(out, ", staple removed: the answer has no nextUpdate");
	else
		buf_printf(out, ", %s, valid until %s", did_texts[staple->did], until);
	if (staple->did == STAPLE_DID_KEEP)
		buf_printf(out, ": %s", staple->why);
}

static void put_text(struct buf *out, const char *name, const char *value)
{
	buf_text(out, ",");
	json_member_text(out, name, value);
}

static void put_time(struct buf *out, const char *name, int64_t t)
{
	buf_text(out, ",");
	json_member_time(out, name, t);
}

void staple_json(const struct staple *staple, struct buf *out)
{
	buf_text(out, "{");
	json_member_text(out, "certificate", staple->cert_path);
	put_text(out, "staple", staple->path);
	put_text(out, "result", did_texts[staple->did]);
	if (staple->is_there || staple->did == STAPLE_DID_REMOVE) {
		put_text(out, "status", response_cert_status(staple->is.status));
		put_time(out, "this_update", staple->is.this_update);
		if (staple->is.status == CERT_REVOKED)
			put_time(out, "revoked_at", staple->is.revoked_at);
	}
	if (staple->is_there)
		put_time(out, "valid_until", staple->is.hard_expiry);
	if (staple->did == STAPLE_DID_NOTHING || staple->did == STAPLE_DID_KEEP)
		put_text(out, "text", staple->why);
	if (*staple->detail != '\0')
		put_text(out, "detail", staple->detail);
	buf_printf(out, ",\"exit\":%d}", staple->exit);
}
