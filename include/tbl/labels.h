/* SPDX-License-Identifier: ISC */
/*
 * The label dimensions of the metrics whose values are known at build time, and their values.
 * LABEL_DIM(dimension, label name) starts one; LABEL(dimension, id, text) are its values, in order.
 * The dimensions REASON and UPSTREAM_RESULT have one value per row of tbl/errors.h and therefore no
 * rows here; those of ODDITY are the rows of tbl/oddities.h.
 */
LABEL_DIM(METHOD, "method")
LABEL(METHOD, GET, "get")
LABEL(METHOD, HEAD, "head")
LABEL(METHOD, POST, "post")

LABEL_DIM(RESULT, "result")
LABEL(RESULT, HIT, "hit")
LABEL(RESULT, MISS, "miss")
LABEL(RESULT, COLLAPSED, "collapsed")
LABEL(RESULT, REFRESHED, "refreshed")
LABEL(RESULT, BYPASS, "bypass")
LABEL(RESULT, NEGATIVE, "negative")
LABEL(RESULT, REJECTED, "rejected")
LABEL(RESULT, ERROR, "error")

LABEL_DIM(STATUS, "status")
LABEL(STATUS, GOOD, "good")
LABEL(STATUS, REVOKED, "revoked")
LABEL(STATUS, UNKNOWN, "unknown")
LABEL(STATUS, MALFORMED_REQUEST, "malformed_request")
LABEL(STATUS, INTERNAL_ERROR, "internal_error")
LABEL(STATUS, TRY_LATER, "try_later")
LABEL(STATUS, SIG_REQUIRED, "sig_required")
LABEL(STATUS, UNAUTHORIZED, "unauthorized")

LABEL_DIM(FROM, "from")
LABEL(FROM, GOOD, "good")
LABEL(FROM, REVOKED, "revoked")
LABEL(FROM, UNKNOWN, "unknown")

LABEL_DIM(TO, "to")
LABEL(TO, GOOD, "good")
LABEL(TO, REVOKED, "revoked")
LABEL(TO, UNKNOWN, "unknown")

LABEL_DIM(OP, "op")
LABEL(OP, GET, "get")
LABEL(OP, PUT, "put")
LABEL(OP, DELETE, "delete")
LABEL(OP, LEASE, "lease")
LABEL(OP, PUBLISH, "publish")
LABEL(OP, WALK, "walk")
LABEL(OP, PURGE, "purge")

LABEL_DIM(STORE_RESULT, "result")
LABEL(STORE_RESULT, OK, "ok")
LABEL(STORE_RESULT, NOT_FOUND, "not_found")
LABEL(STORE_RESULT, REFUSED, "refused")
LABEL(STORE_RESULT, ERROR, "error")
LABEL(STORE_RESULT, DROPPED, "dropped")

LABEL_DIM(OUTCOME, "result")
LABEL(OUTCOME, OK, "ok")
LABEL(OUTCOME, ERROR, "error")

LABEL_DIM(HOOK_RESULT, "result")
LABEL(HOOK_RESULT, OK, "ok")
LABEL(HOOK_RESULT, FAILED, "failed")
LABEL(HOOK_RESULT, KILLED, "killed")
LABEL(HOOK_RESULT, DROPPED, "dropped")

LABEL_DIM(ODDITY, "oddity")
#define ODDITY(id, label, text) LABEL(ODDITY, id, label)
#include "tbl/oddities.h"
#undef ODDITY
