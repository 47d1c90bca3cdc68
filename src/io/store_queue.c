/* SPDX-License-Identifier: ISC */
/*
 * The queue of writes. The writer walks its first n nodes without the lock: adding touches only the
 * last node's link, which the walk does not follow, and only the writer removes.
 */
#include "io/store_queue.h"

#include <stdlib.h>
#include <time.h>

#define MAX_PUTS     65536
#define MAX_REMOVALS 65536 /* on top: a purge is lost less easily than a copy */
#define MAX_OCTETS   ((size_t)64 << 20)

/* Writes of one turn of the loops above share a commit: wait for those that come together. */
#define MS_GATHER 10
#define N_GATHER  256

#define WRITE_OF(node)	 LIST_ENTRY(node, struct store_write, link)
#define REMOVAL_OF(node) LIST_ENTRY(node, struct store_write, removals)

void store_queue_init(struct store_queue *queue)
{
	pthread_condattr_t attributes;

	*queue = (struct store_queue){.n = 0};
	list_init(&queue->writes);
	list_init(&queue->removals);
	atomic_init(&queue->n_removals, 0);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void store_queue_fini(struct store_queue *queue)
{
	store_queue_done(queue, queue->n);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
}

static size_t size_of(const struct store_write *write)
{
	return sizeof(*write) + write->key_len + write->record_len;
}

static bool has_room(const struct store_queue *queue, const struct store_write *write)
{
	if (write->op != STORE_PUT)
		return atomic_load(&queue->n_removals) < MAX_REMOVALS;
	return queue->n < MAX_PUTS && queue->n_octets + size_of(write) <= MAX_OCTETS;
}

bool store_queue_add(struct store_queue *queue, const struct store_write *model, struct slice key,
		     struct slice record)
{
	struct store_write *write = malloc(sizeof(*write) + key.len + record.len);
	bool is_added;

	if (!write)
		return false;
	*write = (struct store_write){.op = model->op, .hard_expiry = model->hard_expiry};
	write->key_len = key.len;
	write->record_len = record.len;
	if (key.len > 0)
		memcpy(write->octets, key.p, key.len);
	if (record.len > 0)
		memcpy(write->octets + key.len, record.p, record.len);
	list_init(&write->removals);

	pthread_mutex_lock(&queue->lock);
	is_added = has_room(queue, write);
	if (is_added) {
		list_append(&queue->writes, &write->link);
		queue->n++;
		queue->n_octets += size_of(write);
		if (write->op != STORE_PUT) {
			list_append(&queue->removals, &write->removals);
			atomic_fetch_add(&queue->n_removals, 1);
		}
		if (queue->n == 1 || queue->n == N_GATHER || write->op != STORE_PUT)
			pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	if (!is_added)
		free(write);
	return is_added;
}

static bool concerns(const struct store_write *removal, struct slice key)
{
	if (removal->op == STORE_PURGE)
		key = slice_take(key, removal->key_len);
	return slice_eq(store_write_key(removal), key);
}

bool store_queue_removes(struct store_queue *queue, struct slice key)
{
	struct list *node;
	bool found = false;

	if (atomic_load(&queue->n_removals) == 0)
		return false;
	pthread_mutex_lock(&queue->lock);
	for (node = queue->removals.next; node != &queue->removals && !found; node = node->next)
		found = concerns(REMOVAL_OF(node), key);
	pthread_mutex_unlock(&queue->lock);
	return found;
}

static void wake(struct store_queue *queue, bool *flag)
{
	pthread_mutex_lock(&queue->lock);
	*flag = true;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void store_queue_close(struct store_queue *queue)
{
	wake(queue, &queue->is_closing);
}

void store_queue_alarm(struct store_queue *queue)
{
	wake(queue, &queue->is_alarmed);
}

bool store_queue_is_closing(struct store_queue *queue)
{
	bool is_closing;

	pthread_mutex_lock(&queue->lock);
	is_closing = queue->is_closing;
	pthread_mutex_unlock(&queue->lock);
	return is_closing;
}

size_t store_queue_len(struct store_queue *queue)
{
	size_t n;

	pthread_mutex_lock(&queue->lock);
	n = queue->n;
	pthread_mutex_unlock(&queue->lock);
	return n;
}

static struct timespec moment_in(int64_t ms)
{
	struct timespec moment;

	clock_gettime(CLOCK_MONOTONIC, &moment);
	moment.tv_sec += (time_t)(ms / 1000);
	moment.tv_nsec += (long)(ms % 1000) * 1000000;
	if (moment.tv_nsec >= 1000000000) {
		moment.tv_sec++;
		moment.tv_nsec -= 1000000000;
	}
	return moment;
}

static bool is_wanted(const struct store_queue *queue, size_t n, enum store_patience patience)
{
	if (queue->is_closing || queue->is_alarmed)
		return true;
	return patience == STORE_EAGER && (queue->n >= n || !list_is_empty(&queue->removals));
}

/* Holding the lock. n: of writes, which are enough for one who is eager. */
static void wait_for(struct store_queue *queue, size_t n, int64_t ms, enum store_patience patience)
{
	struct timespec end = moment_in(ms);
	int result = 0;

	while (result == 0 && !is_wanted(queue, n, patience))
		result = pthread_cond_timedwait(&queue->changed, &queue->lock, &end);
}

size_t store_queue_wait(struct store_queue *queue, int64_t ms, enum store_patience patience)
{
	size_t n;

	pthread_mutex_lock(&queue->lock);
	wait_for(queue, 1, ms, patience);
	if (patience == STORE_EAGER && queue->n > 0)
		wait_for(queue, N_GATHER, MS_GATHER, patience);
	queue->is_alarmed = false;
	n = queue->n;
	pthread_mutex_unlock(&queue->lock);
	return n;
}

const struct store_write *store_queue_first(const struct store_queue *queue)
{
	return WRITE_OF(queue->writes.next);
}

const struct store_write *store_queue_next(const struct store_write *write)
{
	return WRITE_OF(write->link.next);
}

/* Holding the lock. */
static void unlink_write(struct store_queue *queue, struct store_write *write, struct list *gone)
{
	list_remove(&write->link);
	list_append(gone, &write->link);
	queue->n--;
	queue->n_octets -= size_of(write);
	if (write->op != STORE_PUT) {
		list_remove(&write->removals);
		atomic_fetch_sub(&queue->n_removals, 1);
	}
}

static void free_all(struct list *gone)
{
	while (!list_is_empty(gone))
		free(WRITE_OF(list_shift(gone)));
}

void store_queue_done(struct store_queue *queue, size_t n)
{
	struct list gone;

	list_init(&gone);
	pthread_mutex_lock(&queue->lock);
	while (n-- > 0)
		unlink_write(queue, WRITE_OF(queue->writes.next), &gone);
	pthread_mutex_unlock(&queue->lock);
	free_all(&gone);
}

size_t store_queue_drop_puts(struct store_queue *queue, size_t n)
{
	struct list gone, *node, *next;
	size_t n_dropped = 0;

	list_init(&gone);
	pthread_mutex_lock(&queue->lock);
	for (node = queue->writes.next; n-- > 0; node = next) {
		next = node->next;
		if (WRITE_OF(node)->op != STORE_PUT)
			continue;
		unlink_write(queue, WRITE_OF(node), &gone);
		n_dropped++;
	}
	pthread_mutex_unlock(&queue->lock);
	free_all(&gone);
	return n_dropped;
}
