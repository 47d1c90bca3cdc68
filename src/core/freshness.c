/* SPDX-License-Identifier: ISC */
/*
 * Lifetimes out of signed times. Two limits are kept apart here: the signed one, ahead of which a
 * refresh is planned, and the one that our policy draws earlier for answers that soon may change,
 * at which the entry simply ends. Sums saturate: nextUpdate 99991231235959Z and "never" occur.
 */
#include "core/freshness.h"

#include "base/bytes.h"
#include "core/dates.h"

#define MAX_NO_NEXT_UPDATE_TTL 300 /* rule CL-04 */
#define MIN_RETRY	       300 /* rule CL-07 */
#define MIN_MAX_AGE	       60  /* rule CL-09 */
#define SPREAD		       0.1 /* rule CL-06 */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Seconds for which our policy lets the response live from now on, whatever was signed: TIME_NEVER
 * where it has no opinion, 0 where nothing may be kept. */
static int64_t policy_ttl(const struct verdict *verdict, const struct policy *policy)
{
	int64_t ttl = TIME_NEVER;

	if (verdict->flags & VERDICT_NO_NEXT_UPDATE)
		ttl = earlier(policy->no_next_update_ttl, MAX_NO_NEXT_UPDATE_TTL);
	if (verdict->status == CERT_UNKNOWN || (verdict->flags & VERDICT_NEVER_ISSUED))
		ttl = earlier(ttl, policy->unknown_max_ttl);
	return later(ttl, 0);
}

/* The earliest of what calls for a newer response (rules CL-06, CL-10, CL-11). */
static int64_t planned_refresh(const struct verdict *verdict, const struct policy *policy,
			       const struct upstream_hints *hints, int64_t now)
{
	const int64_t from = verdict->this_update, to = verdict->next_update;
	int64_t at = time_add(now, policy->max_refresh_interval);

	if (hints->flags & HINT_NO_CACHE)
		return now;
	if (to != TIME_NEVER)
		at = earlier(at, from + (int64_t)(policy->refresh_ratio * (double)(to - from)));
	if (hints->flags & HINT_MAX_AGE)
		at = earlier(at, time_add(now, later(hints->max_age, 0)));
	return earlier(at, time_add(verdict->hard_expiry, -policy->expiry_margin));
}

struct lifetime freshness_lifetime(const struct verdict *verdict, const struct policy *policy,
				   const struct upstream_hints *hints, int64_t now, uint32_t random)
{
	const int64_t ttl = policy_ttl(verdict, policy);
	int64_t hard_expiry = verdict->hard_expiry;
	int64_t refresh_at = planned_refresh(verdict, policy, hints, now);

	if (refresh_at > now)
		refresh_at -= (int64_t)((double)(refresh_at - now) * SPREAD * random / UINT32_MAX);
	refresh_at = later(refresh_at, time_add(now, policy->min_refresh_interval));
	if (ttl > 0)
		hard_expiry = earlier(hard_expiry, time_add(now, ttl));
	return (struct lifetime){
	    .fetched_at = now,
	    .hard_expiry = hard_expiry,
	    .refresh_at = earlier(refresh_at, hard_expiry),
	    .may_store = ttl > 0 && hard_expiry > now && !(hints->flags & HINT_NO_STORE) &&
			 !(verdict->flags &
			   (VERDICT_WEAK | VERDICT_NONCE | VERDICT_RECALLED | VERDICT_UNREADABLE)),
	};
}

enum freshness freshness_of(int64_t refresh_at, int64_t hard_expiry, int64_t expiry_margin,
			    int64_t now)
{
	if (now >= hard_expiry)
		return EXPIRED;
	if (now < refresh_at)
		return FRESH;
	return now >= time_add(hard_expiry, -expiry_margin) ? ENDING : DUE;
}

int64_t freshness_max_age(int64_t refresh_at, int64_t hard_expiry, int64_t now)
{
	const int64_t left = later(time_add(hard_expiry, -now), 0);

	return earlier(later(time_add(refresh_at, -now), earlier(MIN_MAX_AGE, left)), left);
}

int64_t freshness_retry_at(int64_t hard_expiry, int64_t now)
{
	return time_add(now, later(MIN_RETRY, time_add(hard_expiry, -now) / 10));
}

bool freshness_may_replace(int64_t old_this_update, int64_t old_produced_at,
			   int64_t new_this_update, int64_t new_produced_at)
{
	if (new_this_update != old_this_update)
		return new_this_update > old_this_update;
	return new_produced_at >= old_produced_at;
}
