/* SPDX-License-Identifier: ISC */
/*
 * A parcel: one record that an operator brings, on its way to the back thread of its key, where it
 * is judged and kept as if it had been fetched, and home again with what became of it. One
 * allocation that changes hands, as an ask does.
 */
#ifndef OCSPRELAY_RELAY_PARCEL_H
#define OCSPRELAY_RELAY_PARCEL_H

#include "relay/ask.h"

struct back;

struct parcel {
	struct message message; /* first */
	struct mailbox *home;
	struct ask *question; /* about its key */
	err_t err;	      /* why it was refused */
	bool is_older;	      /* good, but a newer one is here (CL-16) */
	size_t record_len;
	uint8_t record[];
};

/* Takes question. NULL without memory: question is the caller's. */
struct parcel *parcel_new(struct ask *question, struct slice record);
void parcel_free(struct parcel *parcel); /* NULL is fine */

/* On the back thread: judges, keeps, sends home. Takes the parcel. */
void parcel_open(struct back *back, struct parcel *parcel);

/* The same as a mailbox_fn, for mailbox_free. */
void parcel_drop(void *arg, struct message *message);

#endif
