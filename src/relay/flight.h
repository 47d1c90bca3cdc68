/* SPDX-License-Identifier: ISC */
/*
 * The second story: one cache key on its way from store or responder to everybody who asked. A
 * flight that has begun is never cancelled because a client left. Back thread of the key only.
 */
#ifndef OCSPRELAY_RELAY_FLIGHT_H
#define OCSPRELAY_RELAY_FLIGHT_H

#include "types.h"

struct ask;
struct back;
struct gate_visitor;

/* Takes the ask: it joins the flight of its key, or starts one. Answered by the mailbox of its
 * home, possibly before this returns. */
void flight_join(struct back *back, struct ask *ask);

/* The gate (relay/gate.h) has let this flight in. */
void flight_enter(void *back, struct gate_visitor *visitor);

/* There is news of this key in the store. False: no flight has it. */
bool flight_hear(struct back *back, struct slice key);

/* Ends all flights of back without answers; the asks are freed. After the loop has stopped. */
void flights_drop(struct back *back);

#endif
