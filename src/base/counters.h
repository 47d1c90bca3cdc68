/* SPDX-License-Identifier: ISC */
/*
 * Counters: one block of cells per thread, written without locks by that thread alone, summed
 * when somebody reads. What can be counted is the table tbl/counters.h.
 *
 * A metric with a scope has one set of cells per slot of that scope. A slot is a rendered label
 * list, like  issuer="Corp CA",responder="http://..."  , and stays the same for the process's
 * lifetime, however often the configuration is reloaded. Slot 0 of each scope is for "none known"
 * and has the labels with empty values.
 *
 * Cells exist from a thread's first use on; memory that cannot be had makes counts go lost, never
 * fail. A dimension value is the enum's number, e.g. LABEL_RESULT_HIT; REASON and
 * UPSTREAM_RESULT take an err_t.
 */
#ifndef OCSPRELAY_BASE_COUNTERS_H
#define OCSPRELAY_BASE_COUNTERS_H

#include "err.h"
#include "types.h"

enum metric {
#define METRIC(id, name, type, scope, dim1, dim2, help) METRIC_##id,
#include "tbl/counters.h"
#undef METRIC
	N_METRICS
};

enum metric_type {
	METRIC_TYPE_COUNTER,
	METRIC_TYPE_GAUGE,
	METRIC_TYPE_HISTOGRAM,
	METRIC_TYPE_SAMPLED
};

enum counter_scope {
	SCOPE_NONE,
	SCOPE_ISSUER,
	SCOPE_RESPONDER,
	SCOPE_TIER,
	N_SCOPES
};

enum label_dim {
	DIM_NONE,
	DIM_REASON,
	DIM_UPSTREAM_RESULT, /* the same values under the name "result" */
#define LABEL_DIM(dim, name) DIM_##dim,
#define LABEL(dim, id, text)
#include "tbl/labels.h"
#undef LABEL_DIM
#undef LABEL
	N_DIMS
};

/* LABEL_<dimension>_<value>, numbered from 0 inside each dimension. */
enum label_value {
#define LABEL_DIM(dim, name) LABEL_##dim##_BEFORE_FIRST = -1,
#define LABEL(dim, id, text) LABEL_##dim##_##id,
#include "tbl/labels.h"
#undef LABEL_DIM
#undef LABEL
};

struct metric_row {
	const char *name; /* without the prefix ocsprelay_ */
	const char *help;
	enum metric_type type;
	enum counter_scope scope;
	enum label_dim dim[2];
};

const struct metric_row *metric_row(enum metric metric);

/* Number of values of a dimension (DIM_NONE: 1), its label name, and the text of one value. */
unsigned label_count(enum label_dim dim);
const char *label_name(enum label_dim dim);
const char *label_text(enum label_dim dim, unsigned value);

/* Upper bounds of the histogram buckets in microseconds, ascending; the last is +Inf (UINT64_MAX).
 */
#define N_BUCKETS 14
extern const uint64_t counter_bucket_bounds[N_BUCKETS];

/*
 * The slot for these rendered labels (without braces, values escaped by counter_label), registered
 * at first sight. At most 4096 slots per scope; beyond, and without memory, slot 0. Any thread.
 */
unsigned counter_slot(enum counter_scope scope, const char *labels);

/* Number of slots in use, slot 0 included, and the labels of one. Valid for ever. Any thread. */
unsigned counter_slots(enum counter_scope scope);
const char *counter_slot_labels(enum counter_scope scope, unsigned slot);

/* Renders name="value" with Prometheus escaping into dst, the value cut so that the closing quote
 * fits (nothing at all where name="" does not); octets that are not UTF-8 become question marks.
 * Always NUL-terminated. */
void counter_label(char *dst, size_t cap, const char *name, const char *value);

/* Adds n to the calling thread's cell. a, b: values of the dimensions, 0 where there is none. */
void counter_add(enum metric metric, unsigned slot, unsigned a, unsigned b, int64_t n);

/* One observation of a histogram. */
void counter_observe(enum metric metric, unsigned slot, unsigned a, uint64_t us);

/* Sum over all threads, living and ended. Any thread. */
int64_t counter_sum(enum metric metric, unsigned slot, unsigned a, unsigned b);

struct histogram {
	uint64_t n[N_BUCKETS]; /* per bucket, not cumulative */
	uint64_t sum_us;
};

void counter_histogram(enum metric metric, unsigned slot, unsigned a, struct histogram *out);

/* Folds the calling thread's cells into the common sum; its last act. */
void counter_thread_end(void);

#endif
