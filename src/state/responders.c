/* SPDX-License-Identifier: ISC */
/* What is remembered of each responder: a table by URL under one mutex. */
#include "state/responders.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/list.h"
#include "state/chains.h"

#define MS_HOUR INT64_C(3600000) /* how long a habit is believed before it is tried again */

/* No secret: nobody but the operator chooses URLs. */
static const struct hash_key url_hash_key;

enum limit {
	WANTS_POST,
	SKIPS_NONCE,
	NOT_BEFORE,
	NEXT_PROBE,
	N_LIMITS
};

struct responder {
	struct chain_node node;
	bool is_asked;
	unsigned n_failures; /* in a row; 0: it works, or was not asked */
	int64_t ms_down_since, ms_was_down;
	uint64_t mark;
	int64_t ms_until[N_LIMITS];
	char url[];
};

struct responders {
	pthread_mutex_t mutex;
	struct chains chains;
};

struct responders *responders_new(void)
{
	struct responders *responders = calloc(1, sizeof(*responders));

	if (responders == NULL)
		return NULL;
	if (pthread_mutex_init(&responders->mutex, NULL) != 0) {
		free(responders);
		return NULL;
	}
	if (!chains_init(&responders->chains)) {
		pthread_mutex_destroy(&responders->mutex);
		free(responders);
		return NULL;
	}
	return responders;
}

static void free_responder(struct chain_node *node)
{
	free(LIST_ENTRY(node, struct responder, node));
}

void responders_free(struct responders *responders)
{
	if (responders == NULL)
		return;
	chains_fini(&responders->chains, free_responder);
	pthread_mutex_destroy(&responders->mutex);
	free(responders);
}

static struct responder *find(const struct responders *responders, const char *url, uint64_t hash)
{
	for (struct chain_node *node = chains_first(&responders->chains, hash); node != NULL;
	     node = chains_next(node)) {
		struct responder *responder = LIST_ENTRY(node, struct responder, node);

		if (strcmp(responder->url, url) == 0)
			return responder;
	}
	return NULL;
}

/* The responder of this URL, made at first sight; NULL without memory. */
static struct responder *find_or_make(struct responders *responders, const char *url)
{
	const size_t size = strlen(url) + 1;
	uint64_t hash = hash_bytes(&url_hash_key, url, size - 1);
	struct responder *responder = find(responders, url, hash);

	if (responder != NULL)
		return responder;
	responder = calloc(1, sizeof(*responder) + size);
	if (responder == NULL)
		return NULL;
	memcpy(responder->url, url, size);
	chains_add(&responders->chains, &responder->node, hash);
	return responder;
}

struct responder_state responder_get(struct responders *responders, const char *url, int64_t ms_now)
{
	uint64_t hash = hash_bytes(&url_hash_key, url, strlen(url));
	struct responder_state state = {.is_down = false};
	const struct responder *responder;

	pthread_mutex_lock(&responders->mutex);
	responder = find(responders, url, hash);
	if (responder != NULL) {
		state.is_asked = responder->is_asked;
		state.is_down = responder->n_failures > 0;
		state.n_failures = responder->n_failures;
		state.ms_down_since = responder->ms_down_since;
		state.ms_was_down = responder->ms_was_down;
		state.mark = responder->mark;
		state.wants_post = ms_now < responder->ms_until[WANTS_POST];
		state.skips_nonce = ms_now < responder->ms_until[SKIPS_NONCE];
		if (ms_now < responder->ms_until[NOT_BEFORE])
			state.ms_not_before = responder->ms_until[NOT_BEFORE];
	}
	pthread_mutex_unlock(&responders->mutex);
	return state;
}

static enum responder_change count_failure(struct responder *responder, int64_t ms_now)
{
	if (responder->n_failures < UINT_MAX)
		responder->n_failures++;
	if (responder->n_failures > 1)
		return RESPONDER_SAME;
	responder->ms_down_since = ms_now;
	return RESPONDER_WENT_DOWN;
}

static enum responder_change count_success(struct responder *responder, int64_t ms_now)
{
	if (responder->n_failures == 0)
		return RESPONDER_SAME;
	responder->n_failures = 0;
	responder->ms_was_down = ms_now - responder->ms_down_since;
	responder->ms_down_since = 0;
	return RESPONDER_CAME_BACK;
}

enum responder_change responder_report(struct responders *responders, const char *url, bool success,
				       int64_t ms_now)
{
	enum responder_change change = RESPONDER_SAME;
	struct responder *responder;

	pthread_mutex_lock(&responders->mutex);
	responder = find_or_make(responders, url);
	if (responder != NULL) {
		responder->is_asked = true;
		change =
		    success ? count_success(responder, ms_now) : count_failure(responder, ms_now);
	}
	pthread_mutex_unlock(&responders->mutex);
	return change;
}

bool responder_take_probe(struct responders *responders, const char *url, int64_t ms_now,
			  int64_t ms_each)
{
	struct responder *responder;
	bool is_taken = false;

	pthread_mutex_lock(&responders->mutex);
	responder = find_or_make(responders, url);
	if (responder != NULL && ms_now >= responder->ms_until[NEXT_PROBE]) {
		responder->ms_until[NEXT_PROBE] = time_add(ms_now, ms_each);
		is_taken = true;
	}
	pthread_mutex_unlock(&responders->mutex);
	return is_taken;
}

void responder_set_mark(struct responders *responders, const char *url, uint64_t mark)
{
	struct responder *responder;

	pthread_mutex_lock(&responders->mutex);
	responder = find_or_make(responders, url);
	if (responder != NULL)
		responder->mark = mark;
	pthread_mutex_unlock(&responders->mutex);
}

static void set_limit(struct responders *responders, const char *url, enum limit limit,
		      int64_t ms_until)
{
	struct responder *responder;

	pthread_mutex_lock(&responders->mutex);
	responder = find_or_make(responders, url);
	if (responder != NULL)
		responder->ms_until[limit] = ms_until;
	pthread_mutex_unlock(&responders->mutex);
}

void responder_set_wants_post(struct responders *responders, const char *url, int64_t ms_now)
{
	set_limit(responders, url, WANTS_POST, time_add(ms_now, MS_HOUR));
}

void responder_set_skips_nonce(struct responders *responders, const char *url, int64_t ms_now)
{
	set_limit(responders, url, SKIPS_NONCE, time_add(ms_now, MS_HOUR));
}

void responder_set_not_before(struct responders *responders, const char *url, int64_t ms_until)
{
	set_limit(responders, url, NOT_BEFORE, ms_until);
}
