/* SPDX-License-Identifier: ISC */
/* From the scheme of a store's URL to its kind, and from then on to that kind's functions. */
#include "io/store.h"

#include "base/bytes.h"
#include "core/key.h"
#include "io/store_kind.h"

static const struct {
	const char *scheme; /* what a URL of the kind begins with */
	const struct store_kind *kind;
} schemes[] = {
    {"lmdb:", &store_kind_lmdb},   {"redis:", &store_kind_redis},  {"rediss:", &store_kind_redis},
    {"redis+", &store_kind_redis}, {"rediss+", &store_kind_redis},
};

#define STORE_FORMS                                                                            \
	"lmdb:/directory, redis://[user@]host:port/db, rediss:// (by TLS), redis+unix:/path, " \
	"redis+sentinel://host,host/name/db, redis+cluster://host,host"

static const struct store_kind *kind_of(const char *url)
{
	for (size_t i = 0; i < N_ELEMENTS(schemes); i++) {
		if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
			return schemes[i].kind;
	}
	return NULL;
}

const char *store_check(const char *url)
{
	const struct store_kind *kind = kind_of(url);

	return kind ? kind->check(url) : STORE_FORMS;
}

struct store_shared *store_open(const char *url, const struct store_opts *opts)
{
	const struct store_kind *kind = kind_of(url);

	return kind ? kind->open(url, opts) : NULL;
}

void store_set_password(struct store_shared *shared, enum store_secret which, const char *password)
{
	if (shared->kind->set_password)
		shared->kind->set_password(shared, which, password);
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

err_t store_get_copy(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		     struct slice *out_record, struct store_read **out_read)
{
	return store_has_copies(store)
		   ? store->kind->get_copy(store, key, fn, arg, out_record, out_read)
		   : store_get(store, key, fn, arg, out_record, out_read);
}

bool store_has_copies(const struct store *store)
{
	return store->kind->has_copies && store->kind->has_copies(store);
}

void store_note(struct store *store, struct slice key)
{
	if (store->kind->note)
		store->kind->note(store, key);
}

bool store_may_have_copies(const char *url)
{
	const struct store_kind *kind = kind_of(url);

	return kind && kind->may_have_copies && kind->may_have_copies(url);
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

/* --- walks ------------------------------------------------------------------------------------ */

static bool is_prefix(struct slice prefix)
{
	return prefix.len == 0 || prefix.len == ISSUER_ID_LEN;
}

err_t store_walk(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		 struct store_walk **out_walk)
{
	return is_prefix(prefix) ? store->kind->walk(store, prefix, ops, out_walk) : ERR_SYNTAX;
}

err_t store_purge(struct store *store, struct slice prefix, const struct store_walk_ops *ops,
		  struct store_walk **out_walk)
{
	return is_prefix(prefix) ? store->kind->purge(store, prefix, ops, out_walk) : ERR_SYNTAX;
}

void store_walk_pause(struct store_walk *walk)
{
	walk->kind->walk_pause(walk);
}

void store_walk_resume(struct store_walk *walk)
{
	walk->kind->walk_resume(walk);
}

void store_walk_cancel(struct store_walk *walk)
{
	if (walk)
		walk->kind->walk_cancel(walk);
}

/* --- the fleet -------------------------------------------------------------------------------- */

bool store_may_be_shared(const char *url)
{
	const struct store_kind *kind = kind_of(url);

	return kind != NULL && kind->lease != NULL;
}

bool store_is_shared(const struct store *store)
{
	return store->kind->lease != NULL;
}

err_t store_lease(struct store *store, struct slice key, const struct store_lease_ops *ops,
		  struct store_lease **out_lease)
{
	return store_is_shared(store) ? store->kind->lease(store, key, ops, out_lease)
				      : ERR_STORE_ALONE;
}

void store_release(struct store_lease *lease)
{
	if (lease)
		lease->kind->release(lease);
}

err_t store_publish(struct store *store, struct slice message)
{
	if (!store_is_shared(store))
		return ERR_STORE_ALONE;
	return message.len <= STORE_NEWS_MAX ? store->kind->publish(store, message) : ERR_TOO_LONG;
}

err_t store_subscribe(struct store *store, store_news_fn *fn, void *arg)
{
	return store_is_shared(store) ? store->kind->subscribe(store, fn, arg) : ERR_STORE_ALONE;
}
