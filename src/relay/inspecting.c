/* SPDX-License-Identifier: ISC */
/* One store after the other, as a flight would ask them. */
#include "relay/inspecting.h"

#include <stdlib.h>

#include "relay/ask.h"
#include "relay/judge.h"

struct inspecting {
	struct desk *desk;
	struct cache_key key;
	struct ask *ask; /* NULL: the key is of no issuer that is known */
	inspecting_fn *done;
	void *arg;
	struct store_read *read;
	size_t n;		  /* tiers that have been seen */
	struct inspected tiers[]; /* memory and the stores */
};

struct inspecting *inspecting_new(struct desk *desk, const struct cache_key *key)
{
	const struct common *common = desk->common;
	struct inspecting *inspecting =
	    calloc(1, sizeof(*inspecting) + (common->n_stores + 1) * sizeof(struct inspected));

	if (inspecting == NULL)
		return NULL;
	inspecting->desk = desk;
	inspecting->key = *key;
	inspecting->ask = ask_from_key(ASK_SHARED, desk->rules->issuers, key,
				       cache_hash(common->cache, key_bytes(key)));
	return inspecting;
}

void inspecting_free(struct inspecting *inspecting)
{
	if (inspecting == NULL)
		return;
	store_cancel(inspecting->read);
	for (size_t i = 0; i < inspecting->n; i++)
		entry_unref(inspecting->tiers[i].entry);
	ask_free(inspecting->ask);
	free(inspecting);
}

static void see_memory(struct inspecting *inspecting)
{
	struct cache *cache = inspecting->desk->common->cache;
	struct slice key = key_bytes(&inspecting->key);
	struct entry *entry = cache_peek(cache, key, cache_hash(cache, key));

	inspecting->tiers[inspecting->n++] =
	    (struct inspected){.tier = "memory", .err = entry ? OK : ERR_NOT_FOUND, .entry = entry};
}

static struct store *next_store(const struct inspecting *inspecting)
{
	return inspecting->desk->stores[inspecting->n - 1];
}

/* What a flight would make of it. */
static void see_record(struct inspecting *inspecting, err_t err, struct slice record)
{
	const struct judge by = {.common = inspecting->desk->common,
				 .rules = inspecting->desk->rules};
	struct inspected *tier = &inspecting->tiers[inspecting->n];

	tier->tier = store_name(next_store(inspecting));
	if (err == OK && inspecting->ask == NULL)
		err = ERR_ISSUER_UNKNOWN;
	if (err == OK)
		err = judge_record_by(&by, inspecting->ask, record, &tier->entry);
	tier->err = err;
	inspecting->n++;
}

static void on_read(void *arg, err_t err, struct slice record)
{
	struct inspecting *inspecting = arg;

	inspecting->read = NULL;
	see_record(inspecting, err, record);
	if (inspecting_run(inspecting, inspecting->done, inspecting->arg))
		inspecting->done(inspecting->arg);
}

bool inspecting_run(struct inspecting *inspecting, inspecting_fn *done, void *arg)
{
	inspecting->done = done;
	inspecting->arg = arg;
	if (inspecting->n == 0)
		see_memory(inspecting);
	while (inspecting->n <= inspecting->desk->common->n_stores) {
		struct slice record = slice_of(NULL, 0);
		err_t err = store_get(next_store(inspecting), key_bytes(&inspecting->key), on_read,
				      inspecting, &record, &inspecting->read);

		if (err == ERR_AGAIN)
			return false;
		see_record(inspecting, err, record);
	}
	return true;
}

size_t inspecting_count(const struct inspecting *inspecting)
{
	return inspecting->n;
}

const struct inspected *inspecting_at(const struct inspecting *inspecting, size_t i)
{
	return &inspecting->tiers[i];
}
