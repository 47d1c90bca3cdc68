/* SPDX-License-Identifier: ISC */
/*
 * A back thread: its loop and mailboxes, its transfers, its handles of the stores, and the flights
 * of the keys that belong to it.
 */
#ifndef OCSPRELAY_RELAY_BACK_H
#define OCSPRELAY_RELAY_BACK_H

#include "io/loop.h"
#include "io/mailbox.h"
#include "io/upstream.h"
#include "relay/common.h"
#include "relay/gate.h"
#include "relay/rules.h"
#include "state/inflight.h"

struct ask;
struct due;
struct fleet;
struct refresher;

struct back {
	const struct common *common;
	struct rules *rules; /* swapped by a notice */
	struct loop *loop;
	struct mailbox *asks; /* bounded */
	struct mailbox *notices;
	struct upstream *upstream;
	struct store **stores; /* common->n_stores */
	struct store *shared;  /* the first of them that other relays use, too; or NULL */
	size_t shared_index;
	struct fleet *fleet;
	struct due *due; /* of its keys; other back threads add to it */
	struct refresher *refresher;
	struct inflight *inflight;
	struct gates *gates;
	struct list flights; /* all of them, also those that are not in the table */
};

/* Everything but the thread. NULL without memory. */
struct back *back_new(const struct common *common, struct rules *rules);

/* After its thread has ended and the fronts have been freed: asks still here have no client any
 * more. NULL is fine. */
void back_free(struct back *back);

/* The thread: runs the loop until loop_stop. */
void *back_run(void *back);

/* Sends an ask home with this error (OK: its entry is set), or frees it when it has no home. Takes
 * the ask. */
void back_send_home(struct ask *ask, err_t err);

#endif
