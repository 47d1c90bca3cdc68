/* SPDX-License-Identifier: ISC */
/* Lines of INFO. */
#include "io/redis_position.h"

#include <string.h>

#include "base/bytes.h"

/* What follows name in a line that begins with it. */
static struct slice field(struct slice info, const char *name)
{
	const size_t len = strlen(name);

	while (info.len > 0) {
		const uint8_t *end = memchr(info.p, '\n', info.len);
		struct slice line = slice_take(info, end ? (size_t)(end - info.p) : info.len);

		info = slice_skip(info, line.len + (end ? 1 : 0));
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (slice_eq(slice_take(line, len), slice_text(name)))
			return slice_skip(line, len);
	}
	return slice_of(NULL, 0);
}

err_t redis_position_read(struct slice info, struct redis_position *out)
{
	struct redis_position position = {.offset = 0};
	struct slice role = field(info, "role:"), replid = field(info, "master_replid:");
	err_t err;

	position.is_master = slice_eq(role, slice_text("master"));
	if ((!position.is_master && !slice_eq(role, slice_text("slave"))) || replid.len == 0 ||
	    replid.len >= sizeof(position.replid))
		return ERR_SYNTAX;
	memcpy(position.replid, replid.p, replid.len);
	err = decimal_decode(
	    field(info, position.is_master ? "master_repl_offset:" : "slave_repl_offset:"),
	    UINT64_MAX, &position.offset);
	if (err == OK)
		*out = position;
	return err == OK ? OK : ERR_SYNTAX;
}

struct redis_call *redis_position_ask(struct redis_link *link, redis_reply_fn *fn, void *arg)
{
	const struct slice command = slice_text("*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n");

	return redis_link_call(link, command, REDIS_PATIENT, fn, arg);
}

const char *redis_position_of_reply(const redisReply *reply, struct redis_position *out)
{
	if (reply->type == REDIS_REPLY_ERROR)
		return reply->str;
	if (reply->type != REDIS_REPLY_STRING ||
	    redis_position_read(slice_of(reply->str, (size_t)reply->len), out) != OK)
		return "does not tell its place in the replication";
	return NULL;
}

bool redis_position_has(const struct redis_position *replica, const struct redis_position *master)
{
	return master->replid[0] != '\0' && strcmp(replica->replid, master->replid) == 0 &&
	       replica->offset >= master->offset;
}
