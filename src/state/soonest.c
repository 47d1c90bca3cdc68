/* SPDX-License-Identifier: ISC */
/* A short sorted list. */
#include "state/soonest.h"

void soonest_insert(struct soonest *soonest, struct entry *entry)
{
	size_t i = soonest->n;

	if (i == SOONEST_MAX)
		entry_unref(soonest->entries[--i]);
	else
		soonest->n++;
	for (; i > 0 && soonest->entries[i - 1]->hard_expiry > entry->hard_expiry; i--)
		soonest->entries[i] = soonest->entries[i - 1];
	soonest->entries[i] = entry_ref(entry);
	soonest->last = soonest->entries[soonest->n - 1]->hard_expiry;
}

void soonest_fini(struct soonest *soonest)
{
	for (size_t i = 0; i < soonest->n; i++)
		entry_unref(soonest->entries[i]);
	soonest->n = 0;
}
