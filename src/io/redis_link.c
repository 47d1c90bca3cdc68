/* SPDX-License-Identifier: ISC */
/*
 * Resting, then an attempt: resolve; for each address connect and log in, step by step; then up.
 * One function ends whatever the state is, fail(): it goes on with the next address or rests.
 *
 * Callbacks may free the link. So all that comes from the loop runs between enter and leave, and
 * the memory stays until then.
 */
#include "io/redis_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/redis_wire.h"
#include "io/resolve.h"

#define MAX_PENDING 4096
#define MS_RESOLVE  10000
#define MS_ATTEMPT  2000 /* for one address: to connect and to log in */
#define MS_PATIENT  2000
#define MS_FIRST    50 /* rest before the second attempt; doubled each time */
#define MS_LONGEST  3000
#define MS_IDLE	    1000		/* then a PING */
#define REPLY_ROOM  ((size_t)256 << 10) /* for what is no record */
#define REASON_SIZE 160

struct redis_link {
	struct redis_link_opts opts;
	struct redis_witness witness;
	struct timer *rest;	 /* until the next attempt */
	struct resolve *resolve; /* under way */
	struct resolve_answer found;
	size_t n_tried;		 /* addresses of found */
	bool has_met;		 /* it is connected, or was */
	char why[REASON_SIZE];	 /* what came of the attempt */
	const char *fault;	 /* why the attempt is over before it began, or NULL */
	struct timer *attempt;	 /* its end, if nothing comes of it */
	struct redis_wire *wire; /* connecting, or connected */
	unsigned step;		 /* of the log-in */
	unsigned n_failures;	 /* in a row */
	struct redis_calls calls;
	struct timer *look; /* at the calls */
	int64_t ms_look;
	struct timer *idle;
	bool is_up, has_answered; /* the latter since the last look of idle */
	unsigned n_inside;
	bool is_freed;
};

static void start(void *arg);

/* --- the end of everything -------------------------------------------------------------------- */

static void enter(struct redis_link *link)
{
	link->n_inside++;
}

static void leave(struct redis_link *link)
{
	if (--link->n_inside == 0 && link->is_freed)
		free(link);
}

/* Nothing is under way any more. */
static void stop(struct redis_link *link)
{
	timer_cancel(link->rest);
	timer_cancel(link->attempt);
	timer_cancel(link->look);
	timer_cancel(link->idle);
	resolve_cancel(link->resolve);
	redis_wire_close(link->wire);
	link->rest = link->attempt = link->look = link->idle = NULL;
	link->resolve = NULL;
	link->wire = NULL;
}

/* The memory stays until leave. */
static void close_link(struct redis_link *link)
{
	stop(link);
	link->is_up = false;
	link->is_freed = true;
	redis_calls_close(&link->calls);
	redis_witness_fini(&link->witness);
}

void redis_link_free(struct redis_link *link)
{
	if (!link || link->is_freed)
		return;
	enter(link);
	close_link(link);
	leave(link);
}

void redis_link_retire(struct redis_link *link)
{
	if (!link || link->is_freed)
		return;
	enter(link);
	stop(link);
	link->is_up = false;
	redis_calls_fail(&link->calls);
	close_link(link);
	leave(link);
}

static int64_t ms_rest(struct redis_link *link)
{
	int64_t ms = MS_FIRST;

	for (unsigned i = 1; i < link->n_failures && ms < MS_LONGEST; i++)
		ms *= 2;
	if (ms > MS_LONGEST)
		ms = MS_LONGEST;
	return ms / 2 + entropy_jitter() % (ms + 1);
}

static void rest(struct redis_link *link)
{
	link->n_failures++;
	link->rest = timer_start(link->opts.loop, ms_rest(link), start, link);
}

static void open_wire(struct redis_link *link);

/* Borrows reason, which may be a member of what ends here. Of several addresses the one that could
 * be connected to tells best what is wrong. */
static void fail(struct redis_link *link, const char *reason)
{
	bool was_up = link->is_up;

	if (link->has_met || link->why[0] == '\0')
		snprintf(link->why, sizeof(link->why), "%s", reason);
	stop(link);
	link->has_met = false;
	link->is_up = false;
	redis_calls_fail(&link->calls);
	if (link->is_freed)
		return;
	if (!was_up && link->n_tried < link->found.n) {
		open_wire(link);
		return;
	}
	redis_witness_tell(&link->witness, REDIS_TROUBLE_LINK, link->why);
	rest(link);
	if (link->opts.ops.down)
		link->opts.ops.down(link->opts.ops.arg, link->why);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void on_look(void *arg);

static void plan_look(struct redis_link *link)
{
	int64_t now = clock_mono_ms(), next = redis_calls_next(&link->calls);

	if (next == INT64_MAX || (link->look && link->ms_look <= next))
		return;
	timer_cancel(link->look);
	link->ms_look = next;
	link->look = timer_start(link->opts.loop, next - now, on_look, link);
}

static void complain(struct redis_link *link)
{
	const char *reason = redis_calls_complaint(&link->calls, clock_mono_ms());

	if (reason)
		fail(link, reason);
}

static void on_look(void *arg)
{
	struct redis_link *link = arg;

	link->look = NULL;
	enter(link);
	redis_calls_expire(&link->calls, clock_mono_ms());
	if (!link->is_freed)
		complain(link);
	if (!link->is_freed)
		plan_look(link);
	leave(link);
}

static struct redis_call *call(struct redis_link *link, struct slice command, enum redis_pace pace,
			       redis_reply_fn *fn, void *arg)
{
	struct redis_call *added;

	if (link->calls.n >= MAX_PENDING || redis_wire_send(link->wire, command) != OK)
		return NULL;
	added = redis_calls_add(&link->calls, pace, clock_mono_ms(), fn, arg);
	if (!added) {
		/* Its reply would be taken for another's. */
		redis_wire_break(link->wire);
		return NULL;
	}
	plan_look(link);
	return added;
}

struct redis_call *redis_link_call(struct redis_link *link, struct slice command,
				   enum redis_pace pace, redis_reply_fn *fn, void *arg)
{
	return link->is_up && command.len > 0 ? call(link, command, pace, fn, arg) : NULL;
}

/* An idle connection is asked whether it still is one. */
static void on_idle(void *arg)
{
	struct redis_link *link = arg;
	const struct slice ping = slice_text("*1\r\n$4\r\nPING\r\n");

	if (!link->has_answered)
		(void)call(link, ping, REDIS_QUICK, NULL, NULL);
	link->has_answered = false;
}

/* --- logging in ------------------------------------------------------------------------------- */

static void log_in(struct redis_link *link);

static void become_up(struct redis_link *link)
{
	timer_cancel(link->attempt);
	link->attempt = NULL;
	link->idle = timer_every(link->opts.loop, MS_IDLE, on_idle, link);
	link->is_up = true;
	link->has_answered = false;
	redis_witness_tell(&link->witness, REDIS_TROUBLE_LINK, NULL);
	if (link->opts.ops.up)
		link->opts.ops.up(link->opts.ops.arg);
}

static void on_step(void *arg, err_t err, const redisReply *reply)
{
	struct redis_link *link = arg;
	const char *fault;

	if (err != OK && link->wire)
		fail(link, "no answer in time");
	if (err != OK)
		return; /* or it is fail who tells, and knows why */
	fault = redis_login_judge(link->step, reply);
	if (fault) {
		fail(link, fault);
		return;
	}
	link->step++;
	log_in(link);
}

static void log_in(struct redis_link *link)
{
	struct slice command;
	enum redis_pace pace;
	struct redis_call *called;

	link->step = redis_login_next(link->step, link->opts.common, link->opts.role);
	if (link->step == REDIS_LOGIN_DONE) {
		become_up(link);
		return;
	}
	command = redis_login_command(link->step, link->opts.common, link->opts.role);
	pace = link->step == REDIS_LOGIN_PING ? REDIS_QUICK : REDIS_PATIENT;
	called = command.len > 0 ? call(link, command, pace, on_step, link) : NULL;
	redis_command_free(command);
	if (!called)
		fail(link, "out of memory");
}

/* --- the wire --------------------------------------------------------------------------------- */

static void on_connected(void *arg)
{
	struct redis_link *link = arg;

	enter(link);
	link->has_met = true;
	link->step = 0;
	log_in(link);
	leave(link);
}

static void on_reply(void *arg, const redisReply *reply)
{
	struct redis_link *link = arg;
	struct slice message;

	enter(link);
	link->has_answered = true;
	if (link->opts.role == REDIS_ROLE_SUBSCRIBER && redis_login_message(reply, &message)) {
		if (link->is_up && link->opts.ops.said)
			link->opts.ops.said(link->opts.ops.arg, message);
	} else if (redis_calls_answer(&link->calls, clock_mono_ms(), reply) != OK) {
		fail(link, "a reply that nobody asked for");
	} else if (!link->is_freed && link->is_up) {
		link->n_failures = 0;
		complain(link);
	}
	leave(link);
}

static void on_ended(void *arg, const char *reason)
{
	struct redis_link *link = arg;

	enter(link);
	fail(link, reason);
	leave(link);
}

/* --- attempts --------------------------------------------------------------------------------- */

static void on_attempt_over(void *arg)
{
	struct redis_link *link = arg;

	link->attempt = NULL;
	enter(link);
	if (link->fault)
		fail(link, link->fault);
	else
		fail(link, link->resolve ? "no answer from name servers" : "no connection in time");
	leave(link);
}

/* To the next address. Where that fails at once, the attempt ends by its timer. */
static void open_wire(struct redis_link *link)
{
	const struct redis_common *common = link->opts.common;
	struct redis_wire_opts opts = {
	    .loop = link->opts.loop,
	    .address = (struct sockaddr *)&link->found.addresses[link->n_tried],
	    .address_len = link->found.lens[link->n_tried],
	    .tls = common->tls,
	    .host = link->opts.address.host,
	    .max_reply = common->max_record + REPLY_ROOM,
	    .ops = {.connected = on_connected, .reply = on_reply, .ended = on_ended, .arg = link},
	};

	link->n_tried++;
	link->wire = redis_wire_open(&opts);
	link->fault = link->wire ? NULL : strerror(errno);
	timer_cancel(link->attempt);
	link->attempt =
	    timer_start(link->opts.loop, link->wire ? MS_ATTEMPT : 0, on_attempt_over, link);
}

static void on_resolved(void *arg, const struct resolve_answer *answer)
{
	struct redis_link *link = arg;

	link->resolve = NULL;
	enter(link);
	if (answer->n == 0) {
		fail(link, answer->reason ? answer->reason : "the host has no address");
	} else {
		link->found = *answer;
		open_wire(link);
	}
	leave(link);
}

static void use_path(struct redis_link *link)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&link->found.addresses[0];

	/* That it fits is what redis_url_parse sees to. */
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, link->opts.address.host,
	       strnlen(link->opts.address.host, sizeof(address->sun_path) - 1));
	link->found.lens[0] = sizeof(*address);
	link->found.n = 1;
	open_wire(link);
}

static void start(void *arg)
{
	struct redis_link *link = arg;
	const struct redis_address *address = &link->opts.address;

	link->rest = NULL;
	link->found.n = link->n_tried = 0;
	link->why[0] = '\0';
	if (address->port == 0) {
		use_path(link);
		return;
	}
	link->resolve =
	    resolve_start(link->opts.loop, address->host, address->port, on_resolved, link);
	link->fault = link->resolve ? NULL : "out of memory";
	/* A resolver may take longer than we care to wait; nothing else is delayed by it. */
	link->attempt =
	    timer_start(link->opts.loop, link->resolve ? MS_RESOLVE : 0, on_attempt_over, link);
}

/* Those of whom there are several to be asked for the way are no trouble one by one. */
static const struct {
	bool is_watched;
	enum redis_standing standing;
} standings[] = {
    [REDIS_ROLE_SERVER] = {true, REDIS_NEEDED}, [REDIS_ROLE_SUBSCRIBER] = {true, REDIS_NEEDED},
    [REDIS_ROLE_SEED] = {false, REDIS_ASIDE},	[REDIS_ROLE_SENTINEL] = {false, REDIS_ASIDE},
    [REDIS_ROLE_REPLICA] = {true, REDIS_ASIDE},
};

struct redis_link *redis_link_new(const struct redis_link_opts *opts)
{
	struct redis_link *link = calloc(1, sizeof(*link));
	char name[REDIS_ADDRESS_SIZE];

	if (!link)
		return NULL;
	link->opts = *opts;
	redis_address_text(name, &opts->address);
	redis_calls_init(&link->calls,
			 opts->role == REDIS_ROLE_REPLICA ? opts->common->ms_timeout / 2
							  : opts->common->ms_timeout,
			 MS_PATIENT);
	link->rest = timer_start(opts->loop, 0, start, link);
	if (!link->rest || (standings[opts->role].is_watched &&
			    !redis_witness_init(&link->witness, opts->common,
						standings[opts->role].standing, name))) {
		timer_cancel(link->rest);
		free(link);
		return NULL;
	}
	return link;
}

bool redis_link_is_up(const struct redis_link *link)
{
	return link->is_up;
}

const struct redis_address *redis_link_address(const struct redis_link *link)
{
	return &link->opts.address;
}

struct redis_witness *redis_link_witness(struct redis_link *link)
{
	return &link->witness;
}
