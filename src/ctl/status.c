/* SPDX-License-Identifier: ISC */
/* Rendering the status; all strings of the outside are escaped by buf_json. */
#include "ctl/status.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "core/dates.h"
#include "ctl/runway_json.h"
#include "io/clock.h"
#include "relay/relay.h"

static void put_string(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\":\"", name);
	buf_json(out, slice_text(value));
	buf_text(out, "\"");
}

static void put_time(struct buf *out, const char *name, int64_t t)
{
	char iso[ISO_DATE_SIZE];

	date_to_iso(iso, t);
	put_string(out, name, iso);
}

/* Requests by result, over all issuers and methods. */
static void put_requests(struct buf *out)
{
	buf_text(out, "\"requests\":{");
	for (unsigned result = 0; result < label_count(DIM_RESULT); result++) {
		int64_t sum = 0;

		for (unsigned slot = 0; slot < counter_slots(SCOPE_ISSUER); slot++) {
			for (unsigned method = 0; method < label_count(DIM_METHOD); method++)
				sum += counter_sum(METRIC_REQUESTS, slot, method, result);
		}
		buf_printf(out, "%s\"%s\":%" PRId64, result ? "," : "",
			   label_text(DIM_RESULT, result), sum);
	}
	buf_text(out, "},");
}

static void put_cache(struct buf *out, struct relay *relay, const struct settings *settings)
{
	struct cache_stats cache;

	cache_stats(relay_cache(relay), &cache);
	buf_printf(out,
		   "\"cache\":{\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"max_bytes\":%" PRIu64
		   ",\"evictions\":%" PRIu64 ",\"negative_entries\":%zu},",
		   cache.n_entries, cache.n_bytes, settings->cache.memory, cache.n_evictions,
		   relay_negative_count(relay));
}

static void put_stores(struct buf *out, struct relay *relay)
{
	buf_text(out, "\"stores\":[");
	for (size_t i = 0; i < relay_stores(relay); i++) {
		struct relay_store_status store = relay_store(relay, i);

		buf_text(out, i ? ",{" : "{");
		put_string(out, "store", store.name);
		buf_printf(out, ",\"up\":%s}", store.is_up ? "true" : "false");
	}
	buf_text(out, "],");
}

static void put_responder(struct buf *out, struct relay *relay, const char *url)
{
	struct responder_state state = responder_get(relay_responders(relay), url, clock_mono_ms());

	put_string(out, "url", url);
	buf_printf(out, ",\"up\":%s,\"failures\":%u,\"wants_post\":%s",
		   state.is_down ? "false" : "true", state.n_failures,
		   state.wants_post ? "true" : "false");
}

static void put_issuers(struct buf *out, struct relay *relay)
{
	const struct issuers *issuers = relay_issuers(relay);
	char id[2 * ISSUER_ID_LEN + 1] = {0};

	buf_text(out, "\"issuers\":[");
	for (size_t i = 0; i < issuers_count(issuers); i++) {
		const struct issuer *issuer = issuers_at(issuers, i);

		hex_encode(id, slice_of(issuer->id, ISSUER_ID_LEN));
		buf_text(out, i ? ",{" : "{");
		put_string(out, "name", issuer->label);
		buf_text(out, ",");
		put_string(out, "id", id);
		buf_text(out, ",");
		put_time(out, "not_after", issuer_not_after(issuer));
		buf_text(out, ",");
		runway_members(relay, issuer, out);
		buf_text(out, ",\"responders\":[");
		for (size_t j = 0; j < issuer->n_responders; j++) {
			buf_text(out, j ? ",{" : "{");
			put_responder(out, relay, issuer->responders[j].url);
			buf_text(out, "}");
		}
		buf_text(out, "]}");
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
	put_string(out, "version", PACKAGE_VERSION);
	buf_printf(out, ",\"pid\":%ld,\"uptime\":%" PRId64 ",\"draining\":%s,\"listeners\":%zu,",
		   (long)getpid(), now - context->started_at,
		   relay_is_draining(relay) ? "true" : "false", relay_listeners(relay));
	put_time(out, "started_at", context->started_at);
	buf_printf(out,
		   ",\"connections\":%" PRId64 ",\"inflight\":%" PRId64 ",\"waiters\":%" PRId64 ",",
		   counter_sum(METRIC_CONNECTIONS, 0, 0, 0), counter_sum(METRIC_INFLIGHT, 0, 0, 0),
		   counter_sum(METRIC_WAITERS, 0, 0, 0));
	put_requests(out);
	put_cache(out, relay, context->settings);
	put_stores(out, relay);
	put_watched(out, relay);
	put_issuers(out, relay);
	buf_text(out, "}\n");
}
