/* SPDX-License-Identifier: ISC */
/* The queue between the back threads and a store's writer. */
#include "io/store_queue.h"

#include <stdlib.h>
#include <time.h>

#define MAX_WRITES 65536
#define MAX_OCTETS ((size_t)64 << 20)
#define MUCH	   8 /* parts of these; one of them is much */

void store_queue_init(struct store_queue *queue)
{
	pthread_condattr_t attributes;

	*queue = (struct store_queue){.n = 0};
	list_init(&queue->writes);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void store_queue_fini(struct store_queue *queue)
{
	size_t n_deletes;

	store_queue_free(&queue->writes, &n_deletes);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
}

static bool is_urgent(const struct store_queue *queue, enum store_op op)
{
	return op == STORE_PURGE || queue->n >= MAX_WRITES / MUCH ||
	       queue->n_octets >= MAX_OCTETS / MUCH;
}

bool store_queue_add(struct store_queue *queue, const struct store_write *model, struct slice key,
		     struct slice record)
{
	size_t size = sizeof(struct store_write) + key.len + record.len;
	struct store_write *write = malloc(size);
	bool is_added, must_wake = false;

	if (!write)
		return false;
	*write = (struct store_write){.op = model->op,
				      .hard_expiry = model->hard_expiry,
				      .number = model->number,
				      .key_len = key.len,
				      .record_len = record.len};
	if (key.len > 0)
		memcpy(write->octets, key.p, key.len);
	if (record.len > 0)
		memcpy(write->octets + key.len, record.p, record.len);
	pthread_mutex_lock(&queue->lock);
	is_added = queue->n < MAX_WRITES && queue->n_octets + size <= MAX_OCTETS;
	if (is_added) {
		list_append(&queue->writes, &write->link);
		queue->n++;
		queue->n_octets += size;
		if (is_urgent(queue, model->op) && !queue->is_urgent)
			queue->is_urgent = must_wake = true;
		if (queue->n == 1 || must_wake)
			pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	if (!is_added)
		free(write);
	return is_added;
}

void store_queue_close(struct store_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_closing = true;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
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

static bool must_wait(const struct store_queue *queue, enum store_patience patience)
{
	return patience == STORE_PATIENT || (patience == STORE_GATHER && !queue->is_urgent) ||
	       (patience == STORE_EAGER && queue->n == 0);
}

bool store_queue_wait(struct store_queue *queue, int64_t ms, enum store_patience patience)
{
	struct timespec end = moment_in(ms);
	int result = 0;
	bool is_open;

	pthread_mutex_lock(&queue->lock);
	while (result == 0 && !queue->is_closing && must_wait(queue, patience))
		result = pthread_cond_timedwait(&queue->changed, &queue->lock, &end);
	is_open = !queue->is_closing;
	pthread_mutex_unlock(&queue->lock);
	return is_open;
}

void store_queue_take(struct store_queue *queue, struct list *writes)
{
	struct list *node;

	pthread_mutex_lock(&queue->lock);
	while ((node = list_shift(&queue->writes)))
		list_append(writes, node);
	queue->n = queue->n_octets = 0;
	queue->is_urgent = false;
	pthread_mutex_unlock(&queue->lock);
}

size_t store_queue_free(struct list *writes, size_t *out_n_deletes)
{
	size_t n_puts = 0;
	struct list *node;

	*out_n_deletes = 0;
	while ((node = list_shift(writes))) {
		struct store_write *write = LIST_ENTRY(node, struct store_write, link);

		if (write->op == STORE_PUT)
			n_puts++;
		else if (write->op == STORE_DELETE)
			(*out_n_deletes)++;
		free(write);
	}
	return n_puts;
}
