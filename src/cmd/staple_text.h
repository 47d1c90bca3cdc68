/* SPDX-License-Identifier: ISC */
/* What is said of a staple after a look at it. */
#ifndef OCSPRELAY_CMD_STAPLE_TEXT_H
#define OCSPRELAY_CMD_STAPLE_TEXT_H

#include "base/buf.h"
#include "cmd/staple.h"

/* Appends a line, without staple->detail and without its end. */
void staple_text(const struct staple *staple, struct buf *out);

/* Appends a JSON object. */
void staple_json(const struct staple *staple, struct buf *out);

#endif
