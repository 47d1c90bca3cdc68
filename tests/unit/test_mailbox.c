/* SPDX-License-Identifier: ISC */
/* Messages between threads: order, bound, batches, what is left at the end. */
#include "io/mailbox.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#define N_SENDERS 4
#define N_EACH	  5000

struct note {
	struct message message;
	unsigned sender, number;
};

struct receiver {
	struct loop *loop;
	struct mailbox *mailbox;
	unsigned next[N_SENDERS]; /* number expected from each */
	unsigned n, n_wanted;
	unsigned n_when_timer_ran;
};

static struct note *new_note(unsigned sender, unsigned number)
{
	struct note *note = calloc(1, sizeof(*note));

	cr_assert_not_null(note);
	note->sender = sender;
	note->number = number;
	return note;
}

static struct note *note_of(struct message *message)
{
	return LIST_ENTRY(message, struct note, message);
}

static void receive(void *arg, struct message *message)
{
	struct receiver *receiver = arg;
	struct note *note = note_of(message);

	cr_assert_eq(note->number, receiver->next[note->sender]);
	receiver->next[note->sender]++;
	free(note);
	if (++receiver->n == receiver->n_wanted)
		loop_stop(receiver->loop);
}

static void drop(void *arg, struct message *message)
{
	unsigned *n = arg;

	(*n)++;
	free(note_of(message));
}

static void open_receiver(struct receiver *receiver, size_t max, unsigned n_wanted)
{
	*receiver = (struct receiver){.loop = loop_new(), .n_wanted = n_wanted};
	receiver->mailbox = mailbox_new(receiver->loop, max, receive, receiver);
	cr_assert_not_null(receiver->mailbox);
}

static void close_receiver(struct receiver *receiver, unsigned n_left)
{
	unsigned n = 0;

	mailbox_free(receiver->mailbox, drop, &n);
	cr_assert_eq(n, n_left);
	loop_free(receiver->loop);
}

struct sender {
	struct mailbox *mailbox;
	unsigned number;
};

static void *send_all(void *arg)
{
	struct sender *sender = arg;

	for (unsigned i = 0; i < N_EACH; i++) {
		struct note *note = new_note(sender->number, i);

		if (mailbox_post(sender->mailbox, &note->message) != OK)
			abort();
	}
	return NULL;
}

Test(mailbox, every_message_of_several_threads_arrives_once_and_in_order)
{
	struct receiver receiver;
	struct sender senders[N_SENDERS];
	pthread_t threads[N_SENDERS];

	open_receiver(&receiver, 0, N_SENDERS * N_EACH);
	for (unsigned i = 0; i < N_SENDERS; i++) {
		senders[i] = (struct sender){.mailbox = receiver.mailbox, .number = i};
		cr_assert_eq(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
	}
	loop_run(receiver.loop);
	for (unsigned i = 0; i < N_SENDERS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		cr_assert_eq(receiver.next[i], N_EACH);
	}
	close_receiver(&receiver, 0);
}

Test(mailbox, EM_19_a_full_one_refuses_and_the_message_stays_the_senders)
{
	struct receiver receiver;
	struct note *refused = new_note(0, 2);

	open_receiver(&receiver, 2, 2);
	cr_assert_eq(mailbox_post(receiver.mailbox, &new_note(0, 0)->message), OK);
	cr_assert_eq(mailbox_post(receiver.mailbox, &new_note(0, 1)->message), OK);
	cr_assert_eq(mailbox_post(receiver.mailbox, &refused->message), ERR_OVERLOAD_MAILBOX);
	loop_run(receiver.loop);
	cr_assert_eq(mailbox_post(receiver.mailbox, &refused->message), OK);
	close_receiver(&receiver, 1);
}

static void look(void *arg)
{
	struct receiver *receiver = arg;

	receiver->n_when_timer_ran = receiver->n;
}

Test(mailbox, a_flood_lets_the_rest_of_the_loop_run_in_between)
{
	struct receiver receiver;

	open_receiver(&receiver, 0, 2000);
	for (unsigned i = 0; i < 2000; i++)
		cr_assert_eq(mailbox_post(receiver.mailbox, &new_note(0, i)->message), OK);
	cr_assert_not_null(timer_start(receiver.loop, 0, look, &receiver));
	loop_run(receiver.loop);
	cr_assert_eq(receiver.n, 2000);
	cr_assert_lt(receiver.n_when_timer_ran, 1000);
	close_receiver(&receiver, 0);
}

Test(mailbox, what_is_left_at_the_end_is_handed_to_drop)
{
	struct receiver receiver;

	open_receiver(&receiver, 0, 1);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(mailbox_post(receiver.mailbox, &new_note(0, i)->message), OK);
	close_receiver(&receiver, 3);
	mailbox_free(NULL, drop, NULL);
}
