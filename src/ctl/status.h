/* SPDX-License-Identifier: ISC */
/* The state of a running relay as one JSON object. Main thread. */
#ifndef OCSPRELAY_CTL_STATUS_H
#define OCSPRELAY_CTL_STATUS_H

#include "base/buf.h"
#include "settings.h"

struct history;
struct relay;

struct status_context {
	struct relay *relay;
	const struct settings *settings;
	struct history *history;
	int64_t started_at; /* wall clock, seconds */
};

/* Appends the object to out; out remembers failure. */
void status_json(const struct status_context *context, struct buf *out);

/* {"entries":[...]}, as /api/v1/entries has them: the ten that expire first, as of a few seconds
 * ago. It costs no more than a runway, to whoever asks however often. */
void status_expiring_json(const struct status_context *context, struct buf *out);

#endif
