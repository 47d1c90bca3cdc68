/* SPDX-License-Identifier: ISC */
/* Reference counting of what a reload swaps. */
#include "relay/rules.h"

#include <stdlib.h>

struct rules *rules_new(const struct settings *settings, struct issuers *issuers)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	size_t bad;

	if (rules == NULL)
		return NULL;
	if (networks_new(&settings->top.allow, &rules->allow, &bad) != OK) {
		free(rules);
		return NULL;
	}
	atomic_init(&rules->n_refs, 1);
	rules->settings = settings;
	rules->issuers = issuers_ref(issuers);
	return rules;
}

struct rules *rules_ref(struct rules *rules)
{
	atomic_fetch_add_explicit(&rules->n_refs, 1, memory_order_relaxed);
	return rules;
}

void rules_unref(struct rules *rules)
{
	if (rules == NULL ||
	    atomic_fetch_sub_explicit(&rules->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	networks_free(rules->allow);
	issuers_unref(rules->issuers);
	free(rules);
}
