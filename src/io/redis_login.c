/* SPDX-License-Identifier: ISC */
/* The steps as a table. */
#include "io/redis_login.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/buf.h"

#define MAX_WORDS 8

struct slice redis_command(const struct slice words[], size_t n)
{
	const char *argv[MAX_WORDS];
	size_t lens[MAX_WORDS];
	char *text = NULL;
	long long len;

	for (size_t i = 0; i < n; i++) {
		argv[i] = words[i].len > 0 ? (const char *)words[i].p : "";
		lens[i] = words[i].len;
	}
	len = redisFormatCommandArgv(&text, (int)n, argv, lens);
	return len > 0 ? slice_of(text, (size_t)len) : slice_of(NULL, 0);
}

void redis_command_free(struct slice command)
{
	if (command.p)
		redisFreeCommand((char *)(uintptr_t)command.p);
}

/* --- the steps -------------------------------------------------------------------------------- */

/* Sentinels have users of their own. */
static const char *user_of(const struct redis_common *common, enum redis_role role)
{
	return role == REDIS_ROLE_SENTINEL ? common->sentinel_user : common->url.user;
}

static char *password_of(struct redis_common *common, enum redis_role role)
{
	return redis_common_password(common, role == REDIS_ROLE_SENTINEL ? STORE_SENTINEL_PASSWORD
									 : STORE_PASSWORD);
}

static struct slice make_auth(struct redis_common *common, enum redis_role role)
{
	const char *user = user_of(common, role);
	char *password = password_of(common, role);
	struct slice words[3] = {slice_text("AUTH")}, command = slice_of(NULL, 0);
	size_t n = 1;

	if (!password)
		return command;
	if (user[0])
		words[n++] = slice_text(user);
	words[n++] = slice_text(password);
	command = redis_command(words, n);
	explicit_bzero(password, strlen(password));
	free(password);
	return command;
}

static struct slice make_select(struct redis_common *common, enum redis_role role)
{
	char digits[20];
	struct slice words[] = {slice_text("SELECT"),
				slice_of(digits, decimal_encode(digits, common->url.db))};

	(void)role;
	return redis_command(words, N_ELEMENTS(words));
}

static struct slice make_role(struct redis_common *common, enum redis_role role)
{
	struct slice word = slice_text("ROLE");

	(void)common;
	(void)role;
	return redis_command(&word, 1);
}

static struct slice make_ping(struct redis_common *common, enum redis_role role)
{
	struct slice word = slice_text("PING");

	(void)common;
	(void)role;
	return redis_command(&word, 1);
}

static struct slice make_subscribe(struct redis_common *common, enum redis_role role)
{
	struct slice words[] = {slice_text("SUBSCRIBE"), slice_text(common->channel)};

	(void)role;
	return redis_command(words, N_ELEMENTS(words));
}

static bool is_text(const redisReply *reply, const char *text)
{
	return (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) &&
	       slice_eq(slice_of(reply->str, (size_t)reply->len), slice_text(text));
}

static bool is_array_of(const redisReply *reply, size_t n, const char *first)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements >= n &&
	       is_text(reply->element[0], first);
}

static bool is_ok(const redisReply *reply)
{
	return is_text(reply, "OK");
}

static bool is_master(const redisReply *reply)
{
	return is_array_of(reply, 1, "master");
}

static bool is_pong(const redisReply *reply)
{
	return is_text(reply, "PONG");
}

static bool is_subscribed(const redisReply *reply)
{
	return is_array_of(reply, 3, "subscribe");
}

static bool needs_auth(struct redis_common *common, enum redis_role role)
{
	char *password = password_of(common, role);
	bool is_needed = user_of(common, role)[0] || (password && password[0]);

	free(password);
	return is_needed;
}

static bool needs_select(struct redis_common *common, enum redis_role role)
{
	return role != REDIS_ROLE_SENTINEL && common->url.db != 0;
}

static bool needs_role(struct redis_common *common, enum redis_role role)
{
	return common->url.mode == REDIS_MODE_SENTINEL && role != REDIS_ROLE_SENTINEL &&
	       role != REDIS_ROLE_REPLICA;
}

static bool needs_ping(struct redis_common *common, enum redis_role role)
{
	(void)common;
	(void)role;
	return true;
}

static bool needs_subscribe(struct redis_common *common, enum redis_role role)
{
	(void)common;
	return role == REDIS_ROLE_SUBSCRIBER;
}

static const struct {
	bool (*is_needed)(struct redis_common *common, enum redis_role role);
	struct slice (*make)(struct redis_common *common, enum redis_role role);
	bool (*is_fine)(const redisReply *reply);
	const char *fault;
} steps[] = {
    [REDIS_LOGIN_AUTH] = {needs_auth, make_auth, is_ok, "no reply to AUTH"},
    [REDIS_LOGIN_SELECT] = {needs_select, make_select, is_ok, "no reply to SELECT"},
    [REDIS_LOGIN_ROLE] = {needs_role, make_role, is_master, "not the master"},
    [REDIS_LOGIN_PING] = {needs_ping, make_ping, is_pong, "no reply to PING"},
    [REDIS_LOGIN_SUBSCRIBE] = {needs_subscribe, make_subscribe, is_subscribed,
			       "no reply to SUBSCRIBE"},
};

enum redis_login redis_login_next(enum redis_login step, struct redis_common *common,
				  enum redis_role role)
{
	while (step < REDIS_LOGIN_DONE && !steps[step].is_needed(common, role))
		step++;
	return step;
}

struct slice redis_login_command(enum redis_login step, struct redis_common *common,
				 enum redis_role role)
{
	return steps[step].make(common, role);
}

const char *redis_login_judge(enum redis_login step, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR)
		return reply->str;
	return steps[step].is_fine(reply) ? NULL : steps[step].fault;
}

bool redis_login_message(const redisReply *reply, struct slice *out_message)
{
	if (!is_array_of(reply, 3, "message") || reply->element[2]->type != REDIS_REPLY_STRING)
		return false;
	*out_message = slice_of(reply->element[2]->str, (size_t)reply->element[2]->len);
	return true;
}
