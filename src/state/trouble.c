/* SPDX-License-Identifier: ISC */
/* Two arrays by slot. */
#include "state/trouble.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct outage {
	bool is_on;
	uint64_t n_before; /* answers when it began */
	uint64_t n_saved;  /* in those that are over */
};

struct trouble {
	pthread_mutex_t mutex; /* of outages */
	struct outage outages[TROUBLE_SLOTS];
	_Atomic int64_t ms_rehearsed[TROUBLE_SLOTS]; /* until; 0: not at all */
};

struct trouble *trouble_new(void)
{
	struct trouble *trouble = calloc(1, sizeof(*trouble));

	if (trouble == NULL)
		return NULL;
	if (pthread_mutex_init(&trouble->mutex, NULL) != 0) {
		free(trouble);
		return NULL;
	}
	return trouble;
}

void trouble_free(struct trouble *trouble)
{
	if (trouble == NULL)
		return;
	pthread_mutex_destroy(&trouble->mutex);
	free(trouble);
}

void trouble_rehearse(struct trouble *trouble, unsigned slot, int64_t ms_until)
{
	atomic_store_explicit(&trouble->ms_rehearsed[slot], ms_until, memory_order_relaxed);
}

int64_t trouble_rehearsal_left(const struct trouble *trouble, unsigned slot, int64_t ms_now)
{
	int64_t ms =
	    atomic_load_explicit(&trouble->ms_rehearsed[slot], memory_order_relaxed) - ms_now;

	return ms > 0 ? ms : 0;
}

static uint64_t count(const struct outage *outage, uint64_t n_answers)
{
	if (!outage->is_on || n_answers < outage->n_before)
		return outage->n_saved;
	return outage->n_saved + n_answers - outage->n_before;
}

void trouble_note(struct trouble *trouble, unsigned slot, bool is_down, uint64_t n_answers)
{
	struct outage *outage = &trouble->outages[slot];

	pthread_mutex_lock(&trouble->mutex);
	if (is_down != outage->is_on) {
		outage->n_saved = count(outage, n_answers);
		outage->n_before = n_answers;
		outage->is_on = is_down;
	}
	pthread_mutex_unlock(&trouble->mutex);
}

uint64_t trouble_saved(struct trouble *trouble, unsigned slot, uint64_t n_answers)
{
	uint64_t n;

	pthread_mutex_lock(&trouble->mutex);
	n = count(&trouble->outages[slot], n_answers);
	pthread_mutex_unlock(&trouble->mutex);
	return n;
}
