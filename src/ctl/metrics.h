/* SPDX-License-Identifier: ISC */
/* The metrics page: the rows of tbl/counters.h and tbl/process.h. Main thread. */
#ifndef OCSPRELAY_CTL_METRICS_H
#define OCSPRELAY_CTL_METRICS_H

#include "base/buf.h"
#include "ctl/exposition.h"

struct relay;

struct metrics_opts {
	struct relay *relay;
	enum exposition format;
	int64_t started_at; /* wall clock, seconds */
};

/*
 * Appends the page to out; out remembers failure. What has labels and is 0 is shown where it is one
 * of a few of an issuer, responder or tier that is known, so that the first increase is seen as
 * one; else it is left out.
 */
void metrics_page(const struct metrics_opts *opts, struct buf *out);

#endif
