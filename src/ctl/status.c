/* SPDX-License-Identifier: ISC */
/* Rendering the status; all strings of the outside are escaped by buf_json. */
#include "ctl/status.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "ctl/entry_json.h"
#include "ctl/history.h"
#include "ctl/json_member.h"
#include "ctl/quantile.h"
#include "ctl/runway_json.h"
#include "io/clock.h"
#include "relay/relay.h"
#include "relay/runways.h"

/* Requests by result, over all methods, of the issuers of these slots. */
static void put_requests(struct buf *out, unsigned first, unsigned end)
{
	buf_text(out, "\"requests\":{");
	for (unsigned result = 0; result < label_count(DIM_RESULT); result++) {
		int64_t sum = 0;

		for (unsigned slot = first; slot < end; slot++) {
			for (unsigned method = 0; method < label_count(DIM_METHOD); method++)
				sum += counter_sum(METRIC_REQUESTS, slot, method, result);
		}
		buf_printf(out, "%s\"%s\":%" PRId64, result ? "," : "",
			   label_text(DIM_RESULT, result), sum);
	}
	buf_text(out, "},");
}

/* Answers to clients by what they say. */
static void put_responses(struct buf *out, unsigned slot)
{
	buf_text(out, "\"responses\":{");
	for (unsigned status = 0; status < label_count(DIM_STATUS); status++)
		buf_printf(out, "%s\"%s\":%" PRId64, status ? "," : "",
			   label_text(DIM_STATUS, status),
			   counter_sum(METRIC_RESPONSES, slot, status, 0));
	buf_text(out, "},");
}

static void put_cache(struct buf *out, struct relay *relay, const struct settings *settings)
{
	uint64_t n_expired = runways_expired(relay_runways(relay)); /* of a moment ago */
	struct cache_stats cache;

	cache_stats(relay_cache(relay), &cache);
	buf_printf(
	    out,
	    "\"cache\":{\"entries\":%" PRIu64 ",\"expired\":%" PRIu64 ",\"bytes\":%" PRIu64
	    ",\"max_bytes\":%" PRIu64 ",\"evictions\":%" PRIu64 ",\"negative_entries\":%zu},",
	    cache.n_entries, n_expired < cache.n_entries ? n_expired : cache.n_entries,
	    cache.n_bytes, settings->cache.memory, cache.n_evictions, relay_negative_count(relay));
}

static void put_stores(struct buf *out, struct relay *relay)
{
	buf_text(out, "\"stores\":[");
	for (size_t i = 0; i < relay_stores(relay); i++) {
		struct relay_store_status store = relay_store(relay, i);

		buf_text(out, i ? ",{" : "{");
		json_member_text(out, "store", store.name);
		buf_printf(out, ",\"up\":%s}", store.is_up ? "true" : "false");
	}
	buf_text(out, "],");
}

/* Of the last hour or so, in seconds; null when it was not asked. */
static void put_latency(struct buf *out, const struct history *history, unsigned slot)
{
	struct histogram taken;
	uint64_t n;

	history_upstream(history, slot, &taken);
	n = quantile_count(&taken);
	if (n == 0) {
		buf_text(out, ",\"latency\":null");
		return;
	}
	buf_printf(out, ",\"latency\":{\"requests\":%" PRIu64 ",\"p50\":%.6f,\"p99\":%.6f}", n,
		   (double)quantile_us(&taken, 50) / 1e6, (double)quantile_us(&taken, 99) / 1e6);
}

static void put_responder(struct buf *out, const struct status_context *context,
			  const struct issuer_responder *responder)
{
	int64_t ms_now = clock_mono_ms();
	struct responder_state state =
	    responder_get(relay_responders(context->relay), responder->url, ms_now);

	json_member_text(out, "url", responder->url);
	buf_printf(out,
		   ",\"asked\":%s,\"up\":%s,\"failures\":%u,\"down_for\":%" PRId64
		   ",\"wants_post\":%s",
		   state.is_asked ? "true" : "false", state.is_down ? "false" : "true",
		   state.n_failures, state.is_down ? (ms_now - state.ms_down_since) / 1000 : 0,
		   state.wants_post ? "true" : "false");
	put_latency(out, context->history, responder->slot);
}

static void put_issuer(struct buf *out, const struct status_context *context,
		       const struct issuer *issuer)
{
	char id[2 * ISSUER_ID_LEN + 1] = {0};

	hex_encode(id, slice_of(issuer->id, ISSUER_ID_LEN));
	json_member_text(out, "name", issuer->label);
	buf_text(out, ",");
	json_member_text(out, "id", id);
	buf_text(out, ",");
	json_member_time(out, "not_after", issuer_not_after(issuer));
	buf_text(out, ",");
	runway_members(context->relay, issuer, out);
	buf_printf(out, ",\"runway_warning\":%" PRId64 ",", issuer->policy.runway_warning);
	put_requests(out, issuer->slot, issuer->slot + 1);
	put_responses(out, issuer->slot);
	buf_text(out, "\"responders\":[");
	for (size_t i = 0; i < issuer->n_responders; i++) {
		buf_text(out, i ? ",{" : "{");
		put_responder(out, context, &issuer->responders[i]);
		buf_text(out, "}");
	}
	buf_text(out, "]");
}

static void put_issuers(struct buf *out, const struct status_context *context)
{
	const struct issuers *issuers = relay_issuers(context->relay);

	buf_text(out, "\"issuers\":[");
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		buf_text(out, i ? ",\n{" : "\n{");
		put_issuer(out, context, issuers_at(issuers, i));
		buf_text(out, "}");
	}
	buf_text(out, "]");
}

static bool is_warm(struct relay *relay, uint64_t hash)
{
	struct entry *entry = cache_peek_hash(relay_cache(relay), hash);
	bool is_valid = entry != NULL && clock_wall() < entry->hard_expiry;

	entry_unref(entry);
	return is_valid;
}

/* Those that are not warm and those that cannot be watched by name. */
static void put_watched(struct buf *out, struct relay *relay)
{
	const struct watched *watched = issuers_watched(relay_issuers(relay));
	const char *comma = "";

	buf_printf(out, "\"watched\":{\"certificates\":%zu,\"cold\":[", watched_count(watched));
	for (size_t i = 0; i < watched_count(watched); i++) {
		const struct watched_cert *cert = watched_at(watched, i);

		if (is_warm(relay, cert->hash))
			continue;
		buf_printf(out, "%s\"", comma);
		buf_json(out, slice_text(cert->name));
		buf_text(out, "\"");
		comma = ",";
	}
	buf_text(out, "],\"skipped\":[");
	for (size_t i = 0; i < watched_count_skipped(watched); i++) {
		buf_text(out, i ? ",\"" : "\"");
		buf_json(out, slice_text(watched_skipped_at(watched, i)));
		buf_text(out, "\"");
	}
	buf_text(out, "]},");
}

void status_json(const struct status_context *context, struct buf *out)
{
	struct relay *relay = context->relay;
	int64_t now = clock_wall();

	buf_text(out, "{");
	json_member_text(out, "version", PACKAGE_VERSION);
	buf_printf(out, ",\"pid\":%ld,\"uptime\":%" PRId64 ",\"draining\":%s,\"listeners\":%zu,",
		   (long)getpid(), now - context->started_at,
		   relay_is_draining(relay) ? "true" : "false", relay_listeners(relay));
	json_member_time(out, "started_at", context->started_at);
	buf_text(out, ",");
	json_member_time(out, "now", now);
	buf_text(out, ",");
	json_member_text(out, "issuer_dir", context->settings->top.issuer_dir);
	buf_printf(out,
		   ",\"connections\":%" PRId64 ",\"inflight\":%" PRId64 ",\"waiters\":%" PRId64 ",",
		   counter_sum(METRIC_CONNECTIONS, 0, 0, 0), counter_sum(METRIC_INFLIGHT, 0, 0, 0),
		   counter_sum(METRIC_WAITERS, 0, 0, 0));
	put_requests(out, 0, counter_slots(SCOPE_ISSUER));
	put_cache(out, relay, context->settings);
	put_stores(out, relay);
	put_watched(out, relay);
	put_issuers(out, context);
	buf_text(out, "}\n");
}

void status_expiring_json(const struct status_context *context, struct buf *out)
{
	const struct issuers *issuers = relay_issuers(context->relay);
	const struct soonest *soonest = runways_soonest(relay_runways(context->relay));
	int64_t now = clock_wall();
	const char *comma = "";

	buf_text(out, "{\"entries\":[");
	for (size_t i = 0; i < soonest->n; i++) {
		if (soonest->entries[i]->hard_expiry <= now)
			continue;
		buf_printf(out, "%s\n{", comma);
		entry_json(soonest->entries[i], issuers, out);
		buf_text(out, "}");
		comma = ",";
	}
	buf_text(out, "\n]}\n");
}
