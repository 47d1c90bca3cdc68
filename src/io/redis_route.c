/* SPDX-License-Identifier: ISC */
/* Tasks, for all kinds of routes; and the simplest kind. */
#include "io/redis_route.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/redis_replicas.h"

struct redis_task {
	struct redis_route *route;
	struct list link;
	struct redis_link *to;
	struct redis_call *call; /* NULL: answered */
	struct slice command;	 /* owned */
	enum redis_pace pace;
	enum redis_trouble trouble;
	int64_t ms_begun;
	bool is_removal, is_redirected;
	bool is_copy; /* it asks a replica */
	unsigned slot;
	redis_reply_fn *fn;
	void *arg;
};

static const struct redis_route_kind *const kinds[] = {
    [REDIS_MODE_SINGLE] = &redis_route_single,
    [REDIS_MODE_SENTINEL] = &redis_route_sentinel,
    [REDIS_MODE_CLUSTER] = &redis_route_cluster,
};

struct redis_route *redis_route_new(struct loop *loop, struct redis_common *common)
{
	const struct redis_route_kind *kind = kinds[common->url.mode];
	struct redis_route *route = kind->new (loop, common);

	if (!route)
		return NULL;
	route->kind = kind;
	return route;
}

void redis_route_init(struct redis_route *route, struct loop *loop, struct redis_common *common)
{
	route->loop = loop;
	route->common = common;
	list_init(&route->tasks);
}

void redis_route_free(struct redis_route *route)
{
	if (!route)
		return;
	while (!list_is_empty(&route->tasks))
		redis_task_drop(LIST_ENTRY(route->tasks.next, struct redis_task, link));
	route->kind->free(route);
}

size_t redis_route_nodes(struct redis_route *route, struct redis_link *links[REDIS_MAX_NODES])
{
	return route->kind->nodes(route, links);
}

bool redis_route_address(struct redis_route *route, unsigned n, struct redis_address *out)
{
	return route->kind->address(route, n, out);
}

/* --- tasks ------------------------------------------------------------------------------------ */

static void task_free(struct redis_task *task)
{
	list_remove(&task->link);
	redis_command_free(task->command);
	free(task);
}

void redis_task_drop(struct redis_task *task)
{
	if (!task)
		return;
	if (task->call)
		redis_call_drop(task->call);
	task_free(task);
}

static void on_reply(void *arg, err_t err, const redisReply *reply);

static bool send_to(struct redis_task *task, struct redis_link *to)
{
	task->to = to;
	task->call = to ? redis_link_call(to, task->command, task->pace, on_reply, task) : NULL;
	return task->call != NULL;
}

/* Once, and only while there is time: what takes half of a look-up's time to say that it is not
 * there leaves too little. */
static bool redirect(struct redis_task *task, struct slice error)
{
	const struct redis_route_kind *kind = task->route->kind;
	bool is_asking = false;
	struct redis_link *to;

	if (!kind->redirect)
		return false;
	to = kind->redirect(task->route, task->to, error, &is_asking);
	if (!to || task->is_redirected ||
	    (task->pace == REDIS_QUICK &&
	     clock_mono_ms() - task->ms_begun > task->route->common->ms_timeout / 2))
		return false;
	task->is_redirected = true;
	if (is_asking &&
	    !redis_link_call(to, slice_text("*1\r\n$6\r\nASKING\r\n"), task->pace, NULL, NULL))
		return false;
	return send_to(task, to);
}

/* --- copies ----------------------------------------------------------------------------------- */

static bool is_settled(const struct redis_route *route, unsigned slot)
{
	return route->common->recent && redis_recent_is_settled(route->common->recent, slot,
								clock_mono_ms(), REDIS_MS_BEHIND);
}

static bool send_to_copy(struct redis_task *task)
{
	struct redis_route *route = task->route;
	struct redis_link *to = route->kind->pick_copy && is_settled(route, task->slot)
				    ? route->kind->pick_copy(route)
				    : NULL;

	task->is_copy = to && send_to(task, to);
	return task->is_copy;
}

/* Whether the copy is as good as the original. What has been written since it was asked for may be
 * newer than both the copy and the news of it. */
static bool will_do(const struct redis_task *task, err_t err, const redisReply *reply)
{
	return err == OK && reply->type == REDIS_REPLY_STRING && reply->len > 0 &&
	       is_settled(task->route, task->slot);
}

static bool ask_original(struct redis_task *task)
{
	task->is_copy = false;
	task->pace = REDIS_HURRIED;
	return send_to(task, task->route->kind->pick(task->route, slice_of(NULL, 0)));
}

/* That a key holds something else is no trouble of the server's. */
static void judge(struct redis_task *task, const redisReply *reply)
{
	struct slice text = slice_of(reply->str, (size_t)reply->len);
	bool is_error = reply->type == REDIS_REPLY_ERROR;

	if (is_error ? slice_eq(slice_take(text, 9), slice_text("WRONGTYPE")) : task->is_removal)
		return;
	redis_witness_tell(redis_link_witness(task->to), task->trouble,
			   is_error ? reply->str : NULL);
}

static void on_reply(void *arg, err_t err, const redisReply *reply)
{
	struct redis_task *task = arg, told;

	task->call = NULL;
	if (task->is_copy && !will_do(task, err, reply)) {
		if (err == OK)
			judge(task, reply);
		if (ask_original(task))
			return;
		err = ERR_STORE_FAULT; /* what a copy lacks may be there */
		reply = NULL;
	}
	if (err == OK && reply->type == REDIS_REPLY_ERROR &&
	    redirect(task, slice_of(reply->str, (size_t)reply->len)))
		return;
	if (err == OK)
		judge(task, reply);
	told = *task;
	task_free(task);
	if (told.fn)
		told.fn(told.arg, err, reply);
}

struct redis_task *redis_route_call(struct redis_route *route, const struct redis_order *order)
{
	struct redis_task *task = calloc(1, sizeof(*task));

	if (!task || order->command.len == 0) {
		redis_command_free(order->command);
		free(task);
		return NULL;
	}
	*task = (struct redis_task){.route = route,
				    .command = order->command,
				    .pace = order->pace,
				    .trouble = order->trouble,
				    .is_removal = order->is_removal,
				    .slot = order->slot,
				    .ms_begun = clock_mono_ms(),
				    .fn = order->fn,
				    .arg = order->arg};
	list_append(&route->tasks, &task->link);
	if (order->may_be_copy && send_to_copy(task))
		return task;
	if (!send_to(task, order->link ? order->link : route->kind->pick(route, order->key))) {
		task_free(task);
		return NULL;
	}
	return task;
}

/* --- one server ------------------------------------------------------------------------------- */

struct single {
	struct redis_route route; /* first */
	struct redis_link *link;
};

static void single_free(struct redis_route *route)
{
	struct single *single = (struct single *)route;

	redis_link_free(single->link);
	free(single);
}

static struct redis_route *single_new(struct loop *loop, struct redis_common *common)
{
	struct single *single = calloc(1, sizeof(*single));

	if (!single)
		return NULL;
	redis_route_init(&single->route, loop, common);
	single->link = redis_link_new(&(struct redis_link_opts){
	    .loop = loop, .common = common, .address = common->url.seeds[0]});
	if (!single->link) {
		free(single);
		return NULL;
	}
	return &single->route;
}

static struct redis_link *single_pick(struct redis_route *route, struct slice key)
{
	(void)key;
	return ((struct single *)route)->link;
}

static size_t single_nodes(struct redis_route *route, struct redis_link *links[REDIS_MAX_NODES])
{
	links[0] = ((struct single *)route)->link;
	return 1;
}

static bool single_address(struct redis_route *route, unsigned n, struct redis_address *out)
{
	(void)n;
	*out = route->common->url.seeds[0];
	return true;
}

const struct redis_route_kind redis_route_single = {
    .new = single_new,
    .free = single_free,
    .pick = single_pick,
    .nodes = single_nodes,
    .address = single_address,
};
