/* SPDX-License-Identifier: ISC */
/* A list of those that are on, each with the timer that ends it. */
#include "relay/rehearsals.h"

#include <stdlib.h>
#include <string.h>

#include "base/counters.h"
#include "base/log.h"
#include "io/clock.h"
#include "io/loop.h"
#include "relay/health.h"

struct rehearsals {
	const struct common *common;
	struct loop *loop;
	struct list all;
};

struct rehearsal { /* outlives the issuer, which a reload may replace */
	struct list link;
	struct rehearsals *home;
	struct timer *end;
	unsigned slot;
	uint8_t issuer_id[ISSUER_ID_LEN];
	int64_t ms_begun, ms_until;
	uint64_t n_answers, n_errors; /* when it began */
	char label[];
};

struct rehearsals *rehearsals_new(const struct common *common, struct loop *loop)
{
	struct rehearsals *rehearsals = calloc(1, sizeof(*rehearsals));

	if (rehearsals == NULL)
		return NULL;
	rehearsals->common = common;
	rehearsals->loop = loop;
	list_init(&rehearsals->all);
	return rehearsals;
}

static void forget(struct rehearsal *rehearsal)
{
	trouble_rehearse(rehearsal->home->common->trouble, rehearsal->slot, 0);
	timer_cancel(rehearsal->end);
	list_remove(&rehearsal->link);
	free(rehearsal);
}

void rehearsals_free(struct rehearsals *rehearsals)
{
	if (rehearsals == NULL)
		return;
	while (!list_is_empty(&rehearsals->all))
		forget(LIST_ENTRY(rehearsals->all.next, struct rehearsal, link));
	free(rehearsals);
}

static struct rehearsal *find(const struct rehearsals *rehearsals, unsigned slot)
{
	for (struct list *node = rehearsals->all.next; node != &rehearsals->all;
	     node = node->next) {
		struct rehearsal *rehearsal = LIST_ENTRY(node, struct rehearsal, link);

		if (rehearsal->slot == slot)
			return rehearsal;
	}
	return NULL;
}

static struct rehearsal_status status_of(const struct rehearsal *rehearsal)
{
	int64_t ms_left = rehearsal->ms_until - clock_mono_ms();

	return (struct rehearsal_status){
	    .ms_left = ms_left > 0 ? ms_left : 0,
	    .n_saved = health_answers(rehearsal->slot) - rehearsal->n_answers,
	    .n_failed = health_errors(rehearsal->slot) - rehearsal->n_errors,
	};
}

/* A failure of the rehearsal must not be repeated after it. */
static bool is_of_issuer(void *arg, struct slice key)
{
	const struct rehearsal *rehearsal = arg;

	return key.len >= ISSUER_ID_LEN && memcmp(key.p, rehearsal->issuer_id, ISSUER_ID_LEN) == 0;
}

static void end(struct rehearsal *rehearsal)
{
	const struct common *common = rehearsal->home->common;
	struct rehearsal_status status = status_of(rehearsal);

	trouble_rehearse(common->trouble, rehearsal->slot, 0);
	negative_remove_if(common->negative, is_of_issuer, rehearsal);
	LOG(REHEARSAL_ENDED, LOG_TEXT("issuer", rehearsal->label),
	    LOG_NUMBER("seconds", (clock_mono_ms() - rehearsal->ms_begun) / 1000),
	    LOG_NUMBER("saved", status.n_saved), LOG_NUMBER("failed", status.n_failed));
	forget(rehearsal);
}

static void on_end(void *arg)
{
	struct rehearsal *rehearsal = arg;

	rehearsal->end = NULL;
	end(rehearsal);
}

static struct rehearsal *make(struct rehearsals *rehearsals, const struct issuer *issuer)
{
	size_t size = strlen(issuer->label) + 1;
	struct rehearsal *rehearsal = calloc(1, sizeof(*rehearsal) + size);

	if (rehearsal == NULL)
		return NULL;
	rehearsal->home = rehearsals;
	rehearsal->slot = issuer->slot;
	rehearsal->ms_begun = clock_mono_ms();
	rehearsal->n_answers = health_answers(issuer->slot);
	rehearsal->n_errors = health_errors(issuer->slot);
	memcpy(rehearsal->issuer_id, issuer->id, ISSUER_ID_LEN);
	memcpy(rehearsal->label, issuer->label, size);
	list_append(&rehearsals->all, &rehearsal->link);
	return rehearsal;
}

err_t rehearsals_begin(struct rehearsals *rehearsals, const struct issuer *issuer, int64_t ms)
{
	struct rehearsal *rehearsal = find(rehearsals, issuer->slot);
	struct rehearsal *made = NULL;
	struct timer *timer;

	if (rehearsal == NULL)
		rehearsal = made = make(rehearsals, issuer);
	timer = rehearsal ? timer_start(rehearsals->loop, ms, on_end, rehearsal) : NULL;
	if (timer == NULL) {
		if (made != NULL)
			forget(made);
		return ERR_NO_MEMORY;
	}
	timer_cancel(rehearsal->end);
	rehearsal->end = timer;
	rehearsal->ms_until = clock_mono_ms() + ms;
	trouble_rehearse(rehearsals->common->trouble, rehearsal->slot, rehearsal->ms_until);
	LOG(REHEARSAL_BEGUN, LOG_TEXT("issuer", rehearsal->label),
	    LOG_NUMBER("seconds", ms / 1000));
	return OK;
}

bool rehearsals_get(const struct rehearsals *rehearsals, const struct issuer *issuer,
		    struct rehearsal_status *out)
{
	const struct rehearsal *rehearsal = find(rehearsals, issuer->slot);

	if (rehearsal == NULL)
		return false;
	*out = status_of(rehearsal);
	return true;
}

bool rehearsals_stop(struct rehearsals *rehearsals, const struct issuer *issuer,
		     struct rehearsal_status *out)
{
	struct rehearsal *rehearsal = find(rehearsals, issuer->slot);

	if (rehearsal == NULL)
		return false;
	*out = status_of(rehearsal);
	end(rehearsal);
	return true;
}
