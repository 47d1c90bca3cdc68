/* SPDX-License-Identifier: ISC */
/* Sending while the window has room, counting what comes home. */
#include "relay/batch.h"

#include <stdlib.h>

struct batch {
	struct list link; /* in the caller's batches */
	struct loop *loop;
	struct batch_ops ops;
	struct mailbox *home;
	struct timer *turn; /* the next sending, or the end */
	unsigned n_out;
	bool has_more, is_cancelled;
};

static void batch_free(struct batch *batch)
{
	timer_cancel(batch->turn);
	mailbox_free(batch->home, NULL, NULL);
	list_remove(&batch->link);
	free(batch);
}

static void send_some(struct batch *batch)
{
	struct message *message;
	struct mailbox *to;
	err_t err;

	while (batch->has_more && !batch->is_cancelled && batch->n_out < batch->ops.window) {
		message = batch->ops.next(batch->ops.arg, batch->home, &to);
		if (message == NULL) {
			batch->has_more = false;
			break;
		}
		batch->n_out++;
		err = mailbox_post(to, message);
		if (err != OK) {
			batch->n_out--;
			batch->ops.home(batch->ops.arg, message, err);
		}
	}
}

/* The end of a batch whose messages are all home; from the loop, for the mailbox is not to be freed
 * while it hands out mail. */
static void on_turn(void *arg)
{
	struct batch *batch = arg;

	batch->turn = NULL;
	send_some(batch);
	if (batch->n_out > 0)
		return;
	if (!batch->is_cancelled)
		batch->ops.done(batch->ops.arg);
	batch->ops.release(batch->ops.arg);
	batch_free(batch);
}

static void on_home(void *arg, struct message *message)
{
	struct batch *batch = arg;

	batch->n_out--;
	batch->ops.home(batch->ops.arg, message, OK);
	send_some(batch);
	if (batch->n_out == 0 && batch->turn == NULL)
		batch->turn = timer_start(batch->loop, 0, on_turn, batch);
}

struct batch *batch_start(struct list *batches, struct loop *loop, const struct batch_ops *ops)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return NULL;
	list_init(&batch->link);
	batch->loop = loop;
	batch->ops = *ops;
	batch->has_more = true;
	batch->home = mailbox_new(loop, 0, on_home, batch);
	batch->turn = timer_start(loop, 0, on_turn, batch);
	if (batch->home == NULL || batch->turn == NULL) {
		batch_free(batch);
		return NULL;
	}
	list_append(batches, &batch->link);
	return batch;
}

void batch_cancel(struct batch *batch)
{
	if (batch != NULL)
		batch->is_cancelled = true;
}

static void on_drop(void *arg, struct message *message)
{
	struct batch *batch = arg;

	batch->ops.home(batch->ops.arg, message, ERR_AGAIN);
}

void batches_drop(struct list *batches)
{
	struct list *link;

	while ((link = list_shift(batches)) != NULL) {
		struct batch *batch = LIST_ENTRY(link, struct batch, link);

		mailbox_free(batch->home, on_drop, batch);
		batch->home = NULL;
		batch->ops.release(batch->ops.arg);
		batch_free(batch);
	}
}
