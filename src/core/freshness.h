/* SPDX-License-Identifier: ISC */
/*
 * How long a verified response may be kept, when it should be fetched again, and what clients are
 * told (section 3 of the conformance table; RFC 9919 7). Times are wall clock seconds.
 */
#ifndef OCSPRELAY_CORE_FRESHNESS_H
#define OCSPRELAY_CORE_FRESHNESS_H

#include "core/policy.h"
#include "core/verify.h"

enum upstream_hint_flags {
	HINT_NO_STORE = 1 << 0, /* Cache-Control: no-store or private (CL-11) */
	HINT_NO_CACHE = 1 << 1,
	HINT_MAX_AGE = 1 << 2,
};

struct upstream_hints { /* HTTP header fields of the answer: unsigned, so hints only (F1) */
	unsigned flags;
	int64_t max_age; /* seconds */
};

struct lifetime {
	int64_t fetched_at;
	int64_t hard_expiry; /* never served from this second on */
	int64_t refresh_at;  /* not after hard_expiry */
	bool may_store;	     /* false: deliver to those who wait for it, keep nothing */
};

/*
 * random: any 32 bits, spreads refresh_at by up to 10 % (CL-06). What is kept for a short time only
 * because we say so (unknown, never issued, no nextUpdate) is not refreshed ahead of its end.
 */
struct lifetime freshness_lifetime(const struct verdict *verdict, const struct policy *policy,
				   const struct upstream_hints *hints, int64_t now,
				   uint32_t random);

enum freshness {
	FRESH,	/* serve */
	DUE,	/* serve, and refresh in the background (CL-07) */
	ENDING, /* within expiry_margin: refresh first, serve if that fails (CL-08) */
	EXPIRED /* never serve */
};

/*
 * FRESH until refresh_at even within expiry_margin: a response that lives shorter than the margin
 * would otherwise be fetched anew for each client, and a refresh that failed a moment ago would be
 * repeated with every client waiting for it.
 */
enum freshness freshness_of(int64_t refresh_at, int64_t hard_expiry, int64_t expiry_margin,
			    int64_t now);

/* max-age for clients: clamp(refresh_at - now, min(60, left), left) (CL-09). */
int64_t freshness_max_age(int64_t refresh_at, int64_t hard_expiry, int64_t now);

/* When to try again after a refresh that failed or brought nothing newer: now + max(300 s, 10 % of
 * what is left) (CL-07). */
int64_t freshness_retry_at(int64_t hard_expiry, int64_t now);

/* Rollback protection: true if a response with the new times may replace the old one (CL-16). */
bool freshness_may_replace(int64_t old_this_update, int64_t old_produced_at,
			   int64_t new_this_update, int64_t new_produced_at);

#endif
