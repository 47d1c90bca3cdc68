/* SPDX-License-Identifier: ISC */
/* What becomes of a parcel. */
#include "relay/parcel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "relay/back.h"
#include "relay/judge.h"
#include "relay/landing.h"

struct parcel *parcel_new(struct ask *question, struct slice record)
{
	struct parcel *parcel = malloc(sizeof(*parcel) + record.len);

	if (parcel == NULL)
		return NULL;
	*parcel = (struct parcel){.question = question, .record_len = record.len};
	list_init(&parcel->message.link);
	if (record.len > 0)
		memcpy(parcel->record, record.p, record.len);
	return parcel;
}

void parcel_free(struct parcel *parcel)
{
	if (parcel == NULL)
		return;
	ask_free(parcel->question);
	free(parcel);
}

void parcel_drop(void *arg, struct message *message)
{
	(void)arg;
	parcel_free((struct parcel *)message);
}

/* Only under its own key: if the bundle was made of a relay that had it under others, they are in
 * it, too. */
void parcel_open(struct back *back, struct parcel *parcel)
{
	const struct slice record = slice_of(parcel->record, parcel->record_len);
	struct entry *entry = NULL;
	err_t err;

	parcel->err = judge_record(back, parcel->question, record, &entry);
	if (parcel->err == OK)
		parcel->is_older = !landing_keep(back, parcel->question, 0, &entry);
	entry_unref(entry);
	/* the mailbox of a batch is unbounded */
	err = mailbox_post(parcel->home, &parcel->message);
	assert(err == OK);
	(void)err;
}
