/* SPDX-License-Identifier: ISC */
/*
 * Writes on their way to a store: added by any thread, taken all at once by the store's one writer.
 * Bounded in number and octets.
 */
#ifndef OCSPRELAY_IO_STORE_QUEUE_H
#define OCSPRELAY_IO_STORE_QUEUE_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/list.h"
#include "err.h"

enum store_op {
	STORE_PUT,
	STORE_DELETE,
	STORE_PURGE /* what begins with key */
};

struct store_write {
	struct list link; /* in the order of arrival */
	enum store_op op;
	int64_t hard_expiry; /* of a put */
	uint64_t number;     /* of a purge */
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
	struct list writes;
	size_t n, n_octets;
	bool is_urgent; /* not to be gathered for any longer */
	bool is_closing;
};

void store_queue_init(struct store_queue *queue);
void store_queue_fini(struct store_queue *queue); /* frees what is left */

/* Adds what model says of op and hard_expiry, with copies of key and record. False when the queue
 * is full or without memory. */
MUST_CHECK bool store_queue_add(struct store_queue *queue, const struct store_write *model,
				struct slice key, struct slice record);

/* Ends the waiting of the writer, now and from now on. */
void store_queue_close(struct store_queue *queue);

enum store_patience {
	STORE_EAGER,  /* wait until there is something to write */
	STORE_GATHER, /* wait for the whole time, unless much has come, or a purge */
	STORE_PATIENT /* wait for the whole time */
};

/* The writer only: waits, but no longer than ms, nor when the queue is closed, which is what false
 * says. */
bool store_queue_wait(struct store_queue *queue, int64_t ms, enum store_patience patience);

/* The writer only: moves all there is to the end of writes. */
void store_queue_take(struct store_queue *queue, struct list *writes);

/* Frees the writes of a list; how many of them were puts, and how many deletes. */
size_t store_queue_free(struct list *writes, size_t *out_n_deletes);

#endif
