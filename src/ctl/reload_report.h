/* SPDX-License-Identifier: ISC */
/* What came of a reload, as one JSON object for who asked for it. Main thread. */
#ifndef OCSPRELAY_CTL_RELOAD_REPORT_H
#define OCSPRELAY_CTL_RELOAD_REPORT_H

#include "base/buf.h"
#include "settings.h"
#include "state/issuers.h"

struct reload_report {
	struct settings *was, *is;
	const struct issuers *had, *has;
	const struct buf *messages; /* lines */
};

/* {"result": "ok", "issuers": N, "added": [...], "removed": [...], "changed": ["option"...],
 * "messages": [...]} */
void reload_report_json(const struct reload_report *report, struct buf *out);

/* {"result": "error", "error": "...", "messages": [...]} */
void reload_report_error(err_t err, const struct buf *messages, struct buf *out);

#endif
