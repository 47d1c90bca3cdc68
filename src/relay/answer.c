/* SPDX-License-Identifier: ISC */
/* RESPOND: entry or error -> HTTP message. */
#include "relay/answer.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"
#include "relay/front.h"

/* The rows of tbl/errors.h up to this one are faults of the request; asking too often is the fault
 * of the client. */
static bool is_rejection(const struct answer *answer)
{
	return answer->issuer == NULL || answer->err <= ERR_ISSUER_SEVERAL ||
	       answer->err == ERR_OVERLOAD_CLIENT;
}

static unsigned result_of(const struct answer *answer)
{
	static const uint8_t results[] = {[REPLY_HIT] = LABEL_RESULT_HIT,
					  [REPLY_MISS] = LABEL_RESULT_MISS,
					  [REPLY_COLLAPSED] = LABEL_RESULT_COLLAPSED,
					  [REPLY_REFRESHED] = LABEL_RESULT_REFRESHED,
					  [REPLY_BYPASS] = LABEL_RESULT_BYPASS,
					  [REPLY_NEGATIVE] = LABEL_RESULT_NEGATIVE};

	if (answer->entry != NULL || answer->verdict == REPLY_NEGATIVE)
		return results[answer->verdict];
	return is_rejection(answer) ? LABEL_RESULT_REJECTED : LABEL_RESULT_ERROR;
}

static unsigned status_of(const struct answer *answer)
{
	static const uint8_t of_cert[] = {[CERT_GOOD] = LABEL_STATUS_GOOD,
					  [CERT_REVOKED] = LABEL_STATUS_REVOKED,
					  [CERT_UNKNOWN] = LABEL_STATUS_UNKNOWN};

	if (answer->entry != NULL)
		return of_cert[answer->entry->status];
	switch ((enum ocsp_status)err_row(answer->err)->ocsp) {
	case OCSP_MALFORMED_REQUEST:
		return LABEL_STATUS_MALFORMED_REQUEST;
	case OCSP_TRY_LATER:
		return LABEL_STATUS_TRY_LATER;
	case OCSP_SIG_REQUIRED:
		return LABEL_STATUS_SIG_REQUIRED;
	case OCSP_UNAUTHORIZED:
		return LABEL_STATUS_UNAUTHORIZED;
	default:
		return LABEL_STATUS_INTERNAL_ERROR;
	}
}

static unsigned method_of(const struct answer *answer)
{
	static const uint8_t methods[] = {[HTTP_GET] = LABEL_METHOD_GET,
					  [HTTP_HEAD] = LABEL_METHOD_HEAD,
					  [HTTP_POST] = LABEL_METHOD_POST};

	return methods[answer->method];
}

static void account(const struct answer *answer)
{
	unsigned slot = answer->issuer ? answer->issuer->slot : 0;
	unsigned result = result_of(answer);
	int64_t us = clock_mono_us() - answer->us_start;

	counter_add(METRIC_REQUESTS, slot, method_of(answer), result, 1);
	counter_observe(METRIC_REQUEST_SECONDS, 0, result, (uint64_t)us);
	if (answer->entry != NULL || err_row(answer->err)->ocsp != OCSP_NONE)
		counter_add(METRIC_RESPONSES, slot, status_of(answer), 0, 1);
	if (result == LABEL_RESULT_REJECTED)
		counter_add(METRIC_REJECTED, 0, (unsigned)answer->err, 0, 1);
	else if (answer->entry == NULL)
		counter_add(METRIC_ERRORS, slot, (unsigned)answer->err, 0, 1);
}

/* --- what is told of an exchange beyond the counters, if anything -------------------------------
 */

struct access {
	char id[17];
	char client[64];
	bool is_logged;
};

static bool is_logged(const struct answer *answer)
{
	const struct settings_log *log = &answer->front->rules->settings->log;

	if (log->access == LOG_ACCESS_OFF || answer->entry == NULL)
		return log->access != LOG_ACCESS_OFF;
	return log->access == LOG_ACCESS_ON && answer->front->n_told % log->access_sample == 0;
}

/* Hashed by a key that nobody knows, which each thread has anew: who is told some ids learns
 * neither how many requests lay between them nor what others will be. */
static void make_id(struct access *access, const struct front *front)
{
	uint64_t id = hash_bytes(&front->id_key, &front->n_told, sizeof(front->n_told));

	hex_encode(access->id, slice_of(&id, sizeof(id)));
	access->id[sizeof(access->id) - 1] = '\0';
}

static __attribute__((noinline)) void begin_access(struct access *access,
						   const struct answer *answer)
{
	answer->front->n_told++;
	access->is_logged = is_logged(answer);
	if (access->is_logged || answer->front->rules->settings->log.request_id)
		make_id(access, answer->front);
	if (access->is_logged)
		snprintf(access->client, sizeof(access->client), "%s",
			 connection_peer(answer->connection));
}

static __attribute__((noinline)) void log_access(const struct access *access,
						 const struct answer *answer, unsigned http,
						 size_t octets)
{
	LOG(ACCESS, LOG_TEXT("id", access->id), LOG_TEXT("client", access->client),
	    LOG_TEXT("method", label_text(DIM_METHOD, method_of(answer))), LOG_NUMBER("http", http),
	    LOG_TEXT("issuer", answer->issuer ? answer->issuer->label : ""),
	    LOG_TEXT("result", label_text(DIM_RESULT, result_of(answer))),
	    LOG_TEXT("status", answer->entry ? label_text(DIM_STATUS, status_of(answer))
					     : err_row(answer->err)->label),
	    LOG_NUMBER("octets", octets), LOG_NUMBER("us", clock_mono_us() - answer->us_start));
}

/* --- the answer ------------------------------------------------------------------------------- */

/* 200 or 304 for a verified response; *out_has_body tells whether the response follows. */
static size_t render_entry(const struct answer *answer, const struct reply_context *context,
			   char *dst, bool *out_has_body)
{
	const struct entry *entry = answer->entry;
	const struct reply_entity entity = {.sha256 = entry->sha256,
					    .body_len = entry->der_len,
					    .produced_at = entry->produced_at,
					    .refresh_at = entry->refresh_at,
					    .hard_expiry = entry->hard_expiry,
					    .is_reusable = entry->is_reusable};

	*out_has_body = false;
	if (answer->http != NULL && reply_is_not_modified(answer->http, &entity, answer->now))
		return reply_not_modified(dst, &entity, context);
	*out_has_body = answer->method != HTTP_HEAD;
	return reply_ok(dst, &entity, context);
}

void answer_send(struct answer *answer)
{
	const struct settings_log *log = &answer->front->rules->settings->log;
	struct entry *entry = answer->entry;
	bool closes = connection_will_close(answer->connection) ||
		      (entry == NULL && reply_error_closes(answer->err));
	bool is_told = log->access != LOG_ACCESS_OFF || log->request_id;
	struct access access;
	const struct reply_context context = {.now = answer->now,
					      .date = front_date(answer->front, answer->now),
					      .verdict = answer->verdict,
					      .detail = entry ? answer->detail : NULL,
					      .id = log->request_id ? access.id : NULL,
					      .fwd_status = answer->fwd_status,
					      .is_stored = answer->is_stored,
					      .close = closes,
					      .minor = answer->minor};
	bool has_body = false;
	char *dst;
	size_t len;

	account(answer);
	if (is_told)
		begin_access(&access, answer);
	dst = connection_reply_buffer(answer->connection);
	if (entry != NULL)
		len = render_entry(answer, &context, dst, &has_body);
	else
		len = reply_error(dst, answer->err, answer->method == HTTP_HEAD, &context);
	if (is_told && access.is_logged)
		log_access(&access, answer, reply_status(dst),
			   len + (has_body ? entry->der_len : 0));
	if (!has_body) {
		entry_unref(entry);
		entry = NULL;
	}
	connection_reply(answer->connection, len, entry, closes);
}
