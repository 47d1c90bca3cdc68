/* SPDX-License-Identifier: ISC */
/* Slots, and what nodes say of them, well-formed or not. */
#include <criterion/criterion.h>

#include "base/bytes.h"
#include "io/redis_slots.h"

static const struct redis_address asked = {.host = "192.0.2.9", .port = 7000};

Test(redis_slots, slots_are_those_of_the_specification)
{
	static const struct {
		const char *key;
		unsigned slot;
	} rows[] = {
	    {"123456789", 0x31c3}, {"", 0},
	    {"foo", 12182},	   {"{foo}bar", 12182},
	    {"bar{foo}", 12182},   {"a{foo}{bar}", 12182},
	    {"{}foo", 9500},	   {"{foo", 13308},
	    {"foo{}{bar}", 8363}, /* no tags */
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		cr_expect_eq(redis_slot(slice_text(rows[i].key)), rows[i].slot, "%s: %u",
			     rows[i].key, redis_slot(slice_text(rows[i].key)));
}

Test(redis_slots, redirections)
{
	static const struct {
		const char *error;
		enum redis_redirection what;
		unsigned slot;
		const char *to;
	} rows[] = {
	    {"MOVED 3999 127.0.0.1:6381", REDIS_MOVED, 3999, "127.0.0.1:6381"},
	    {"ASK 16383 redis-1.example:6381", REDIS_ASK, 16383, "redis-1.example:6381"},
	    {"MOVED 1 :6381", REDIS_MOVED, 1, "192.0.2.9:6381"},
	    {"MOVED 1 ?:6381", REDIS_MOVED, 1, "192.0.2.9:6381"},
	    {"MOVED 1 2001:db8::1:6381", REDIS_MOVED, 1, "[2001:db8::1]:6381"},
	    {"MOVED", REDIS_STAY, 0, NULL},
	    {"MOVED 1", REDIS_STAY, 0, NULL},
	    {"MOVED x 127.0.0.1:1", REDIS_STAY, 0, NULL},
	    {"MOVED 16384 127.0.0.1:1", REDIS_STAY, 0, NULL},
	    {"MOVED 1 127.0.0.1", REDIS_STAY, 0, NULL},
	    {"MOVED 1 127.0.0.1:0", REDIS_STAY, 0, NULL},
	    {"MOVED 1 127.0.0.1:65536", REDIS_STAY, 0, NULL},
	    {"MOVED 1 127.0.0.1:x", REDIS_STAY, 0, NULL},
	    {"ERR unknown command", REDIS_STAY, 0, NULL},
	    {"", REDIS_STAY, 0, NULL},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct redis_address to;
		char text[REDIS_ADDRESS_SIZE];
		unsigned slot;

		cr_expect_eq(redis_redirection(slice_text(rows[i].error), &asked, &slot, &to),
			     rows[i].what, "%s", rows[i].error);
		if (rows[i].what == REDIS_STAY)
			continue;
		redis_address_text(text, &to);
		cr_expect_eq(slot, rows[i].slot);
		cr_expect_str_eq(text, rows[i].to);
	}
}

/* The reply that these octets are. */
static redisReply *reply_of(const char *octets)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;

	redisReaderFeed(reader, octets, strlen(octets));
	cr_assert_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	cr_assert_not_null(reply, "%s", octets);
	redisReaderFree(reader);
	return reply;
}

#define NODE(host, port) "*3\r\n$9\r\n" host "\r\n:" port "\r\n$2\r\nid\r\n"

Test(redis_slots, a_map)
{
	static struct redis_map map;
	redisReply *reply =
	    reply_of("*3\r\n"
		     "*4\r\n:0\r\n:5000\r\n" NODE("192.0.2.1", "1")
			 NODE("192.0.2.2", "2") "*3\r\n:5001\r\n:5001\r\n*2\r\n$-1\r\n:3\r\n"
						"*3\r\n:6000\r\n:16383\r\n" NODE("192.0.2.1", "1"));

	cr_assert_eq(redis_map_read(reply, &asked, &map), OK);
	cr_expect_eq(map.n, 2);
	cr_expect_str_eq(map.nodes[0].host, "192.0.2.1");
	cr_expect_str_eq(map.nodes[1].host, asked.host, "a node that does not know its name");
	cr_expect_eq(map.nodes[1].port, 3);
	cr_expect_eq(map.node_of[0], 0);
	cr_expect_eq(map.node_of[5000], 0);
	cr_expect_eq(map.node_of[5001], 1);
	cr_expect_eq(map.node_of[5002], REDIS_NO_NODE);
	cr_expect_eq(map.node_of[16383], 0);
	freeReplyObject(reply);
}

Test(redis_slots, what_is_no_map)
{
	static const char *const rows[] = {
	    "+OK\r\n",
	    "-ERR x\r\n",
	    "*0\r\n",
	    "$1\r\nx\r\n",
	    "*1\r\n:1\r\n",
	    "*1\r\n*2\r\n:0\r\n:1\r\n",
	    "*1\r\n*3\r\n:0\r\n:16384\r\n" NODE("192.0.2.1", "1"),
	    "*1\r\n*3\r\n:-1\r\n:1\r\n" NODE("192.0.2.1", "1"),
	    "*1\r\n*3\r\n$1\r\n0\r\n:1\r\n" NODE("192.0.2.1", "1"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n:1\r\n",
	    "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n",
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE("192.0.2.1", "0"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE("192.0.2.1", "65536"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n" NODE("192.0.2.1", "-1"),
	    "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
	};
	static struct redis_map map;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		redisReply *reply = reply_of(rows[i]);

		cr_expect_eq(redis_map_read(reply, &asked, &map), ERR_SYNTAX, "%s", rows[i]);
		freeReplyObject(reply);
	}
}
