/* SPDX-License-Identifier: ISC */
/* Rendering counters, histograms and sampled gauges. */
#include "ctl/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/counters.h"
#include "io/clock.h"
#include "relay/rehearsals.h"
#include "relay/relay.h"
#include "relay/runways.h"

#define PREFIX "ocsprelay_"

static bool ends_in_total(const char *name)
{
	size_t len = strlen(name);

	return len > 6 && strcmp(name + len - 6, "_total") == 0;
}

static void put_head(struct buf *out, const struct metric_row *row)
{
	const char *type = "gauge";

	if (row->type == METRIC_TYPE_HISTOGRAM)
		type = "histogram";
	else if (row->type == METRIC_TYPE_COUNTER || ends_in_total(row->name))
		type = "counter";
	buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", row->name, row->help,
		   row->name, type);
}

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

static void put_value(struct buf *out, enum metric metric, unsigned slot, const unsigned value[2])
{
	const struct metric_row *row = metric_row(metric);
	bool is_plain = row->scope == SCOPE_NONE && row->dim[0] == DIM_NONE;
	int64_t sum = counter_sum(metric, slot, value[0], value[1]);

	if (sum == 0 && !is_plain && !(row->type == METRIC_TYPE_GAUGE && slot > 0))
		return;
	buf_printf(out, PREFIX "%s", row->name);
	put_labels(out, row, slot, value, NULL);
	buf_printf(out, " %" PRId64 "\n", sum);
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
		if (i == N_BUCKETS - 1)
			snprintf(bound, sizeof(bound), "le=\"+Inf\"");
		else
			snprintf(bound, sizeof(bound), "le=\"%g\"",
				 (double)counter_bucket_bounds[i] / 1e6);
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

void metrics_page(struct relay *relay, struct buf *out)
{
	for (unsigned i = 0; i < N_METRICS; i++) {
		put_head(out, metric_row((enum metric)i));
		if (metric_row((enum metric)i)->type == METRIC_TYPE_SAMPLED)
			put_sampled(out, (enum metric)i, relay);
		else
			put_counted(out, (enum metric)i);
	}
}
