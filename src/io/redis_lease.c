/* SPDX-License-Identifier: ISC */
/*
 * Leases: SET key token NX PX ms, and the same with XX to renew it. The one who asked hears within
 * the time of a look-up; a reply that comes later, and grants, is given back. What is given up is
 * deleted, and what is held renewed, while it is certainly still ours by our own clock; close to
 * its end it is left to lapse, because by then it may be another's (a comparison in the server
 * would need a script).
 */
#include <stdlib.h>

#include "io/clock.h"
#include "io/entropy.h"
#include "io/redis_parts.h"

#define TOKEN_LEN 16
#define RENEWALS  5 /* in the time of a lease, since one may be late */

struct lease {
	struct store_lease lease; /* first */
	struct list link;
	struct redis_handle *handle;
	struct redis_task *task; /* NULL: answered */
	struct timer *limit;	 /* until the caller is told that nobody knows; or NULL */
	struct timer *renewal;	 /* while it is held */
	int64_t ms_asked, ms;	 /* ours for ms from ms_asked on, if it is held */
	int64_t ms_renewed;	 /* asked again, not answered yet */
	bool is_held, is_released;
	store_lease_fn *fn; /* NULL: told, or not to be */
	void *arg;
	struct slice name; /* the rest of the memory */
	char octets[];
};

static void lease_free(struct lease *lease)
{
	redis_task_drop(lease->task);
	timer_cancel(lease->limit);
	timer_cancel(lease->renewal);
	list_remove(&lease->link);
	free(lease);
}

/* Half of the time is the margin: a command may wait for long before the server sees it. */
static bool is_surely_ours(const struct lease *lease)
{
	return clock_mono_ms() - lease->ms_asked < lease->ms / 2;
}

static void give_back(struct lease *lease)
{
	if (is_surely_ours(lease))
		(void)redis_route_call(
		    lease->handle->route,
		    &(struct redis_order){.key = lease->name,
					  .command = redis_command(
					      (struct slice[]){slice_text("DEL"), lease->name}, 2),
					  .pace = REDIS_PATIENT,
					  .trouble = REDIS_TROUBLE_WRITE,
					  .is_removal = true});
	lease_free(lease);
}

static void count(const struct lease *lease, err_t err)
{
	unsigned result = err == OK	    ? LABEL_STORE_RESULT_OK
			  : err == ERR_BUSY ? LABEL_STORE_RESULT_REFUSED
					    : LABEL_STORE_RESULT_ERROR;

	redis_count(lease->handle, LABEL_OP_LEASE, result);
}

/* The last word to who asked. */
static void tell(struct lease *lease, err_t err)
{
	store_lease_fn *fn = lease->fn;

	timer_cancel(lease->limit);
	lease->limit = NULL;
	lease->fn = NULL;
	if (!fn)
		return;
	count(lease, err);
	fn(lease->arg, err);
}

/* condition: NX or XX. */
static struct redis_task *ask(struct lease *lease, const char *condition, redis_reply_fn *fn)
{
	uint8_t token[TOKEN_LEN];
	char digits[20];
	struct redis_order order = {.key = lease->name,
				    .pace = REDIS_PATIENT,
				    .trouble = REDIS_TROUBLE_WRITE,
				    .fn = fn,
				    .arg = lease};

	entropy_fill(token, sizeof(token));
	order.command = redis_command(
	    (struct slice[]){slice_text("SET"), lease->name, slice_of(token, sizeof(token)),
			     slice_text(condition), slice_text("PX"),
			     slice_of(digits, decimal_encode(digits, (uint64_t)lease->ms))},
	    6);
	return redis_route_call(lease->handle->route, &order);
}

static void on_renewed(void *arg, err_t err, const redisReply *reply)
{
	struct lease *lease = arg;

	lease->task = NULL;
	if (err == OK && reply->type == REDIS_REPLY_STATUS)
		lease->ms_asked = lease->ms_renewed;
}

static void renew(void *arg)
{
	struct lease *lease = arg;

	if (lease->task || !is_surely_ours(lease))
		return;
	lease->ms_renewed = clock_mono_ms();
	lease->task = ask(lease, "XX", on_renewed);
}

static void on_answer(void *arg, err_t err, const redisReply *reply)
{
	struct lease *lease = arg;
	struct lease told;

	lease->task = NULL;
	if (err == OK && reply->type == REDIS_REPLY_NIL)
		err = ERR_BUSY;
	else if (err == OK && reply->type == REDIS_REPLY_ERROR)
		err = ERR_STORE_FAULT;
	if (err == OK && (lease->is_released || !lease->fn)) {
		give_back(lease);
		return;
	}
	if (err == OK) {
		lease->is_held = true;
		lease->renewal =
		    timer_every(lease->handle->loop, lease->ms / RENEWALS + 1, renew, lease);
		tell(lease, OK);
		return;
	}
	told = *lease;
	told.limit = NULL;
	lease_free(lease);
	tell(&told, err);
}

static void on_limit(void *arg)
{
	struct lease *lease = arg;

	lease->limit = NULL;
	tell(lease, ERR_STORE_FAULT); /* the reply is still waited for */
}

static struct lease *lease_new(struct redis_handle *handle, struct slice name,
			       const struct store_lease_ops *ops)
{
	struct lease *lease = calloc(1, sizeof(*lease) + name.len);

	if (!lease)
		return NULL;
	lease->lease = (struct store_lease){.kind = handle->store.kind};
	lease->handle = handle;
	lease->ms_asked = clock_mono_ms();
	lease->ms = ops->ms > 0 ? ops->ms : 1;
	lease->fn = ops->fn;
	lease->arg = ops->arg;
	memcpy(lease->octets, name.p, name.len);
	lease->name = slice_of(lease->octets, name.len);
	list_append(&handle->leases, &lease->link);
	return lease;
}

err_t redis_lease(struct store *store, struct slice key, const struct store_lease_ops *ops,
		  struct store_lease **out_lease)
{
	struct redis_handle *handle = (struct redis_handle *)store;
	char text[REDIS_KEY_SIZE];
	struct slice name;
	struct lease *lease;

	if (redis_key(handle, REDIS_LEASES, key, text, &name) != OK)
		return ERR_STORE_FAULT;
	lease = lease_new(handle, name, ops);
	if (!lease)
		return ERR_STORE_FAULT;
	lease->limit = timer_start(handle->loop, handle->common->ms_timeout, on_limit, lease);
	lease->task = ask(lease, "NX", on_answer);
	if (!lease->limit || !lease->task) {
		count(lease, ERR_STORE_FAULT);
		lease_free(lease);
		return ERR_STORE_FAULT;
	}
	*out_lease = &lease->lease;
	return ERR_AGAIN;
}

void redis_release(struct store_lease *store_lease)
{
	struct lease *lease = (struct lease *)store_lease;

	timer_cancel(lease->limit);
	lease->limit = NULL;
	lease->fn = NULL;
	lease->is_released = true;
	if (lease->is_held)
		give_back(lease);
}

void redis_leases_fini(struct redis_handle *handle)
{
	while (!list_is_empty(&handle->leases))
		lease_free(LIST_ENTRY(handle->leases.next, struct lease, link));
}
