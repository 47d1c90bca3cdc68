/* SPDX-License-Identifier: ISC */
/* Rendering counters, histograms and sampled gauges as samples. */
#include "ctl/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/counters.h"
#include "io/clock.h"
#include "io/usage.h"
#include "relay/rehearsals.h"
#include "relay/relay.h"
#include "relay/runways.h"

#define PREFIX "ocsprelay_"

#define MAX_ZEROS 12 /* of one slot of a metric; more are left out */

/* --- heads ------------------------------------------------------------------------------------ */

/* Whether another metric has the name without its last len characters. */
static bool has_namesake(const char *name, size_t len)
{
	for (unsigned i = 0; i < N_METRICS; i++) {
		const char *other = metric_row((enum metric)i)->name;

		if (strlen(other) == strlen(name) - len && strncmp(other, name, strlen(other)) == 0)
			return true;
	}
	return false;
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static enum family_type type_of(enum metric metric)
{
	const struct metric_row *row = metric_row(metric);

	if (row->type == METRIC_TYPE_HISTOGRAM)
		return FAMILY_HISTOGRAM;
	if (metric == METRIC_RUNWAY_SECONDS)
		return FAMILY_QUANTILES;
	if (ends_in(row->name, "_info"))
		return FAMILY_INFO;
	if (!ends_in(row->name, "_total"))
		return FAMILY_GAUGE;
	return has_namesake(row->name, strlen("_total")) ? FAMILY_LONELY : FAMILY_COUNTER;
}

/* --- counters --------------------------------------------------------------------------------- */

/* {labels of the slot, dimensions, extra}: without braces when there is nothing to say. */
static void put_labels(struct buf *out, const struct metric_row *row, unsigned slot,
		       const unsigned value[2], const char *extra)
{
	const char *separator = "{";

	if (row->scope != SCOPE_NONE) {
		buf_printf(out, "%s%s", separator, counter_slot_labels(row->scope, slot));
		separator = ",";
	}
	for (unsigned i = 0; i < 2; i++) {
		if (row->dim[i] == DIM_NONE)
			continue;
		buf_printf(out, "%s%s=\"%s\"", separator, label_name(row->dim[i]),
			   label_text(row->dim[i], value[i]));
		separator = ",";
	}
	if (extra != NULL) {
		buf_printf(out, "%s%s", separator, extra);
		separator = ",";
	}
	if (*separator == ',')
		buf_text(out, "}");
}

/* Whether to show it although it is 0. */
static bool is_known_zero(const struct metric_row *row, unsigned slot, const unsigned value[2])
{
	if (row->scope != SCOPE_NONE && slot == 0)
		return false;
	if (row->dim[0] == DIM_FROM && value[0] == value[1])
		return false; /* no change */
	return label_count(row->dim[0]) * label_count(row->dim[1]) <= MAX_ZEROS;
}

static void put_value(struct buf *out, enum metric metric, unsigned slot, const unsigned value[2])
{
	const struct metric_row *row = metric_row(metric);
	int64_t sum = counter_sum(metric, slot, value[0], value[1]);

	if (sum == 0 && !is_known_zero(row, slot, value))
		return;
	buf_printf(out, PREFIX "%s", row->name);
	put_labels(out, row, slot, value, NULL);
	buf_printf(out, " %" PRId64 "\n", sum);
}

/* Numbers as OpenMetrics wants them in labels, 1.0 and not 1; the same in both formats, or else a
 * change of the format would make other series of them. */
static void print_bound(char *dst, size_t cap, unsigned bucket)
{
	double seconds = (double)counter_bucket_bounds[bucket] / 1e6;

	if (bucket == N_BUCKETS - 1)
		snprintf(dst, cap, "le=\"+Inf\"");
	else
		snprintf(dst, cap, seconds < 1 ? "le=\"%g\"" : "le=\"%.1f\"", seconds);
}

static void put_histogram(struct buf *out, enum metric metric, unsigned slot,
			  const unsigned value[2])
{
	const struct metric_row *row = metric_row(metric);
	struct histogram histogram;
	uint64_t n = 0;
	char bound[48];

	counter_histogram(metric, slot, value[0], &histogram);
	for (unsigned i = 0; i < N_BUCKETS; i++)
		n += histogram.n[i];
	if (n == 0)
		return;
	n = 0;
	for (unsigned i = 0; i < N_BUCKETS; i++) {
		n += histogram.n[i];
		print_bound(bound, sizeof(bound), i);
		buf_printf(out, PREFIX "%s_bucket", row->name);
		put_labels(out, row, slot, value, bound);
		buf_printf(out, " %" PRIu64 "\n", n);
	}
	buf_printf(out, PREFIX "%s_sum", row->name);
	put_labels(out, row, slot, value, NULL);
	buf_printf(out, " %.6f\n" PREFIX "%s_count", (double)histogram.sum_us / 1e6, row->name);
	put_labels(out, row, slot, value, NULL);
	buf_printf(out, " %" PRIu64 "\n", n);
}

static void put_counted(struct buf *out, enum metric metric)
{
	const struct metric_row *row = metric_row(metric);
	unsigned n_slots = row->scope == SCOPE_NONE ? 1 : counter_slots(row->scope);
	unsigned value[2];

	for (unsigned slot = 0; slot < n_slots; slot++) {
		for (value[0] = 0; value[0] < label_count(row->dim[0]); value[0]++) {
			for (value[1] = 0; value[1] < label_count(row->dim[1]); value[1]++) {
				if (row->type == METRIC_TYPE_HISTOGRAM)
					put_histogram(out, metric, slot, value);
				else
					put_value(out, metric, slot, value);
			}
		}
	}
}

/* --- what is looked up ------------------------------------------------------------------------ */

static void put_responders(struct buf *out, struct relay *relay)
{
	const struct issuers *issuers = relay_issuers(relay);
	int64_t ms_now = clock_mono_ms();

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		for (size_t j = 0; j < issuer->n_responders; j++) {
			const struct issuer_responder *responder = &issuer->responders[j];
			struct responder_state state =
			    responder_get(relay_responders(relay), responder->url, ms_now);

			if (state.is_asked) /* else nobody knows */
				buf_printf(out, PREFIX "responder_up{%s} %d\n",
					   counter_slot_labels(SCOPE_RESPONDER, responder->slot),
					   state.is_down ? 0 : 1);
		}
	}
}

static void put_runways(struct buf *out, struct relay *relay)
{
	const struct issuers *issuers = relay_issuers(relay);

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);
		const char *labels = counter_slot_labels(SCOPE_ISSUER, issuer->slot);
		struct runway_of of = runways_get(relay_runways(relay), issuer);
		const struct {
			const char *name;
			int64_t seconds;
		} quantiles[] = {{"0", of.first}, {"0.5", of.median}, {"1", of.last}};

		for (size_t j = 0; of.n > 0 && j < N_ELEMENTS(quantiles); j++)
			buf_printf(out, PREFIX "runway_seconds{%s,quantile=\"%s\"} %" PRId64 "\n",
				   labels, quantiles[j].name, quantiles[j].seconds);
	}
}

static void put_runway_answers(struct buf *out, struct relay *relay)
{
	const struct issuers *issuers = relay_issuers(relay);

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);
		struct runway_of of = runways_get(relay_runways(relay), issuer);

		buf_printf(out, PREFIX "runway_answers{%s} %" PRIu64 "\n",
			   counter_slot_labels(SCOPE_ISSUER, issuer->slot), (uint64_t)of.n);
	}
}

static void put_rehearsals(struct buf *out, struct relay *relay)
{
	const struct issuers *issuers = relay_issuers(relay);
	struct rehearsal_status status;

	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		if (rehearsals_get(relay_rehearsals(relay), issuer, &status))
			buf_printf(out, PREFIX "rehearsal_seconds{%s} %" PRId64 "\n",
				   counter_slot_labels(SCOPE_ISSUER, issuer->slot),
				   (status.ms_left + 999) / 1000);
	}
}

static void put_sampled(struct buf *out, enum metric metric, struct relay *relay)
{
	const char *name = metric_row(metric)->name;
	struct cache_stats cache;
	uint64_t value = 0;

	cache_stats(relay_cache(relay), &cache);
	switch (metric) {
	case METRIC_CACHE_ENTRIES:
		value = cache.n_entries;
		break;
	case METRIC_CACHE_BYTES:
		value = cache.n_bytes;
		break;
	case METRIC_CACHE_EVICTIONS:
		value = cache.n_evictions;
		break;
	case METRIC_NEGATIVE_ENTRIES:
		value = relay_negative_count(relay);
		break;
	case METRIC_RESPONDER_UP:
		put_responders(out, relay);
		return;
	case METRIC_RUNWAY_SECONDS:
		put_runways(out, relay);
		return;
	case METRIC_RUNWAY_ANSWERS:
		put_runway_answers(out, relay);
		return;
	case METRIC_REHEARSAL_SECONDS:
		put_rehearsals(out, relay);
		return;
	case METRIC_BUILD_INFO:
		buf_printf(out, PREFIX "%s{version=\"%s\"} 1\n", name, PACKAGE_VERSION);
		return;
	default:
		return;
	}
	buf_printf(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

/* Those of tbl/process.h that are known. */
static void put_process(struct buf *out, const struct metrics_opts *opts)
{
	struct usage usage = usage_read(opts->started_at);
	const struct {
		const char *name, *help;
		double value;
	} rows[] = {
#define PROCESS(member, name, help) {name, help, usage.member},
#include "tbl/process.h"
#undef PROCESS
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct family family = {
		    .type = ends_in(rows[i].name, "_total") ? FAMILY_COUNTER : FAMILY_GAUGE,
		    .prefix = "",
		    .name = rows[i].name,
		    .help = rows[i].help};

		if (rows[i].value < 0)
			continue;
		exposition_head(out, opts->format, &family);
		buf_printf(out, "%s %.15g\n", rows[i].name, rows[i].value);
	}
}

void metrics_page(const struct metrics_opts *opts, struct buf *out)
{
	for (unsigned i = 0; i < N_METRICS; i++) {
		const struct metric_row *row = metric_row((enum metric)i);
		const struct family family = {.type = type_of((enum metric)i),
					      .prefix = PREFIX,
					      .name = row->name,
					      .help = row->help};

		exposition_head(out, opts->format, &family);
		if (row->type == METRIC_TYPE_SAMPLED)
			put_sampled(out, (enum metric)i, opts->relay);
		else
			put_counted(out, (enum metric)i);
	}
	put_process(out, opts);
	exposition_end(out, opts->format);
}
