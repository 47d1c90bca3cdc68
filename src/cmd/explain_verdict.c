/* SPDX-License-Identifier: ISC */
/*
 * What becomes of the answer that the test has brought, or of none: is it taken, how long is it
 * kept, why not. The clause of the standard is part of each reason.
 *
 * Exit: a good answer by its status; a refused one is a no, also when clients are still served an
 * older one; where there was no answer, what clients are served counts, and if there is nothing, it
 * could not be found out.
 */
#include "cmd/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/counters.h"
#include "cmd/commands.h"
#include "cmd/span.h"
#include "core/dates.h"
#include "relay/landing.h"

static const int exits[] = {
    [CERT_GOOD] = EXIT_OK, [CERT_REVOKED] = EXIT_NO, [CERT_UNKNOWN] = EXIT_UNKNOWN};

static const char *const signers[] = {[SIGNER_ISSUER] = "issuer",
				      [SIGNER_DELEGATE] = "delegated responder",
				      [SIGNER_TRUSTED] = "trusted responder"};

/* The clause in a text: the parentheses at its end that begin with RFC or X.690. */
static void put_clause(json_t *object, const char *text)
{
	static const char *const marks[] = {"(RFC ", "(X.690 "};
	char clause[128];
	size_t len = strlen(text);

	for (size_t i = 0; i < N_ELEMENTS(marks); i++) {
		const char *open = strstr(text, marks[i]);

		if (open == NULL || len == 0 || text[len - 1] != ')')
			continue;
		snprintf(clause, sizeof(clause), "%.*s", (int)(text + len - 1 - (open + 1)),
			 open + 1);
		explain_put(object, "clause", clause);
		return;
	}
}

static void put_refusal(json_t *verdict, err_t err)
{
	explain_put(verdict, "reason", err_row(err)->label);
	explain_put(verdict, "text", err_row(err)->text);
	put_clause(verdict, err_row(err)->text);
}

/* --- kept or not ------------------------------------------------------------------------------ */

/* What the relay has already wins if it is newer. */
static bool is_rollback(const struct explain *explain)
{
	int64_t this_update, produced_at;

	return explain->held != NULL &&
	       date_from_iso(slice_text(remote_text(explain->held, "this_update")), &this_update) ==
		   OK &&
	       date_from_iso(slice_text(remote_text(explain->held, "produced_at")), &produced_at) ==
		   OK &&
	       !freshness_may_replace(this_update, produced_at, explain->verdict.this_update,
				      explain->verdict.produced_at);
}

static void put_span(char dst[64 + SPAN_TEXT], const char *option, int64_t seconds)
{
	char span[SPAN_TEXT];

	span_text(span, seconds);
	snprintf(dst, 64 + SPAN_TEXT, "%s = %s", option, span);
}

static void add(json_t *list, const char *text)
{
	json_array_append_new(list, json_string(text));
}

static json_t *reasons_not_kept(const struct explain *explain)
{
	const unsigned flags = explain->verdict.flags;
	const struct {
		bool applies;
		const char *text;
	} rows[] = {
	    {flags & VERDICT_NO_NEXT_UPDATE && explain->issuer->policy.no_next_update_ttl == 0,
	     "it has no nextUpdate, so newer information may be there at any time (RFC 6960 "
	     "4.2.2.1), and no_next_update_ttl = 0s"},
	    {flags & VERDICT_WEAK, "its signature is weak (SHA-1, or a key that is too short), and "
				   "weak_signature = pass-uncached"},
	    {flags & VERDICT_NONCE,
	     "it carries a nonce, so it is good for one request only (RFC 9654 2.1)"},
	    {flags & VERDICT_UNREADABLE,
	     "one of its embedded certificates cannot be read: clients may fail on it, and nobody "
	     "has signed it in (RFC 6960 4.2.1)"},
	    {explain->hints.flags & HINT_NO_STORE,
	     "the responder forbids it: Cache-Control: no-store or private (RFC 9111 5.2.2)"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < N_ELEMENTS(rows) && !explain->lifetime.may_store; i++) {
		if (rows[i].applies)
			add(list, rows[i].text);
	}
	if (explain->lifetime.may_store && is_rollback(explain))
		add(list, "the relay holds a newer one, which stays (RFC 6960 2.4)");
	return list;
}

/* What shortens the time for which it is kept, or brings the refresh forward. */
static json_t *limits(const struct explain *explain)
{
	const struct policy *policy = &explain->issuer->policy;
	const struct verdict *verdict = &explain->verdict;
	bool is_unknown = verdict->status == CERT_UNKNOWN || verdict->flags & VERDICT_NEVER_ISSUED;
	json_t *list = json_array();
	char text[64 + SPAN_TEXT];

	if (is_unknown) {
		put_span(text, "status unknown (RFC 6960 2.2): unknown_max_ttl",
			 policy->unknown_max_ttl);
		add(list, text);
	}
	if (verdict->flags & VERDICT_NO_NEXT_UPDATE) {
		put_span(text, "no nextUpdate (RFC 6960 4.2.2.1): no_next_update_ttl",
			 policy->no_next_update_ttl);
		add(list, text);
	}
	if (verdict->next_update != TIME_NEVER && verdict->hard_expiry < verdict->next_update)
		add(list, "the certificate of its signer or issuer ends before nextUpdate");
	if (explain->hints.flags & HINT_NO_CACHE)
		add(list, "the responder says Cache-Control: no-cache: refreshed early");
	else if (explain->hints.flags & HINT_MAX_AGE)
		add(list,
		    "the responder says Cache-Control: max-age: refreshed then at the latest");
	return list;
}

static void put_lifetime(struct explain *explain, json_t *verdict)
{
	json_t *why = reasons_not_kept(explain);
	bool is_kept = json_array_size(why) == 0 && explain->lifetime.may_store;

	json_object_set_new(verdict, "kept", json_boolean(is_kept));
	if (is_kept) {
		explain_put_time(verdict, "kept_until", explain->lifetime.hard_expiry);
		explain_put_time(verdict, "refresh_at", explain->lifetime.refresh_at);
		json_object_set_new(verdict, "limits", limits(explain));
		json_decref(why);
	} else {
		json_object_set_new(verdict, "not_kept_because", why);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_accepted(struct explain *explain, json_t *verdict)
{
	explain_put(verdict, "status", label_text(DIM_FROM, explain->verdict.status));
	explain_put(verdict, "signer", signers[explain->verdict.signer]);
	explain_put_time(verdict, "this_update", explain->verdict.this_update);
	if (explain->verdict.next_update != TIME_NEVER)
		explain_put_time(verdict, "next_update", explain->verdict.next_update);
	if (explain->verdict.status == CERT_REVOKED)
		explain_put_time(verdict, "revoked_at", explain->verdict.revoked_at);
	put_lifetime(explain, verdict);
}

static int held_exit(const struct explain *explain)
{
	const char *status = remote_text(explain->held, "status");

	for (unsigned i = 0; i < N_ELEMENTS(exits); i++) {
		if (strcmp(label_text(DIM_FROM, i), status) == 0)
			return exits[i];
	}
	return EXIT_NO_ANSWER;
}

static void put_held(const struct explain *explain, json_t *verdict)
{
	if (explain->held == NULL)
		return;
	explain_put(verdict, "served_from", remote_text(explain->held, "tier"));
	explain_put(verdict, "served_status", remote_text(explain->held, "status"));
	explain_put(verdict, "served_until", remote_text(explain->held, "expires_at"));
}

/* What stands in the standard, or in the configuration, against it. */
static bool is_no(err_t err)
{
	return (err >= ERR_RSP_DER && err <= ERR_RSP_SIGNATURE) ||
	       (err >= ERR_REQ_TARGET && err <= ERR_ISSUER_SEVERAL);
}

static const char *outcome_of(const struct explain *explain, err_t err)
{
	if (err != OK)
		return is_no(err) || err == ERR_ISSUER_NO_RESPONDER ? "refused" : "no-answer";
	return explain->is_tested ? "accepted" : "not-tested";
}

int explain_verdict(struct explain *explain)
{
	json_t *verdict = json_object();
	bool is_accepted = explain->is_tested && explain->err == OK;
	err_t err = explain->refusal != OK ? explain->refusal : explain->err;

	json_object_set_new(explain->root, "verdict", verdict);
	explain_put(verdict, "outcome", outcome_of(explain, err));
	put_held(explain, verdict);
	if (is_accepted) {
		put_accepted(explain, verdict);
		return exits[explain->verdict.status];
	}
	if (err != OK)
		put_refusal(verdict, err);
	if (explain->is_tested && explain->held == NULL)
		json_object_set_new(
		    verdict, "remembered_seconds",
		    json_integer(landing_negative_ttl(&explain->issuer->policy, err, 0)));
	if (err != OK && is_no(err))
		return EXIT_NO;
	if (explain->held != NULL)
		return held_exit(explain);
	return err == ERR_ISSUER_NO_RESPONDER ? EXIT_NO : EXIT_NO_ANSWER;
}
