/* SPDX-License-Identifier: ISC */
/*
 * A ring of samples. All that a sample tells comes out of request_seconds, whose buckets count each
 * request once, by how it was answered: few cells, however many issuers there are.
 */
#include "ctl/history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "ctl/quantile.h"
#include "io/clock.h"

#define SAMPLES_PER_READING 30 /* of the responders */

enum kind { /* of requests */
	HITS,
	MISSES,
	ERRORS,
	N_KINDS
};

struct sample {
	int64_t t; /* wall clock, at its end */
	uint32_t seconds;
	uint32_t n[N_KINDS];
	uint32_t p50[ERRORS], p99[ERRORS]; /* microseconds, of hits and misses */
};

struct reading { /* of the responders' histograms, by slot */
	struct histogram *histograms;
	unsigned n;
};

struct history {
	struct timer *timer;
	struct histogram last[N_KINDS]; /* the counters at the end of the last sample, */
	int64_t t_last;			/* which was then */
	struct reading old, recent;
	unsigned n_since_reading; /* samples */
	size_t next, n;		  /* of the ring */
	struct sample samples[HISTORY_SAMPLES];
};

static enum kind kind_of(unsigned result)
{
	switch (result) {
	case LABEL_RESULT_HIT:
	case LABEL_RESULT_REFRESHED:
		return HITS;
	case LABEL_RESULT_REJECTED:
	case LABEL_RESULT_ERROR:
		return ERRORS;
	default:
		return MISSES;
	}
}

static void read_requests(struct histogram kinds[N_KINDS])
{
	struct histogram one;

	for (unsigned kind = 0; kind < N_KINDS; kind++)
		kinds[kind] = (struct histogram){.sum_us = 0};
	for (unsigned result = 0; result < label_count(DIM_RESULT); result++) {
		counter_histogram(METRIC_REQUEST_SECONDS, 0, result, &one);
		quantile_add(&kinds[kind_of(result)], &one);
	}
}

static uint32_t as_u32(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* What has been since the last sample; the counters of now go to kinds. */
static struct sample sample_of(const struct history *history, int64_t now,
			       struct histogram kinds[N_KINDS])
{
	struct sample sample = {.t = now};
	struct histogram since;

	/* A clock that was set back makes no sample of negative length. */
	sample.seconds = now > history->t_last ? as_u32((uint64_t)(now - history->t_last)) : 0;
	read_requests(kinds);
	for (unsigned kind = 0; kind < N_KINDS; kind++) {
		since = kinds[kind];
		quantile_subtract(&since, &history->last[kind]);
		sample.n[kind] = as_u32(quantile_count(&since));
		if (kind == ERRORS)
			continue;
		sample.p50[kind] = as_u32(quantile_us(&since, 50));
		sample.p99[kind] = as_u32(quantile_us(&since, 99));
	}
	return sample;
}

/* --- responders ------------------------------------------------------------------------------- */

/* Without memory the old readings stay: what is told then is of a longer time. */
static void read_responders(struct history *history)
{
	unsigned n = counter_slots(SCOPE_RESPONDER);
	struct histogram *histograms = calloc(n, sizeof(*histograms));

	if (histograms == NULL)
		return;
	for (unsigned slot = 0; slot < n; slot++)
		counter_histogram(METRIC_UPSTREAM_SECONDS, slot, 0, &histograms[slot]);
	free(history->old.histograms);
	history->old = history->recent;
	history->recent = (struct reading){.histograms = histograms, .n = n};
}

void history_upstream(const struct history *history, unsigned slot, struct histogram *out)
{
	counter_histogram(METRIC_UPSTREAM_SECONDS, slot, 0, out);
	if (slot < history->old.n)
		quantile_subtract(out, &history->old.histograms[slot]);
}

/* --- samples ---------------------------------------------------------------------------------- */

void history_take(struct history *history, int64_t now)
{
	struct histogram kinds[N_KINDS];

	history->samples[history->next] = sample_of(history, now, kinds);
	history->next = (history->next + 1) % HISTORY_SAMPLES;
	if (history->n < HISTORY_SAMPLES)
		history->n++;
	for (unsigned kind = 0; kind < N_KINDS; kind++)
		history->last[kind] = kinds[kind];
	history->t_last = now;
	if (++history->n_since_reading == SAMPLES_PER_READING) {
		history->n_since_reading = 0;
		read_responders(history);
	}
}

static void put_sample(const struct sample *sample, struct buf *out)
{
	buf_printf(out, "[%" PRId64 ",%" PRIu32, sample->t, sample->seconds);
	for (unsigned kind = 0; kind < N_KINDS; kind++)
		buf_printf(out, ",%" PRIu32, sample->n[kind]);
	for (unsigned kind = 0; kind < ERRORS; kind++)
		buf_printf(out, ",%" PRIu32 ",%" PRIu32, sample->p50[kind], sample->p99[kind]);
	buf_text(out, "]");
}

void history_json(const struct history *history, int64_t now, struct buf *out)
{
	struct histogram kinds[N_KINDS];
	struct sample current = sample_of(history, now, kinds);

	buf_text(out, "{\"columns\":[\"time\",\"seconds\",\"hits\",\"misses\",\"errors\","
		      "\"hit_p50\",\"hit_p99\",\"miss_p50\",\"miss_p99\"],\n\"samples\":[");
	for (size_t i = 0; i < history->n; i++) {
		size_t at = (history->next + HISTORY_SAMPLES - history->n + i) % HISTORY_SAMPLES;

		buf_text(out, i ? ",\n" : "\n");
		put_sample(&history->samples[at], out);
	}
	buf_text(out, "],\n\"current\":");
	put_sample(&current, out);
	buf_text(out, "}\n");
}

/* --- wiring ----------------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
	history_take(arg, clock_wall());
}

struct history *history_new(struct loop *loop)
{
	struct history *history = calloc(1, sizeof(*history));

	if (history == NULL)
		return NULL;
	history->timer = timer_every(loop, HISTORY_MS, on_timer, history);
	if (history->timer == NULL) {
		free(history);
		return NULL;
	}
	history->t_last = clock_wall();
	read_requests(history->last);
	return history;
}

void history_free(struct history *history)
{
	if (history == NULL)
		return;
	timer_cancel(history->timer);
	free(history->old.histograms);
	free(history->recent.histograms);
	free(history);
}
