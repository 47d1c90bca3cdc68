/* SPDX-License-Identifier: ISC */
/* What the configuration may decide per issuer: the rows of OPTIONS_ISSUER as a plain struct. */
#ifndef OCSPRELAY_CORE_POLICY_H
#define OCSPRELAY_CORE_POLICY_H

#include "types.h"

enum upstream_method {
	METHOD_AUTO,
	METHOD_GET,
	METHOD_POST
};

enum nonce_policy {
	NONCE_AUTO,
	NONCE_IGNORE,
	NONCE_FORWARD,
	NONCE_REJECT
};

enum weak_policy {
	WEAK_PASS_UNCACHED,
	WEAK_ACCEPT,
	WEAK_REJECT
};

struct policy {
	enum upstream_method method;
	enum nonce_policy nonce;
	enum weak_policy weak_signature;
	double refresh_ratio;						   /* 0.05 to 0.95 */
	int64_t min_refresh_interval, max_refresh_interval, expiry_margin; /* seconds */
	int64_t clock_skew, no_next_update_ttl, unknown_max_ttl;	   /* seconds */
	int64_t neg_ttl_unauthorized, neg_ttl_error;			   /* seconds */
	unsigned max_inflight;
	int64_t ms_connect, ms_attempt, ms_deadline; /* milliseconds */
	int64_t runway_warning;			     /* seconds; 0: off */
	int64_t ms_probe;			     /* between probes, at most */
};

/* The documented defaults. */
extern const struct policy policy_default;

#endif
