/* SPDX-License-Identifier: ISC */
/*
 * A flight's way through the stores, one after the other in their order: what the first good record
 * becomes, and nothing that is not as good as a responder's own answer (VS-24). Back threads only.
 */
#ifndef OCSPRELAY_RELAY_LOOKUP_H
#define OCSPRELAY_RELAY_LOOKUP_H

#include "relay/ask.h"
#include "relay/back.h"
#include "relay/step.h"

typedef void lookup_fn(void *arg);

struct lookup {
	struct back *back;
	const struct ask *question;
	lookup_fn *wake;
	void *arg;

	size_t store;	/* index: the one whose turn it is */
	bool is_newest; /* a copy of it will not do: somebody has written, or may have */
	bool is_copy;	/* what it gave may come from a copy */
	struct store_read *read;
	err_t err;
	struct slice record; /* borrowed from the store until lookup_check */
};

/* All is kept. */
void lookup_init(struct lookup *lookup, struct back *back, const struct ask *question,
		 lookup_fn *wake, void *arg);

/* Begins anew with the store that others write to, too, and no copy of it. There is one. */
void lookup_rewind(struct lookup *lookup);

/* Asks the store whose turn it is. STEP_WAIT: wake is called when it has answered. STEP_DONE: there
 * is no further store. */
enum step lookup_ask(struct lookup *lookup);

/* Whether it gave a good one: then *out is the entry that memory now holds for the key, one
 * reference, our other stores have a copy, and *out_name is the detail for Cache-Status. From
 * here on it is the next store's turn. */
bool lookup_check(struct lookup *lookup, struct entry **out, const char **out_name);

/* Whether the store that was checked last is ours alone. */
bool lookup_was_own(const struct lookup *lookup);

void lookup_cancel(struct lookup *lookup);

#endif
