/* SPDX-License-Identifier: ISC */
/*
 * Health of an issuer, which is that of its responders: it is in trouble when none of them works,
 * or when that is rehearsed. Any thread.
 */
#ifndef OCSPRELAY_RELAY_HEALTH_H
#define OCSPRELAY_RELAY_HEALTH_H

#include "relay/common.h"
#include "state/issuers.h"

/* Nobody is to be asked: an outage of the issuer's responders is rehearsed. */
bool health_is_rehearsed(const struct common *common, const struct issuer *issuer, int64_t ms_now);

/* In trouble. Never true of an issuer without responders. */
bool health_is_down(const struct common *common, const struct issuer *issuer, int64_t ms_now);

/* Signed answers that clients have been given about certificates of the issuer of this slot, and
 * answers that told them to try later or of an internal error. */
uint64_t health_answers(unsigned slot);
uint64_t health_errors(unsigned slot);

/* What clients were given while no responder of their issuer worked: all issuers that have url. */
uint64_t health_saved(const struct common *common, const struct issuers *issuers, const char *url);

/* The responder url has gone down or come back; NULL: issuers may have other responders now. */
void health_note(const struct common *common, const struct issuers *issuers, const char *url,
		 int64_t ms_now);

#endif
