/* SPDX-License-Identifier: ISC */
/* The runway of issuers, and their rehearsals, as JSON. Main thread. */
#ifndef OCSPRELAY_CTL_RUNWAY_JSON_H
#define OCSPRELAY_CTL_RUNWAY_JSON_H

#include "base/buf.h"

struct issuer;
struct rehearsal_status;
struct relay;

/* {"issuers":[{"name":...,"id":...,MEMBERS}]} */
void runway_json(struct relay *relay, struct buf *out);

/* "down":true,"rehearsal":{...},"runway":{"answers":2,"first":60,"median":60,"last":3600}: seconds;
 * null for what there is not. */
void runway_members(struct relay *relay, const struct issuer *issuer, struct buf *out);

/* {"seconds_left":60,"saved":2,"failed":0} */
void rehearsal_json(const struct rehearsal_status *status, struct buf *out);

#endif
