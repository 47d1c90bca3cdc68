/* SPDX-License-Identifier: ISC */
/*
 * A client that waits for an ask: from the moment the ask leaves until it is home again, the
 * deadline has come or the client has gone, whichever is first. Front threads only.
 */
#ifndef OCSPRELAY_RELAY_WAITING_H
#define OCSPRELAY_RELAY_WAITING_H

#include "relay/ask.h"

/*
 * Posts the ask, whose part "at home" tells who waits, to the back thread of its key. Takes the
 * ask; takes fallback, which is the answer if no better one comes, with OK only. ERR_NO_MEMORY,
 * ERR_OVERLOAD_MAILBOX: nobody waits, and the client is still to be answered.
 */
MUST_CHECK err_t waiting_begin(struct ask *ask, struct entry *fallback);

/* The ask came home: the client, if it still waits, is answered. Takes the ask. */
void waiting_end(struct ask *ask);

/* The client of this ask (NULL is fine) is gone; the flight goes on without it. */
void waiting_abandon(struct ask *ask);

#endif
