/* SPDX-License-Identifier: ISC */
/*
 * The master that sentinels name, and its replicas, if they are to be read. One of the sentinels is
 * asked once a second, and at once when the master is lost or refuses to be one; when it does not
 * answer, or refuses to, the next one. That the named one knows that it is a master is part of
 * logging in to it (redis_login.h); how good the replicas are is found out in redis_replicas.h.
 */
#include <stdlib.h>

#include "base/bytes.h"
#include "io/redis_replicas.h"
#include "io/redis_route.h"

#define MS_BETWEEN 1000 /* questions */
#define MS_ROUND   500	/* before all sentinels are tried again */

struct sentinels {
	struct redis_route route;			 /* first */
	struct redis_witness witness;			 /* for all of them */
	struct redis_witness witnesses[REDIS_MAX_SEEDS]; /* for each */
	size_t n_tried;					 /* seeds, in all */
	unsigned n_silent;				 /* of them, in a row */
	struct redis_link *sentinel;			 /* the one that is asked, or NULL */
	struct redis_call *call;			 /* the question */
	struct timer *next;				 /* question, or sentinel */
	struct redis_link *master;			 /* or NULL */
	struct redis_replicas *replicas;		 /* NULL: they are not read */
};

static void ask(void *arg);

static void ask_in(struct sentinels *sentinels, int64_t ms)
{
	timer_cancel(sentinels->next);
	sentinels->next = timer_start(sentinels->route.loop, ms, ask, sentinels);
}

static void on_master_up(void *arg)
{
	const struct sentinels *sentinels = arg;

	if (sentinels->replicas)
		redis_replicas_ask(sentinels->replicas);
}

static void on_master_down(void *arg, const char *reason)
{
	(void)reason;
	ask_in(arg, 0);
}

static void set_master(struct sentinels *sentinels, const struct redis_address *address)
{
	struct redis_link *old = sentinels->master;

	if (old && redis_address_eq(redis_link_address(old), address))
		return;
	sentinels->master = redis_link_new(&(struct redis_link_opts){
	    .loop = sentinels->route.loop,
	    .common = sentinels->route.common,
	    .address = *address,
	    .ops = {.up = on_master_up, .down = on_master_down, .arg = sentinels}});
	if (sentinels->replicas)
		redis_replicas_follow(sentinels->replicas, sentinels->master);
	redis_link_retire(old); /* now, so that the store is not well for a moment in between */
}

/* --- the sentinels ---------------------------------------------------------------------------- */

static void tell(struct sentinels *sentinels, const char *reason)
{
	redis_witness_tell(&sentinels->witness, REDIS_TROUBLE_READ, reason);
}

/* The same of the one that is asked. */
static void tell_one(struct sentinels *sentinels, enum redis_trouble trouble, const char *reason)
{
	size_t i = (sentinels->n_tried - 1) % sentinels->route.common->url.n_seeds;

	redis_witness_tell(&sentinels->witnesses[i], trouble, reason);
}

static void next_sentinel(struct sentinels *sentinels, const char *reason)
{
	tell_one(sentinels, REDIS_TROUBLE_LINK, reason);
	redis_link_free(sentinels->sentinel);
	sentinels->sentinel = NULL;
	sentinels->call = NULL;
	if (++sentinels->n_silent >= sentinels->route.common->url.n_seeds)
		tell(sentinels, reason);
	ask_in(sentinels,
	       sentinels->n_silent % sentinels->route.common->url.n_seeds ? 0 : MS_ROUND);
}

static void on_sentinel_down(void *arg, const char *reason)
{
	next_sentinel(arg, reason);
}

static void on_sentinel_up(void *arg)
{
	ask_in(arg, 0);
}

static bool take_address(const redisReply *reply, struct redis_address *out)
{
	const redisReply *host, *port;
	uint64_t number;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return false;
	host = reply->element[0];
	port = reply->element[1];
	return host->type == REDIS_REPLY_STRING && port->type == REDIS_REPLY_STRING &&
	       decimal_decode(slice_of(port->str, (size_t)port->len), 65535, &number) == OK &&
	       redis_address_make(out, slice_of(host->str, (size_t)host->len), number);
}

/* NULL without memory, or where the sentinel is down. */
static struct redis_call *ask_for(struct sentinels *sentinels, const char *what, redis_reply_fn *fn)
{
	struct slice words[] = {slice_text("SENTINEL"), slice_text(what),
				slice_text(sentinels->route.common->url.master)};
	struct slice command = redis_command(words, N_ELEMENTS(words));
	struct redis_call *call =
	    redis_link_call(sentinels->sentinel, command, REDIS_PATIENT, fn, sentinels);

	redis_command_free(command);
	return call;
}

static void on_replicas(void *arg, err_t err, const redisReply *reply)
{
	struct sentinels *sentinels = arg;
	struct redis_address addresses[REDIS_MAX_REPLICAS];

	sentinels->call = NULL;
	if (err != OK) {
		next_sentinel(sentinels, "no answer from the sentinels");
		return;
	}
	tell_one(sentinels, REDIS_TROUBLE_READ,
		 reply->type == REDIS_REPLY_ERROR ? reply->str : NULL);
	redis_replicas_set(sentinels->replicas, addresses, redis_replicas_read(reply, addresses));
	ask_in(sentinels, MS_BETWEEN);
}

/* Of an answer that names no master. */
static const char *fault_of(const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR)
		return reply->str;
	return reply->type == REDIS_REPLY_NIL ? "the sentinels know no master of this name"
					      : "no answer from the sentinels";
}

static void on_named(void *arg, err_t err, const redisReply *reply)
{
	struct sentinels *sentinels = arg;
	struct redis_address address;

	sentinels->call = NULL;
	if (err != OK || !take_address(reply, &address)) {
		next_sentinel(sentinels,
			      err == OK ? fault_of(reply) : "no answer from the sentinels");
		return;
	}
	sentinels->n_silent = 0;
	tell(sentinels, NULL);
	tell_one(sentinels, REDIS_TROUBLE_LINK, NULL);
	set_master(sentinels, &address);
	if (sentinels->replicas)
		sentinels->call = ask_for(sentinels, "replicas", on_replicas);
	if (!sentinels->call)
		ask_in(sentinels, MS_BETWEEN);
}

static void open_sentinel(struct sentinels *sentinels)
{
	const struct redis_url *url = &sentinels->route.common->url;

	sentinels->sentinel = redis_link_new(&(struct redis_link_opts){
	    .loop = sentinels->route.loop,
	    .common = sentinels->route.common,
	    .role = REDIS_ROLE_SENTINEL,
	    .address = url->seeds[sentinels->n_tried++ % url->n_seeds],
	    .ops = {.up = on_sentinel_up, .down = on_sentinel_down, .arg = sentinels}});
	if (!sentinels->sentinel)
		ask_in(sentinels, MS_BETWEEN);
}

static void ask(void *arg)
{
	struct sentinels *sentinels = arg;

	sentinels->next = NULL;
	if (!sentinels->sentinel) {
		open_sentinel(sentinels);
		return;
	}
	if (sentinels->call || !redis_link_is_up(sentinels->sentinel))
		return; /* it will be asked when it is up, or given up */
	sentinels->call = ask_for(sentinels, "get-master-addr-by-name", on_named);
	if (!sentinels->call)
		ask_in(sentinels, MS_BETWEEN);
}

/* --- the route -------------------------------------------------------------------------------- */

static void sentinels_free(struct redis_route *route)
{
	struct sentinels *sentinels = (struct sentinels *)route;

	timer_cancel(sentinels->next);
	redis_link_free(sentinels->sentinel);
	redis_replicas_free(sentinels->replicas);
	redis_link_free(sentinels->master);
	redis_witness_fini(&sentinels->witness);
	for (size_t i = 0; i < REDIS_MAX_SEEDS; i++)
		redis_witness_fini(&sentinels->witnesses[i]);
	free(sentinels);
}

static bool init_witnesses(struct sentinels *sentinels)
{
	struct redis_common *common = sentinels->route.common;

	for (size_t i = 0; i < common->url.n_seeds; i++) {
		char name[REDIS_ADDRESS_SIZE];

		redis_address_text(name, &common->url.seeds[i]);
		if (!redis_witness_init(&sentinels->witnesses[i], common, REDIS_ASIDE, name))
			return false;
	}
	return redis_witness_init(&sentinels->witness, common, REDIS_NEEDED, common->url.master);
}

static struct redis_route *sentinels_new(struct loop *loop, struct redis_common *common)
{
	struct sentinels *sentinels = calloc(1, sizeof(*sentinels));

	if (!sentinels)
		return NULL;
	redis_route_init(&sentinels->route, loop, common);
	if (common->recent)
		sentinels->replicas = redis_replicas_new(loop, common);
	ask_in(sentinels, 0);
	if (!sentinels->next || !init_witnesses(sentinels) ||
	    (common->recent && !sentinels->replicas)) {
		sentinels_free(&sentinels->route);
		return NULL;
	}
	return &sentinels->route;
}

static struct redis_link *sentinels_pick(struct redis_route *route, struct slice key)
{
	(void)key;
	return ((struct sentinels *)route)->master;
}

static struct redis_link *sentinels_pick_copy(struct redis_route *route)
{
	const struct sentinels *sentinels = (struct sentinels *)route;

	return sentinels->replicas ? redis_replicas_pick(sentinels->replicas) : NULL;
}

/* A master that has become a replica says so to all who write. */
static struct redis_link *sentinels_redirect(struct redis_route *route, struct redis_link *from,
					     struct slice error, bool *out_asking)
{
	(void)from;
	(void)out_asking;
	if (slice_eq(slice_take(error, 8), slice_text("READONLY")))
		ask_in((struct sentinels *)route, 0);
	return NULL;
}

static size_t sentinels_nodes(struct redis_route *route, struct redis_link *links[REDIS_MAX_NODES])
{
	links[0] = ((struct sentinels *)route)->master;
	return links[0] ? 1 : 0;
}

static bool sentinels_address(struct redis_route *route, unsigned n, struct redis_address *out)
{
	const struct sentinels *sentinels = (struct sentinels *)route;

	(void)n;
	if (!sentinels->master)
		return false;
	*out = *redis_link_address(sentinels->master);
	return true;
}

const struct redis_route_kind redis_route_sentinel = {
    .new = sentinels_new,
    .free = sentinels_free,
    .pick = sentinels_pick,
    .pick_copy = sentinels_pick_copy,
    .redirect = sentinels_redirect,
    .nodes = sentinels_nodes,
    .address = sentinels_address,
};
