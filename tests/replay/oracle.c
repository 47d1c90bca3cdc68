/* SPDX-License-Identifier: ISC */
/* Judging answers. */
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/dates.h"
#include "house.h"
#include "io/clock.h"
#include "script.h"

/* The newest that a relay gave about each certificate and algorithm. */
static struct known {
	int64_t this_update, next_update; /* next_update 0: nothing */
} * known[MAX_RELAYS];

void oracle_open(void)
{
	for (size_t i = 0; i < house_count(); i++) {
		known[i] = calloc(authority.n_certs * N_HASH_ALGS + 1, sizeof(*known[i]));
		if (known[i] == NULL)
			abort();
	}
}

void oracle_close(void)
{
	for (size_t i = 0; i < MAX_RELAYS; i++)
		free(known[i]);
}

void oracle_forget(size_t relay)
{
	memset(known[relay], 0, authority.n_certs * N_HASH_ALGS * sizeof(*known[relay]));
}

static const char *status_of(const struct seen *seen)
{
	static const char *const certs[] = {
	    [CERT_GOOD] = "good", [CERT_REVOKED] = "revoked", [CERT_UNKNOWN] = "unknown"};
	static const char *const errors[] = {[OCSP_MALFORMED_REQUEST] = "malformedRequest",
					     [OCSP_INTERNAL_ERROR] = "internalError",
					     [OCSP_TRY_LATER] = "tryLater",
					     [OCSP_SIG_REQUIRED] = "sigRequired",
					     [OCSP_UNAUTHORIZED] = "unauthorized"};
	const uint8_t *p = seen->body.p;

	if (seen->is_signed)
		return certs[seen->said.status];
	if (seen->body.len == 5 && p[0] == 0x30 && p[4] < N_ELEMENTS(errors) &&
	    errors[p[4]] != NULL)
		return errors[p[4]];
	script_fail("%s, %s: HTTP status %u and %zu octets that nobody made",
		    house_name(seen->relay), authority_name(seen->cert), seen->http_status,
		    seen->body.len);
}

static const char *verdict_of(const struct seen *seen)
{
	static const char *const verdicts[][2] = {{"collapsed", "collapsed"},
						  {"; hit", "hit"},
						  {"fwd=miss", "miss"},
						  {"fwd=stale", "refreshed"},
						  {"fwd=bypass", "bypass"}};

	for (size_t i = 0; i < N_ELEMENTS(verdicts); i++) {
		if (strstr(seen->cache_status, verdicts[i][0]) != NULL)
			return verdicts[i][1];
	}
	return "none";
}

__attribute__((noreturn)) static void accuse(const struct seen *seen, const char *of)
{
	char this_update[ISO_DATE_SIZE] = "", now[ISO_DATE_SIZE];

	date_to_iso(now, clock_wall());
	if (seen->is_signed)
		date_to_iso(this_update, seen->said.this_update);
	script_fail("%s says %s %s about %s at %s (%s): %s", house_name(seen->relay), seen->status,
		    this_update, authority_name(seen->cert), now, seen->cache_status, of);
}

static void judge_signed(const struct seen *seen, struct known *last)
{
	const struct statement *said = &seen->said;
	const bool is_kept =
	    strcmp(seen->verdict, "hit") == 0 || strstr(seen->cache_status, "; stored") != NULL;
	const bool is_own = strcmp(seen->verdict, "bypass") == 0 && !is_kept;

	if (said->cert != seen->cert || said->alg != seen->alg)
		accuse(seen, "that is about another one");
	if (said->is_broken)
		accuse(seen, "its signature is broken");
	if (said->next_update <= clock_wall())
		accuse(seen, "it has expired");
	if (!is_own && last->next_update > clock_wall() && said->this_update < last->this_update)
		accuse(seen, "it gave a newer one before");
	if (is_kept && said->status != CERT_UNKNOWN && said->next_update != TIME_NEVER)
		*last = (struct known){.this_update = said->this_update,
				       .next_update = said->next_update};
}

void oracle_judge(struct seen *seen)
{
	struct known *last = &known[seen->relay][seen->cert * N_HASH_ALGS + seen->alg];

	seen->is_signed = authority_recall(seen->body, &seen->said);
	seen->status = status_of(seen);
	seen->verdict = verdict_of(seen);
	if (seen->is_signed)
		judge_signed(seen, last);
	else if (last->next_update > clock_wall() && seen->http_status == 200)
		accuse(seen, "it has a valid answer");
}
