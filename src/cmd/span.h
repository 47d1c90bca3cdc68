/* SPDX-License-Identifier: ISC */
/* Spans of time for people. */
#ifndef OCSPRELAY_CMD_SPAN_H
#define OCSPRELAY_CMD_SPAN_H

#include "types.h"

/* In the two largest units: "3d 4h", "12s". Below 0 is 0. */
#define SPAN_TEXT 32
void span_text(char dst[SPAN_TEXT], int64_t seconds);

#endif
