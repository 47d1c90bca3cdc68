/* SPDX-License-Identifier: ISC */
/* Rounds of questions, and what follows from the answers. */
#include "io/redis_replicas.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/redis_position.h"

#define MS_ROUND 1000
#define N_SAMPLES \
	2 /* of the master: a replica that is as far as the last one but one is level, too */

struct sample {
	int64_t ms; /* when the master was asked */
	struct redis_position position;
};

struct replica {
	struct redis_replicas *replicas;
	struct redis_link *link;
	struct redis_call *call; /* INFO */
	int64_t ms_up, ms_level; /* since when it is up; as of when it is level. 0: is not */
};

struct redis_replicas {
	struct loop *loop;
	struct redis_common *common;
	struct redis_witness witness; /* for the master, where this is about copies */
	struct redis_link *master;    /* or NULL */
	struct redis_call *call;      /* INFO */
	int64_t ms_asked;
	struct timer *round;
	struct sample samples[N_SAMPLES]; /* the newest first; replid "": none */
	size_t n, next;
	struct replica *all[REDIS_MAX_REPLICAS];
};

/* --- SENTINEL replicas ------------------------------------------------------------------------ */

/* The value of a name in a list of both. */
static struct slice value(const redisReply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
		const redisReply *key = pairs->element[i], *text = pairs->element[i + 1];

		if (key->type == REDIS_REPLY_STRING && text->type == REDIS_REPLY_STRING &&
		    slice_eq(slice_of(key->str, (size_t)key->len), slice_text(name)))
			return slice_of(text->str, (size_t)text->len);
	}
	return slice_of(NULL, 0);
}

/* Of flags joined by commas. */
static bool has_flag(struct slice flags, const char *name)
{
	while (flags.len > 0) {
		const uint8_t *comma = memchr(flags.p, ',', flags.len);
		struct slice flag =
		    slice_take(flags, comma ? (size_t)(comma - flags.p) : flags.len);

		if (slice_eq(flag, slice_text(name)))
			return true;
		flags = slice_skip(flags, flag.len + 1);
	}
	return false;
}

static bool is_healthy(const redisReply *replica)
{
	static const char *const faults[] = {"s_down", "o_down", "disconnected"};
	struct slice flags = value(replica, "flags");

	for (size_t i = 0; i < N_ELEMENTS(faults); i++) {
		if (has_flag(flags, faults[i]))
			return false;
	}
	return slice_eq(value(replica, "master-link-status"), slice_text("ok"));
}

size_t redis_replicas_read(const redisReply *reply,
			   struct redis_address addresses[REDIS_MAX_REPLICAS])
{
	size_t n = 0, n_named = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;

	for (size_t i = 0; i < n_named && n < REDIS_MAX_REPLICAS; i++) {
		const redisReply *replica = reply->element[i];
		uint64_t port;

		if (replica->type == REDIS_REPLY_ARRAY && is_healthy(replica) &&
		    decimal_decode(value(replica, "port"), 65535, &port) == OK &&
		    redis_address_make(&addresses[n], value(replica, "ip"), port))
			n++;
	}
	return n;
}

/* --- the replicas ----------------------------------------------------------------------------- */

static void judge(struct replica *replica, const struct redis_position *position)
{
	const struct redis_replicas *replicas = replica->replicas;
	int64_t now = clock_mono_ms(), since;

	for (size_t i = 0; i < N_SAMPLES && !position->is_master; i++) {
		const struct sample *sample = &replicas->samples[i];

		if (redis_position_has(position, &sample->position) &&
		    sample->ms > replica->ms_level)
			replica->ms_level = sample->ms;
	}
	since = replica->ms_level > replica->ms_up ? replica->ms_level : replica->ms_up;
	if (now - since < REDIS_MS_BEHIND && replica->ms_level == 0)
		return; /* too early to say */
	redis_witness_tell(redis_link_witness(replica->link), REDIS_TROUBLE_LAG,
			   now - since < REDIS_MS_BEHIND ? NULL : "behind its master");
}

static void on_position(void *arg, err_t err, const redisReply *reply)
{
	struct replica *replica = arg;
	struct redis_position position;
	const char *fault;

	replica->call = NULL;
	if (err != OK)
		return;
	fault = redis_position_of_reply(reply, &position);
	redis_witness_tell(redis_link_witness(replica->link), REDIS_TROUBLE_READ, fault);
	if (!fault)
		judge(replica, &position);
}

static void ask_replica(struct replica *replica)
{
	if (!replica->call)
		replica->call = redis_position_ask(replica->link, on_position, replica);
}

static void on_sample(void *arg, err_t err, const redisReply *reply)
{
	struct redis_replicas *replicas = arg;
	struct redis_position position;
	const char *fault;

	replicas->call = NULL;
	if (err != OK)
		return;
	fault = redis_position_of_reply(reply, &position);
	redis_witness_tell(&replicas->witness, REDIS_TROUBLE_READ, fault);
	if (fault || !position.is_master)
		return;
	replicas->samples[1] = replicas->samples[0];
	replicas->samples[0] = (struct sample){.ms = replicas->ms_asked, .position = position};
	for (size_t i = 0; i < replicas->n; i++)
		ask_replica(replicas->all[i]);
}

void redis_replicas_ask(struct redis_replicas *replicas)
{
	if (replicas->n == 0 || !replicas->master || replicas->call)
		return;
	replicas->ms_asked = clock_mono_ms();
	replicas->call = redis_position_ask(replicas->master, on_sample, replicas);
}

static void on_round(void *arg)
{
	redis_replicas_ask(arg);
}

static void on_up(void *arg)
{
	struct replica *replica = arg;

	replica->ms_up = clock_mono_ms();
	redis_replicas_ask(replica->replicas);
}

static void on_down(void *arg, const char *reason)
{
	struct replica *replica = arg;

	(void)reason;
	replica->ms_level = 0; /* it may come back as another one */
}

static bool add(struct redis_replicas *replicas, const struct redis_address *address)
{
	struct replica *replica = calloc(1, sizeof(*replica));

	if (!replica)
		return false;
	replica->replicas = replicas;
	replica->link = redis_link_new(
	    &(struct redis_link_opts){.loop = replicas->loop,
				      .common = replicas->common,
				      .role = REDIS_ROLE_REPLICA,
				      .address = *address,
				      .ops = {.up = on_up, .down = on_down, .arg = replica}});
	if (!replica->link) {
		free(replica);
		return false;
	}
	replicas->all[replicas->n++] = replica;
	return true;
}

static bool is_among(const struct redis_address *address, const struct redis_address *addresses,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (redis_address_eq(address, &addresses[i]))
			return true;
	}
	return false;
}

static bool is_known(const struct redis_replicas *replicas, const struct redis_address *address)
{
	for (size_t i = 0; i < replicas->n; i++) {
		if (redis_address_eq(redis_link_address(replicas->all[i]->link), address))
			return true;
	}
	return false;
}

/* Out of the list first: those who waited for it may ask for another one at once. */
static void drop(struct redis_replicas *replicas, size_t i)
{
	struct replica *replica = replicas->all[i];

	replicas->all[i] = replicas->all[--replicas->n];
	redis_link_retire(replica->link);
	free(replica);
}

void redis_replicas_set(struct redis_replicas *replicas, const struct redis_address *addresses,
			size_t n)
{
	for (size_t i = replicas->n; i-- > 0;) {
		if (!is_among(redis_link_address(replicas->all[i]->link), addresses, n))
			drop(replicas, i);
	}
	for (size_t i = 0; i < n && replicas->n < REDIS_MAX_REPLICAS; i++) {
		if (!is_known(replicas, &addresses[i]) && !add(replicas, &addresses[i]))
			return; /* the next time */
	}
}

void redis_replicas_follow(struct redis_replicas *replicas, struct redis_link *master)
{
	replicas->master = master;
	memset(replicas->samples, 0, sizeof(replicas->samples));
	for (size_t i = 0; i < replicas->n; i++)
		replicas->all[i]->ms_level = 0;
}

struct redis_link *redis_replicas_pick(struct redis_replicas *replicas)
{
	int64_t then = clock_mono_ms() - REDIS_MS_BEHIND;
	size_t first = replicas->next++;

	for (size_t i = 0; i < replicas->n; i++) {
		const struct replica *replica = replicas->all[(first + i) % replicas->n];

		if (redis_link_is_up(replica->link) && replica->ms_level > 0 &&
		    replica->ms_level > then)
			return replica->link;
	}
	return NULL;
}

struct redis_replicas *redis_replicas_new(struct loop *loop, struct redis_common *common)
{
	struct redis_replicas *replicas = calloc(1, sizeof(*replicas));

	if (!replicas)
		return NULL;
	replicas->loop = loop;
	replicas->common = common;
	replicas->round = timer_every(loop, MS_ROUND, on_round, replicas);
	if (!replicas->round ||
	    !redis_witness_init(&replicas->witness, common, REDIS_ASIDE, common->url.master)) {
		timer_cancel(replicas->round);
		free(replicas);
		return NULL;
	}
	return replicas;
}

/* The links before what their calls point to. */
void redis_replicas_free(struct redis_replicas *replicas)
{
	if (!replicas)
		return;
	timer_cancel(replicas->round);
	if (replicas->call)
		redis_call_drop(replicas->call);
	while (replicas->n > 0) {
		struct replica *replica = replicas->all[--replicas->n];

		redis_link_free(replica->link);
		free(replica);
	}
	redis_witness_fini(&replicas->witness);
	free(replicas);
}
