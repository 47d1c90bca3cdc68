/* SPDX-License-Identifier: ISC */
/* The state of a running relay as one JSON object. Main thread. */
#ifndef OCSPRELAY_CTL_STATUS_H
#define OCSPRELAY_CTL_STATUS_H

#include "base/buf.h"
#include "settings.h"

struct relay;

struct status_context {
	struct relay *relay;
	const struct settings *settings;
	int64_t started_at; /* wall clock, seconds */
};

/* Appends the object to out; out remembers failure. */
void status_json(const struct status_context *context, struct buf *out);

#endif
