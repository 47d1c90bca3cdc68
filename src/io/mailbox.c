/* SPDX-License-Identifier: ISC */
/*
 * A locked list and a bell. The sender that finds the list empty rings when its turn ends; all
 * others find the receiver awake, or about to be. The receiver takes at most MAX_BATCH messages per
 * turn, so that a flood of them does not keep its sockets waiting, and rings for itself when some
 * are left.
 */
#include "io/mailbox.h"

#include <pthread.h>
#include <stdlib.h>

#include "io/event.h"
#include "io/wake.h"

#define MAX_BATCH 256

struct mailbox {
	pthread_mutex_t lock;
	struct list messages; /* under lock */
	size_t n;	      /* under lock */
	size_t max;
	struct wake wake;
	struct event event;
	mailbox_fn *fn;
	void *arg;
};

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct mailbox *mailbox = arg;
	struct list batch;
	struct list *node;
	bool has_more;

	(void)fd;
	(void)what;
	list_init(&batch);
	wake_clear(&mailbox->wake);
	pthread_mutex_lock(&mailbox->lock);
	for (size_t i = 0; i < MAX_BATCH && (node = list_shift(&mailbox->messages)); i++) {
		mailbox->n--;
		list_append(&batch, node);
	}
	has_more = mailbox->n > 0;
	pthread_mutex_unlock(&mailbox->lock);
	if (has_more)
		wake_ring(&mailbox->wake);
	while ((node = list_shift(&batch)))
		mailbox->fn(mailbox->arg, LIST_ENTRY(node, struct message, link));
}

struct mailbox *mailbox_new(struct loop *loop, size_t max, mailbox_fn *fn, void *arg)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));

	if (!mailbox)
		return NULL;
	mailbox->max = max;
	mailbox->fn = fn;
	mailbox->arg = arg;
	list_init(&mailbox->messages);
	if (wake_init(&mailbox->wake) != OK)
		goto out;
	if (event_assign(&mailbox->event, loop_base(loop), mailbox->wake.fd, EV_READ | EV_PERSIST,
			 on_wake, mailbox) != 0 ||
	    event_add(&mailbox->event, NULL) != 0)
		goto out_wake;
	if (pthread_mutex_init(&mailbox->lock, NULL) != 0)
		goto out_event;
	return mailbox;
out_event:
	event_del(&mailbox->event);
out_wake:
	wake_fini(&mailbox->wake);
out:
	free(mailbox);
	return NULL;
}

void mailbox_free(struct mailbox *mailbox, mailbox_fn *drop, void *arg)
{
	struct list *node;

	if (!mailbox)
		return;
	event_del(&mailbox->event);
	while ((node = list_shift(&mailbox->messages))) {
		if (drop)
			drop(arg, LIST_ENTRY(node, struct message, link));
	}
	wake_fini(&mailbox->wake);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

err_t mailbox_post(struct mailbox *mailbox, struct message *message)
{
	bool was_empty;

	pthread_mutex_lock(&mailbox->lock);
	if (mailbox->max != 0 && mailbox->n >= mailbox->max) {
		pthread_mutex_unlock(&mailbox->lock);
		return ERR_OVERLOAD_MAILBOX;
	}
	was_empty = mailbox->n++ == 0;
	list_append(&mailbox->messages, &message->link);
	pthread_mutex_unlock(&mailbox->lock);
	if (was_empty)
		wake_ring_later(&mailbox->wake);
	return OK;
}
