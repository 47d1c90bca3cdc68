/* SPDX-License-Identifier: ISC */
/* What ends the writer's waiting, and what does not. Waits that are to end at once have an hour. */
#include "io/store_queue.h"

#include <criterion/criterion.h>

#define MS_HOUR 3600000

static void add(struct store_queue *queue, enum store_op op)
{
	const struct store_write model = {.op = op};

	cr_assert(store_queue_add(queue, &model, slice_text("key"), slice_text("record")));
}

Test(store_queue, an_eager_writer_takes_the_first)
{
	struct store_queue queue;

	store_queue_init(&queue);
	add(&queue, STORE_PUT);
	cr_expect(store_queue_wait(&queue, MS_HOUR, STORE_EAGER));
	store_queue_fini(&queue);
}

Test(store_queue, gathering_ends_with_a_purge)
{
	struct store_queue queue;
	struct list writes;
	size_t n_deletes;

	store_queue_init(&queue);
	add(&queue, STORE_PUT);
	cr_expect(store_queue_wait(&queue, 1, STORE_GATHER));
	add(&queue, STORE_PURGE);
	cr_expect(store_queue_wait(&queue, MS_HOUR, STORE_GATHER));
	list_init(&writes);
	store_queue_take(&queue, &writes);
	cr_expect_eq(store_queue_free(&writes, &n_deletes), 1);
	add(&queue, STORE_PUT);
	cr_expect(store_queue_wait(&queue, 1, STORE_GATHER), "not urgent any more");
	store_queue_fini(&queue);
}

Test(store_queue, gathering_ends_when_much_has_come)
{
	struct store_queue queue;

	store_queue_init(&queue);
	for (int i = 0; i < 65536 / 8; i++)
		add(&queue, STORE_DELETE);
	cr_expect(store_queue_wait(&queue, MS_HOUR, STORE_GATHER));
	store_queue_fini(&queue);
}

Test(store_queue, closing_ends_all_waiting)
{
	struct store_queue queue;

	store_queue_init(&queue);
	store_queue_close(&queue);
	cr_expect_not(store_queue_wait(&queue, MS_HOUR, STORE_EAGER));
	cr_expect_not(store_queue_wait(&queue, MS_HOUR, STORE_GATHER));
	cr_expect_not(store_queue_wait(&queue, MS_HOUR, STORE_PATIENT));
	store_queue_fini(&queue);
}
