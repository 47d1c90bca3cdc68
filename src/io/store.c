/* SPDX-License-Identifier: ISC */
/* From the scheme of a store's URL to its kind, and from then on to that kind's functions. */
#include "io/store.h"

#include "base/bytes.h"
#include "io/store_kind.h"

static const struct store_kind *const kinds[] = {&store_kind_lmdb};

static const struct store_kind *find(const char *url, const char **out_rest)
{
	size_t i;

	for (i = 0; i < N_ELEMENTS(kinds); i++) {
		size_t len = strlen(kinds[i]->scheme);

		if (strncmp(url, kinds[i]->scheme, len) == 0) {
			*out_rest = url + len;
			return kinds[i];
		}
	}
	return NULL;
}

err_t store_check(const char *url)
{
	const char *rest;
	const struct store_kind *kind = find(url, &rest);

	return kind ? kind->check(rest) : ERR_SYNTAX;
}

struct store_shared *store_open(const char *url)
{
	const char *rest;
	const struct store_kind *kind = find(url, &rest);

	return kind ? kind->open(rest) : NULL;
}

void store_close(struct store_shared *shared)
{
	if (shared)
		shared->kind->close(shared);
}

bool store_is_up(const struct store_shared *shared)
{
	return shared->kind->is_up(shared);
}

struct store *store_attach(struct store_shared *shared, struct loop *loop)
{
	return shared->kind->attach(shared, loop);
}

void store_detach(struct store *store)
{
	if (store)
		store->kind->detach(store);
}

const char *store_name(const struct store *store)
{
	return store->kind->name;
}

unsigned store_slot(const struct store *store)
{
	return store->slot;
}

err_t store_get(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		struct slice *out_record, struct store_read **out_read)
{
	return store->kind->get(store, key, fn, arg, out_record, out_read);
}

void store_cancel(struct store_read *read)
{
	if (read)
		read->kind->cancel(read);
}

void store_put(struct store *store, struct slice key, struct slice record, int64_t hard_expiry)
{
	store->kind->put(store, key, record, hard_expiry);
}

void store_delete(struct store *store, struct slice key)
{
	store->kind->delete (store, key);
}
