/* SPDX-License-Identifier: ISC */
/*
 * The store in Redis or Valkey: each record a string under its key's text, with the record's own
 * expiry. Look-ups read at most one octet more than a record may have: what is longer is seen to be
 * wrong without being fetched.
 *
 * Nothing is tried again: a write that fails is counted, and the next fetch writes anew.
 */
#include <stdio.h>
#include <stdlib.h>

#include "io/clock.h"
#include "io/redis_parts.h"
#include "io/redis_replicas.h"

#define MAX_TTL (INT64_C(100) * 366 * 86400) /* seconds; longer ones are cut */

struct operation {
	struct store_read read; /* first */
	struct list link;
	struct redis_handle *handle;
	struct redis_task *task;
	unsigned op; /* LABEL_OP_xxx */
	int64_t us_begun;
	unsigned slot;	   /* of a write (redis_recent.h) */
	store_read_fn *fn; /* of a get */
	void *arg;
};

err_t redis_key(const struct redis_handle *handle, const char *kind, struct slice key,
		char dst[REDIS_KEY_SIZE], struct slice *out)
{
	struct cache_key parts;
	char text[KEY_TEXT_SIZE];
	err_t err = key_from_bytes(key, &parts);

	if (err != OK)
		return err;
	key_text(text, &parts);
	snprintf(dst, REDIS_KEY_SIZE, "%s:%s:%s", handle->common->prefix, kind, text);
	*out = slice_text(dst);
	return OK;
}

/* --- what all threads share ------------------------------------------------------------------- */

static const char *check(const char *url)
{
	struct redis_url parts;
	const char *fault = redis_url_parse(url, &parts);

	if (!fault && parts.has_tls && !redis_tls_is_there())
		return "a scheme without TLS: this ocsprelay was built without hiredis_ssl";
	return fault;
}

static struct store_shared *open_store(const char *url, const struct store_opts *opts)
{
	struct redis_url parts;
	struct redis_common *common;

	if (check(url) || redis_url_parse(url, &parts))
		return NULL;
	common = redis_common_new(&parts, opts);
	if (!common)
		return NULL;
	common->shared.kind = &store_kind_redis;
	if (parts.has_tls && !(common->tls = redis_tls_new())) {
		redis_common_free(common);
		return NULL;
	}
	return &common->shared;
}

static void close_store(struct store_shared *shared)
{
	redis_common_free((struct redis_common *)shared);
}

static void set_password(struct store_shared *shared, enum store_secret which, const char *password)
{
	redis_common_set_password((struct redis_common *)shared, which, password);
}

static bool is_up(const struct store_shared *shared)
{
	return atomic_load(&((const struct redis_common *)shared)->is_up);
}

/* --- handles ---------------------------------------------------------------------------------- */

static struct store *attach(struct store_shared *shared, struct loop *loop)
{
	struct redis_handle *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->store = (struct store){.kind = shared->kind, .slot = shared->slot};
	handle->common = (struct redis_common *)shared;
	handle->loop = loop;
	list_init(&handle->operations);
	list_init(&handle->leases);
	list_init(&handle->walks);
	handle->route = redis_route_new(loop, handle->common);
	if (!handle->route) {
		free(handle);
		return NULL;
	}
	return &handle->store;
}

static void operation_free(struct operation *operation)
{
	redis_task_drop(operation->task);
	list_remove(&operation->link);
	free(operation);
}

static void detach(struct store *store)
{
	struct redis_handle *handle = (struct redis_handle *)store;

	while (!list_is_empty(&handle->operations)) {
		struct operation *operation =
		    LIST_ENTRY(handle->operations.next, struct operation, link);

		redis_count(handle, operation->op, LABEL_STORE_RESULT_DROPPED);
		operation_free(operation);
	}
	redis_leases_fini(handle);
	redis_walks_fini(handle);
	redis_news_free(handle->news);
	redis_route_free(handle->route);
	free(handle);
}

/* --- operations ------------------------------------------------------------------------------- */

static void finish(struct operation *operation, unsigned result)
{
	const struct redis_handle *handle = operation->handle;

	redis_count(handle, operation->op, result);
	counter_observe(METRIC_STORE_SECONDS, handle->store.slot, operation->op,
			(uint64_t)(clock_mono_us() - operation->us_begun));
	operation->task = NULL;
	operation_free(operation);
}

/* Begins it; NULL, and counted, when that cannot be. */
static struct operation *begin(struct redis_handle *handle, unsigned op, struct redis_order *order)
{
	struct operation *operation = calloc(1, sizeof(*operation));

	if (!operation) {
		redis_command_free(order->command);
		return NULL;
	}
	*operation = (struct operation){.read = {.kind = handle->store.kind},
					.handle = handle,
					.op = op,
					.us_begun = clock_mono_us()};
	list_append(&handle->operations, &operation->link);
	order->arg = operation;
	operation->task = redis_route_call(handle->route, order);
	if (!operation->task) {
		redis_count(handle, op, LABEL_STORE_RESULT_DROPPED);
		operation_free(operation);
		return NULL;
	}
	return operation;
}

static bool is_wrong_type(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR &&
	       slice_eq(slice_take(slice_of(reply->str, (size_t)reply->len), 9),
			slice_text("WRONGTYPE"));
}

/* What is no string is the caller's to refuse, as every record that is none. */
static void on_got(void *arg, err_t err, const redisReply *reply)
{
	struct operation *operation = arg;
	struct operation told = *operation;
	struct slice record = slice_of("", 0);
	unsigned result = LABEL_STORE_RESULT_OK;

	if (err == OK && reply->type == REDIS_REPLY_STRING && reply->len > 0) {
		record = slice_of(reply->str, (size_t)reply->len);
	} else if (err == OK &&
		   (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_NIL)) {
		err = ERR_NOT_FOUND;
		result = LABEL_STORE_RESULT_NOT_FOUND;
	} else if (err != OK || !is_wrong_type(reply)) {
		err = ERR_STORE_FAULT;
		result = LABEL_STORE_RESULT_ERROR;
	}
	finish(operation, result);
	told.fn(told.arg, err, record);
}

static err_t look_up(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		     struct redis_order order, struct store_read **out_read)
{
	struct redis_handle *handle = (struct redis_handle *)store;
	struct operation *operation;
	char name[REDIS_KEY_SIZE], digits[20];

	order.pace = REDIS_QUICK;
	order.trouble = REDIS_TROUBLE_READ;
	order.fn = on_got;
	if (redis_key(handle, REDIS_RECORDS, key, name, &order.key) != OK)
		return ERR_NOT_FOUND;
	order.command = redis_command(
	    (struct slice[]){slice_text("GETRANGE"), order.key, slice_text("0"),
			     slice_of(digits, decimal_encode(digits, handle->common->max_record))},
	    4);
	operation = begin(handle, LABEL_OP_GET, &order);
	if (!operation)
		return ERR_STORE_FAULT;
	operation->fn = fn;
	operation->arg = arg;
	*out_read = &operation->read;
	return ERR_AGAIN;
}

static err_t get(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		 struct slice *out_record, struct store_read **out_read)
{
	(void)out_record;
	return look_up(store, key, fn, arg, (struct redis_order){.may_be_copy = false}, out_read);
}

/* --- copies ----------------------------------------------------------------------------------- */

/* A copy has what was written before the last REDIS_MS_BEHIND: who heard no news for so long does
 * not know what it lacks. */
static err_t get_copy(struct store *store, struct slice key, store_read_fn *fn, void *arg,
		      struct slice *out_record, struct store_read **out_read)
{
	const struct redis_handle *handle = (struct redis_handle *)store;
	struct redis_order order = {.may_be_copy = redis_news_ms(handle->news) > REDIS_MS_BEHIND,
				    .slot = redis_recent_slot(key)};

	(void)out_record;
	return look_up(store, key, fn, arg, order, out_read);
}

static bool has_copies(const struct store *store)
{
	return ((const struct redis_handle *)store)->common->recent != NULL;
}

static bool may_have_copies(const char *url)
{
	struct redis_url parts;

	return !redis_url_parse(url, &parts) && parts.mode == REDIS_MODE_SENTINEL;
}

static void note_slot(const struct redis_handle *handle, unsigned slot)
{
	if (handle->common->recent)
		redis_recent_note(handle->common->recent, slot, clock_mono_ms());
}

void redis_note(struct store *store, struct slice key)
{
	const struct redis_handle *handle = (struct redis_handle *)store;

	if (key.len > 0)
		note_slot(handle, redis_recent_slot(key));
	else if (handle->common->recent)
		redis_recent_note_all(handle->common->recent, clock_mono_ms());
}

/* --- writes ----------------------------------------------------------------------------------- */

static void cancel(struct store_read *read)
{
	struct operation *operation = (struct operation *)read;

	redis_count(operation->handle, operation->op, LABEL_STORE_RESULT_DROPPED);
	operation_free(operation);
}

static void on_written(void *arg, err_t err, const redisReply *reply)
{
	bool is_done = err == OK && reply->type != REDIS_REPLY_ERROR;
	const struct operation *operation = arg;

	note_slot(operation->handle, operation->slot); /* it may have waited for long */
	finish(arg, is_done ? LABEL_STORE_RESULT_OK : LABEL_STORE_RESULT_ERROR);
}

static void write_key(struct redis_handle *handle, unsigned op, struct slice key,
		      struct redis_order *order)
{
	unsigned slot = redis_recent_slot(key);
	struct operation *operation = begin(handle, op, order);

	note_slot(handle, slot);
	if (operation)
		operation->slot = slot;
}

static void put(struct store *store, struct slice key, struct slice record, int64_t hard_expiry)
{
	struct redis_handle *handle = (struct redis_handle *)store;
	struct redis_order order = {
	    .pace = REDIS_PATIENT, .trouble = REDIS_TROUBLE_WRITE, .fn = on_written};
	int64_t ttl = time_add(hard_expiry, -clock_wall());
	char name[REDIS_KEY_SIZE], digits[20];

	if (ttl <= 0)
		return;
	if (redis_key(handle, REDIS_RECORDS, key, name, &order.key) != OK ||
	    record.len > handle->common->max_record) {
		redis_count(handle, LABEL_OP_PUT, LABEL_STORE_RESULT_DROPPED);
		return;
	}
	if (ttl > MAX_TTL)
		ttl = MAX_TTL;
	order.command = redis_command(
	    (struct slice[]){slice_text("SET"), order.key, record, slice_text("PX"),
			     slice_of(digits, decimal_encode(digits, (uint64_t)ttl * 1000))},
	    5);
	write_key(handle, LABEL_OP_PUT, key, &order);
}

static void delete (struct store *store, struct slice key)
{
	struct redis_handle *handle = (struct redis_handle *)store;
	struct redis_order order = {.pace = REDIS_PATIENT,
				    .trouble = REDIS_TROUBLE_WRITE,
				    .is_removal = true,
				    .fn = on_written};
	char name[REDIS_KEY_SIZE];

	if (redis_key(handle, REDIS_RECORDS, key, name, &order.key) != OK) {
		redis_count(handle, LABEL_OP_DELETE, LABEL_STORE_RESULT_DROPPED);
		return;
	}
	order.command = redis_command((struct slice[]){slice_text("DEL"), order.key}, 2);
	write_key(handle, LABEL_OP_DELETE, key, &order);
}

const struct store_kind store_kind_redis = {
    .name = "redis",
    .check = check,
    .open = open_store,
    .close = close_store,
    .set_password = set_password,
    .is_up = is_up,
    .attach = attach,
    .detach = detach,
    .get = get,
    .cancel = cancel,
    .get_copy = get_copy,
    .has_copies = has_copies,
    .note = redis_note,
    .may_have_copies = may_have_copies,
    .put = put,
    .delete = delete,
    .walk = redis_walk,
    .purge = redis_purge,
    .walk_pause = redis_walk_pause,
    .walk_resume = redis_walk_resume,
    .walk_cancel = redis_walk_cancel,
    .lease = redis_lease,
    .release = redis_release,
    .publish = redis_publish,
    .subscribe = redis_subscribe,
};
