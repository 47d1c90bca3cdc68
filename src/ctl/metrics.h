/* SPDX-License-Identifier: ISC */
/* The metrics page: the rows of tbl/counters.h in the text format of Prometheus. Main thread. */
#ifndef OCSPRELAY_CTL_METRICS_H
#define OCSPRELAY_CTL_METRICS_H

#include "base/buf.h"

struct relay;

/* Appends the page to out; out remembers failure. Labelled values that are 0 are left out. */
void metrics_page(struct relay *relay, struct buf *out);

#endif
