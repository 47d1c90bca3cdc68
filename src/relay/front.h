/* SPDX-License-Identifier: ISC */
/*
 * A front thread: its loop, its server, the mailbox to which answered asks come home. Clients'
 * requests become exchanges here; nothing on this thread waits for disk, network or cryptography.
 */
#ifndef OCSPRELAY_RELAY_FRONT_H
#define OCSPRELAY_RELAY_FRONT_H

#include "core/dates.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "io/server.h"
#include "relay/common.h"
#include "relay/notice.h"
#include "relay/rules.h"

struct front {
	const struct common *common;
	struct rules *rules; /* swapped by a notice */
	struct loop *loop;
	struct mailbox *answers; /* asks that come home */
	struct mailbox *notices;
	struct server *server;
	struct notice *draining; /* goes home when the server has drained */
	uint8_t *scratch;	 /* for decoding GET targets */
	uint64_t n_told;	 /* exchanges that were told of; begins anywhere */
	struct hash_key id_key;	 /* for their ids; random */
	int64_t date_of;	 /* the second that date shows */
	char date[HTTP_DATE_LEN];
};

/* Everything but the thread. NULL without memory. */
struct front *front_new(const struct common *common, struct rules *rules);

/* After its thread has ended. NULL is fine. */
void front_free(struct front *front);

/* The thread: runs the loop until loop_stop. */
void *front_run(void *front);

/* The Date field of now; valid until the next call. */
const char *front_date(struct front *front, int64_t now);

#endif
