/* SPDX-License-Identifier: ISC */
/* The defaults of an issuer's policy: what the manual promises. */
#include "core/policy.h"

#define HOUR 3600

const struct policy policy_default = {
    .method = METHOD_AUTO,
    .nonce = NONCE_AUTO,
    .weak_signature = WEAK_PASS_UNCACHED,
    .refresh_ratio = 0.5,
    .min_refresh_interval = 60,
    .max_refresh_interval = 12 * HOUR,
    .expiry_margin = 300,
    .clock_skew = 300,
    .no_next_update_ttl = 0,
    .unknown_max_ttl = 300,
    .neg_ttl_unauthorized = 60,
    .neg_ttl_error = 5,
    .max_inflight = 64,
    .ms_connect = 2000,
    .ms_attempt = 5000,
    .ms_deadline = 8000,
    .ms_probe = 10000,
    .runway_warning = HOUR,
};
