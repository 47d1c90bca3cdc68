/* SPDX-License-Identifier: ISC */
/* Time and mail: the stand-ins of clock.h, entropy.h, loop.h and mailbox.h. */
#include "stage.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/thread.h"

#define FIRST_MS INT64_C(777000000) /* nobody takes it for a wall clock */

struct stage stage;

static struct {
	int64_t ms, ms_wall_ahead;
	struct list timers, mailboxes;
	size_t n_things;
} now;

void *stage_take(size_t len)
{
	void *p = calloc(1, len > 0 ? len : 1);

	cr_assert_not_null(p);
	return p;
}

void *stage_new(size_t len)
{
	if (stage.has_no_memory)
		return NULL;
	now.n_things++;
	return stage_take(len);
}

void stage_free(void *thing)
{
	if (thing == NULL)
		return;
	now.n_things--;
	free(thing);
}

struct slice stage_copy(struct slice octets)
{
	uint8_t *p = stage_take(octets.len);

	if (octets.len > 0)
		memcpy(p, octets.p, octets.len);
	return slice_of(p, octets.len);
}

void stage_release(struct slice octets)
{
	free((void *)(uintptr_t)octets.p);
}

void stage_open(int64_t wall)
{
	now.ms = FIRST_MS;
	stage_set_wall(wall);
	list_init(&now.timers);
	list_init(&now.mailboxes);
}

void stage_close(void)
{
	cr_expect_eq(now.n_things, 0, "%zu things were not freed", now.n_things);
}

/* --- clock.h, entropy.h ----------------------------------------------------------------------- */

int64_t clock_wall(void)
{
	return (now.ms + now.ms_wall_ahead) / 1000;
}

int64_t clock_mono_ms(void)
{
	return now.ms;
}

int64_t clock_mono_us(void)
{
	return now.ms * 1000;
}

void stage_set_wall(int64_t wall)
{
	now.ms_wall_ahead = wall * 1000 - now.ms;
}

/* xorshift64 */
static uint64_t draw(void)
{
	stage.random ^= stage.random << 13;
	stage.random ^= stage.random >> 7;
	stage.random ^= stage.random << 17;
	return stage.random;
}

void entropy_fill(void *dst, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)dst)[i] = stage.random != 0 ? (uint8_t)(draw() >> 32) : 0x5a;
}

uint32_t entropy_jitter(void)
{
	return stage.random != 0 ? (uint32_t)(draw() >> 32) : stage.jitter;
}

/* --- loop.h ----------------------------------------------------------------------------------- */

struct loop {
	size_t n_users; /* timers and mailboxes */
};

struct timer {
	struct list link;
	struct loop *loop;
	int64_t ms_due, ms_every; /* 0: once */
	loop_fn *fn;
	void *arg;
};

struct loop *loop_new(void)
{
	return stage_new(sizeof(struct loop));
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	cr_expect_eq(loop->n_users, 0, "timers or mailboxes outlive their loop");
	stage_free(loop);
}

/* The test turns all loops. */
void thread_begin(const char *name, enum thread_patience patience)
{
	(void)name;
	(void)patience;
}

void loop_run(struct loop *loop)
{
	(void)loop;
}

void loop_stop(struct loop *loop)
{
	(void)loop;
}

static struct timer *start(struct loop *loop, const struct timer *model)
{
	struct timer *timer = stage_new(sizeof(*timer));

	if (timer == NULL)
		return NULL;
	*timer = *model;
	timer->loop = loop;
	list_append(&now.timers, &timer->link);
	loop->n_users++;
	return timer;
}

struct timer *timer_start(struct loop *loop, int64_t ms, loop_fn *fn, void *arg)
{
	return start(loop, &(struct timer){.ms_due = now.ms + ms, .fn = fn, .arg = arg});
}

struct timer *timer_every(struct loop *loop, int64_t ms, loop_fn *fn, void *arg)
{
	return start(loop,
		     &(struct timer){.ms_due = now.ms + ms, .ms_every = ms, .fn = fn, .arg = arg});
}

void timer_cancel(struct timer *timer)
{
	if (timer == NULL)
		return;
	list_remove(&timer->link);
	timer->loop->n_users--;
	stage_free(timer);
}

static struct timer *first_timer(int64_t ms_end)
{
	struct timer *first = NULL;

	for (struct list *node = now.timers.next; node != &now.timers; node = node->next) {
		struct timer *timer = LIST_ENTRY(node, struct timer, link);

		if (timer->ms_due <= ms_end && (first == NULL || timer->ms_due < first->ms_due))
			first = timer;
	}
	return first;
}

static void fire(struct timer *timer)
{
	loop_fn *fn = timer->fn;
	void *arg = timer->arg;

	if (timer->ms_due > now.ms)
		now.ms = timer->ms_due;
	if (timer->ms_every > 0)
		timer->ms_due += timer->ms_every;
	else
		timer_cancel(timer);
	fn(arg);
}

/* --- mailbox.h -------------------------------------------------------------------------------- */

struct mailbox {
	struct list link;
	struct loop *loop;
	struct list messages;
	size_t n, max;
	bool is_held;
	mailbox_fn *fn;
	void *arg;
};

struct mailbox *mailbox_new(struct loop *loop, size_t max, mailbox_fn *fn, void *arg)
{
	struct mailbox *mailbox = stage_new(sizeof(*mailbox));

	if (mailbox == NULL)
		return NULL;
	*mailbox = (struct mailbox){.loop = loop, .max = max, .fn = fn, .arg = arg};
	list_init(&mailbox->messages);
	list_append(&now.mailboxes, &mailbox->link);
	loop->n_users++;
	return mailbox;
}

void mailbox_free(struct mailbox *mailbox, mailbox_fn *drop, void *arg)
{
	struct list *node;

	if (mailbox == NULL)
		return;
	while ((node = list_shift(&mailbox->messages)) != NULL) {
		cr_expect_not_null(drop, "a message leaks");
		drop(arg, LIST_ENTRY(node, struct message, link));
	}
	list_remove(&mailbox->link);
	mailbox->loop->n_users--;
	stage_free(mailbox);
}

err_t mailbox_post(struct mailbox *mailbox, struct message *message)
{
	if (mailbox->max > 0 && (stage.is_mail_refused || mailbox->n >= mailbox->max))
		return ERR_OVERLOAD_MAILBOX;
	mailbox->n++;
	list_append(&mailbox->messages, &message->link);
	return OK;
}

void stage_hold(struct mailbox *mailbox, bool is_held)
{
	mailbox->is_held = is_held;
}

static struct mailbox *first_mailbox(void)
{
	for (struct list *node = now.mailboxes.next; node != &now.mailboxes; node = node->next) {
		struct mailbox *mailbox = LIST_ENTRY(node, struct mailbox, link);

		if (mailbox->n > 0 && !mailbox->is_held)
			return mailbox;
	}
	return NULL;
}

static void deliver(void)
{
	struct mailbox *mailbox;

	while ((mailbox = first_mailbox()) != NULL) {
		struct list *node = list_shift(&mailbox->messages);

		mailbox->n--;
		mailbox->fn(mailbox->arg, LIST_ENTRY(node, struct message, link));
	}
}

void stage_pass(int64_t ms)
{
	int64_t ms_end = now.ms + ms;
	struct timer *timer;

	for (deliver(); (timer = first_timer(ms_end)) != NULL; deliver())
		fire(timer);
	now.ms = ms_end;
}
