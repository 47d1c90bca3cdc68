/* SPDX-License-Identifier: ISC */
/*
 * What a relay's status is to people: from the JSON of /api/v1/status. Whatever stands in it, no
 * control characters get into the text, other than line ends and, if wanted, colours.
 */
#ifndef OCSPRELAY_CMD_STATUS_TEXT_H
#define OCSPRELAY_CMD_STATUS_TEXT_H

#include <jansson.h>

#include "base/buf.h"

struct status_text {
	const json_t *told;
	const json_t *before; /* the same relay's, told earlier: shows rates; NULL: there is none */
	int64_t ms_between;   /* the two */
	bool has_colours;
};

/* Appends it; out remembers failure. */
void status_text(const struct status_text *text, struct buf *out);

#endif
