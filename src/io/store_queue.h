/* SPDX-License-Identifier: ISC */
/*
 * Writes on their way to a store: added by any thread, taken by the store's one writer, who says
 * when they are done. Until then they stay, so what cannot be written now is tried again, and a
 * removal counts from the moment it is asked for.
 */
#ifndef OCSPRELAY_IO_STORE_QUEUE_H
#define OCSPRELAY_IO_STORE_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "base/list.h"
#include "err.h"

enum store_op {
	STORE_PUT,
	STORE_DELETE, /* one key */
	STORE_PURGE   /* every key that begins so */
};

struct store_write {
	struct list link;     /* in the order of arrival */
	struct list removals; /* of those that remove, the same */
	enum store_op op;
	int64_t hard_expiry;
	size_t key_len, record_len;
	uint8_t octets[]; /* key, record */
};

static inline struct slice store_write_key(const struct store_write *write)
{
	return slice_of(write->octets, write->key_len);
}

static inline struct slice store_write_record(const struct store_write *write)
{
	return slice_of(write->octets + write->key_len, write->record_len);
}

struct store_queue {
	pthread_mutex_t lock; /* for all below */
	pthread_cond_t changed;
	struct list writes, removals;
	size_t n, n_octets;
	atomic_size_t n_removals; /* written under the lock, read without */
	bool is_closing, is_alarmed;
};

void store_queue_init(struct store_queue *queue);
void store_queue_fini(struct store_queue *queue); /* frees what is left */

/* Adds what model says of op and hard_expiry, with copies of key and record. False when the queue
 * is full or without memory. */
MUST_CHECK bool store_queue_add(struct store_queue *queue, const struct store_write *model,
				struct slice key, struct slice record);

/* Whether a removal that is not done yet concerns key. */
bool store_queue_removes(struct store_queue *queue, struct slice key);

/* Wakes the writer now, for ever, or once. */
void store_queue_close(struct store_queue *queue);
void store_queue_alarm(struct store_queue *queue);

enum store_patience {
	STORE_EAGER,  /* return soon after something has been added */
	STORE_PATIENT /* only when the time is up */
};

/* The writer only: waits for at most ms; the number of writes there are. Returns at once after
 * close and alarm. */
size_t store_queue_wait(struct store_queue *queue, int64_t ms, enum store_patience patience);
bool store_queue_is_closing(struct store_queue *queue);
size_t store_queue_len(struct store_queue *queue);

/* The writer only: the first write, and the one behind another, as long as the number that
 * store_queue_wait gave is not exceeded. They stay until store_queue_done removes the first n. */
const struct store_write *store_queue_first(const struct store_queue *queue);
const struct store_write *store_queue_next(const struct store_write *write);
void store_queue_done(struct store_queue *queue, size_t n);

/* The writer only: gives up the puts among the first n writes; how many those were. */
size_t store_queue_drop_puts(struct store_queue *queue, size_t n);

#endif
