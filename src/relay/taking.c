/* SPDX-License-Identifier: ISC */
/* Look-ups that nobody waits for. */
#include "relay/taking.h"

#include <stdlib.h>

#include "relay/back.h"
#include "relay/lookup.h"

#define MAX_TAKINGS 1024
#define MAX_TRIES   5
#define MS_TRY	    150
#define MAX_FAULTS  60 /* of the store, which is tried again each second */
#define MS_FAULT    1000

struct takings {
	struct back *back;
	struct list list;
	size_t n;
};

struct taking {
	struct list link;
	struct takings *takings;
	struct ask *question;
	struct lookup lookup;
	struct timer *again;
	unsigned n_tries, n_faults; /* left */
	int64_t this_update, produced_at;
};

static void taking_free(struct taking *taking)
{
	lookup_cancel(&taking->lookup);
	timer_cancel(taking->again);
	list_remove(&taking->link);
	taking->takings->n--;
	ask_free(taking->question);
	free(taking);
}

static struct entry *in_memory(const struct taking *taking)
{
	const struct ask *question = taking->question;

	return cache_peek(taking->takings->back->common->cache, key_bytes(&question->key),
			  question->hash);
}

/* Whether memory holds what was announced, or something newer. */
static bool is_there(const struct taking *taking)
{
	struct entry *entry = in_memory(taking);
	bool is_new = false;

	if (entry != NULL && taking->this_update > 0)
		is_new = !freshness_may_replace(entry->this_update, entry->produced_at,
						taking->this_update, taking->produced_at) ||
			 (entry->this_update == taking->this_update &&
			  entry->produced_at == taking->produced_at);
	entry_unref(entry);
	return is_new;
}

static void look(struct taking *taking);

/* With our own stores if memory has nothing to compare with (CL-16). */
static void begin(struct taking *taking)
{
	struct entry *entry = in_memory(taking);

	taking->lookup.store = 0;
	if (entry != NULL)
		lookup_rewind(&taking->lookup);
	entry_unref(entry);
	look(taking);
}

static void on_again(void *arg)
{
	struct taking *taking = arg;

	taking->again = NULL;
	if (is_there(taking)) {
		taking_free(taking);
		return;
	}
	begin(taking);
}

/* All stores have been asked, the shared one last. */
static void end(struct taking *taking)
{
	struct loop *loop = taking->takings->back->loop;
	bool is_fault = taking->lookup.err == ERR_STORE_FAULT;

	if (!is_there(taking) && is_fault && --taking->n_faults > 0)
		taking->again = timer_start(loop, MS_FAULT, on_again, taking);
	else if (!is_there(taking) && !is_fault && --taking->n_tries > 0)
		taking->again = timer_start(loop, MS_TRY, on_again, taking);
	if (taking->again == NULL)
		taking_free(taking);
}

static void on_record(void *arg)
{
	struct taking *taking = arg;
	struct entry *entry;
	const char *name;

	if (lookup_check(&taking->lookup, &entry, &name))
		entry_unref(entry);
	look(taking);
}

static void look(struct taking *taking)
{
	switch (lookup_ask(&taking->lookup)) {
	case STEP_NEXT:
		on_record(taking);
		break;
	case STEP_DONE:
		end(taking);
		break;
	default:
		break;
	}
}

void taking_start(struct takings *takings, const struct taking_opts *opts)
{
	struct back *back = takings->back;
	struct taking *taking;

	if (takings->n >= MAX_TAKINGS || (taking = calloc(1, sizeof(*taking))) == NULL)
		return;
	taking->question = ask_from_key(ASK_SHARED, back->rules->issuers, opts->key, opts->hash);
	if (taking->question == NULL) {
		free(taking);
		return;
	}
	taking->takings = takings;
	taking->n_tries = opts->this_update > 0 ? MAX_TRIES : 1;
	taking->n_faults = MAX_FAULTS;
	taking->this_update = opts->this_update;
	taking->produced_at = opts->produced_at;
	lookup_init(&taking->lookup, back, taking->question, on_record, taking);
	taking->lookup.is_newest = true;
	list_append(&takings->list, &taking->link);
	takings->n++;
	taking->again = timer_start(back->loop, opts->ms, on_again, taking);
	if (taking->again == NULL)
		taking_free(taking);
}

bool takings_are_few(const struct takings *takings)
{
	return takings->n < MAX_TAKINGS / 2;
}

struct takings *takings_new(struct back *back)
{
	struct takings *takings = calloc(1, sizeof(*takings));

	if (takings == NULL)
		return NULL;
	takings->back = back;
	list_init(&takings->list);
	return takings;
}

void takings_free(struct takings *takings)
{
	if (takings == NULL)
		return;
	while (!list_is_empty(&takings->list))
		taking_free(LIST_ENTRY(takings->list.next, struct taking, link));
	free(takings);
}
