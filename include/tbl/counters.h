/* SPDX-License-Identifier: ISC */
/*
 * Every metric. The names are the documented contract with dashboards and alert rules.
 *
 * METRIC(id, name, type, scope, first dimension, second dimension, help)
 *   type   COUNTER | GAUGE (a sum of additions that may be negative) | HISTOGRAM (of microseconds,
 *          shown in seconds; only the first dimension may be used) | SAMPLED (a gauge that the
 *          metrics page reads from the running relay instead of a counter)
 *   scope  NONE | ISSUER {issuer} | RESPONDER {issuer,responder} | TIER {tier}
 *   dimensions: rows of tbl/labels.h; REASON and UPSTREAM_RESULT (tbl/errors.h); or NONE
 */
METRIC(REQUESTS, "requests_total", COUNTER, ISSUER, METHOD, RESULT, "Client requests by method, issuer and how they were answered")
METRIC(RESPONSES, "responses_total", COUNTER, ISSUER, STATUS, NONE, "Answers to clients by OCSP or certificate status")
METRIC(REJECTED, "rejected_total", COUNTER, NONE, REASON, NONE, "Client requests refused without asking anybody, by reason")
METRIC(ERRORS, "errors_total", COUNTER, ISSUER, REASON, NONE, "Client requests answered with an error that is not theirs, remembered ones included, by reason")
METRIC(REQUEST_SECONDS, "request_seconds", HISTOGRAM, NONE, RESULT, NONE, "Time from the complete request to the answer")
METRIC(UPSTREAM_REQUESTS, "upstream_requests_total", COUNTER, RESPONDER, UPSTREAM_RESULT, NONE, "Requests sent to responders by result")
METRIC(UPSTREAM_SECONDS, "upstream_seconds", HISTOGRAM, RESPONDER, NONE, NONE, "Time responders took to answer")
METRIC(VERIFY_FAILURES, "verify_failures_total", COUNTER, ISSUER, REASON, NONE, "Responses refused by verification, by reason")
METRIC(RESPONSE_ODDITIES, "response_oddities_total", COUNTER, ISSUER, ODDITY, NONE, "Answers of responders that are odd in something and let pass, by what it is")
METRIC(ROLLBACKS_REFUSED, "rollbacks_refused_total", COUNTER, ISSUER, NONE, NONE, "Verified responses older than the one at hand, not taken")
METRIC(STATUS_CHANGES, "status_changes_total", COUNTER, ISSUER, FROM, TO, "Certificates whose status changed")
METRIC(REFRESHES, "refreshes_total", COUNTER, ISSUER, OUTCOME, NONE, "Background refreshes of cached responses")
METRIC(CACHE_ENTRIES, "cache_entries", SAMPLED, NONE, NONE, NONE, "Verified responses in memory")
METRIC(CACHE_BYTES, "cache_bytes", SAMPLED, NONE, NONE, NONE, "Bytes of memory that they take")
METRIC(CACHE_EVICTIONS, "cache_evictions_total", SAMPLED, NONE, NONE, NONE, "Responses evicted from memory to make room")
METRIC(NEGATIVE_ENTRIES, "negative_entries", SAMPLED, NONE, NONE, NONE, "Failures remembered for a short time")
METRIC(STORE_OPERATIONS, "store_operations_total", COUNTER, TIER, OP, STORE_RESULT, "Operations on each store")
METRIC(STORE_SECONDS, "store_seconds", HISTOGRAM, TIER, OP, NONE, "Time they took")
METRIC(STORE_UP, "store_up", GAUGE, TIER, NONE, NONE, "1 while the store works")
METRIC(INFLIGHT, "inflight", GAUGE, NONE, NONE, NONE, "Flights under way: fetches and look-ups of one key each")
METRIC(WAITERS, "waiters", GAUGE, NONE, NONE, NONE, "Client requests that wait for a flight")
METRIC(RESPONDER_UP, "responder_up", SAMPLED, RESPONDER, NONE, NONE, "1 if the last request to the responder succeeded, 0 if it failed; absent until it was asked once")
METRIC(RUNWAY_SECONDS, "runway_seconds", SAMPLED, ISSUER, NONE, NONE, "If the responders vanished now: until the first (quantile 0), the median (0.5) and the last (1) of the answers in use runs out")
METRIC(RUNWAY_ANSWERS, "runway_answers", SAMPLED, ISSUER, NONE, NONE, "Answers in use: what clients have asked for since it came, or what is watched")
METRIC(REHEARSAL_SECONDS, "rehearsal_seconds", SAMPLED, ISSUER, NONE, NONE, "Time left of a rehearsed outage; only while it lasts")
METRIC(CONNECTIONS, "connections", GAUGE, NONE, NONE, NONE, "Client connections open")
METRIC(CONNECTIONS_TOTAL, "connections_total", COUNTER, NONE, NONE, NONE, "Client connections accepted")
METRIC(CONNECTIONS_REFUSED, "connections_refused_total", COUNTER, NONE, NONE, NONE, "Client connections refused: not in allow, or over a limit")
METRIC(CONFIG_RELOADS, "config_reloads_total", COUNTER, NONE, OUTCOME, NONE, "Reloads of the configuration")
METRIC(CONFIG_IS_LAST, "config_last_reload_successful", GAUGE, NONE, NONE, NONE, "1, or 0 after a reload that was refused")
METRIC(LOG_DROPPED, "log_dropped_total", COUNTER, NONE, NONE, NONE, "Log lines lost because the target did not take them")
METRIC(HOOK_RUNS, "hook_runs_total", COUNTER, NONE, HOOK_RESULT, NONE, "Events that the hook was run for, by what became of it")
METRIC(BUILD_INFO, "build_info", SAMPLED, NONE, NONE, NONE, "1, with the version as label")
