/* SPDX-License-Identifier: ISC */
/*
 * The two formats in which metrics are shown: the text format of Prometheus (0.0.4) and OpenMetrics
 * 1.0.0. The samples are the same in both; what stands above them differs.
 */
#ifndef OCSPRELAY_CTL_EXPOSITION_H
#define OCSPRELAY_CTL_EXPOSITION_H

#include "base/buf.h"

enum exposition {
	EXPOSITION_TEXT,
	EXPOSITION_OPENMETRICS
};

/* The one that a client wants who sends this Accept; NULL: who sends none. OpenMetrics only to
 * those who name it, and do not like the other better (RFC 9110 12.5.1). */
enum exposition exposition_choose(const char *accept);

/* Content-Type. Static. */
const char *exposition_type(enum exposition format);

enum family_type {
	FAMILY_GAUGE,
	FAMILY_COUNTER, /* name ends in _total */
	FAMILY_LONELY,	/* such a one, whose name without that is another family's */
	FAMILY_HISTOGRAM,
	FAMILY_QUANTILES, /* a gauge for each quantile */
	FAMILY_INFO	  /* name ends in _info */
};

struct family {
	enum family_type type;
	const char *prefix, *name; /* of its samples, without what histograms append */
	const char *help;
};

/* The lines above the samples. */
void exposition_head(struct buf *out, enum exposition format, const struct family *family);

/* What stands below all. */
void exposition_end(struct buf *out, enum exposition format);

#endif
