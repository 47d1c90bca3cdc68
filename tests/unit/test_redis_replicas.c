/* SPDX-License-Identifier: ISC */
/* What sentinels say of replicas, and servers of their place in the replication. How replicas are
 * used is test_redis_route.c's matter. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/bytes.h"
#include "io/redis_position.h"
#include "io/redis_replicas.h"

#define MASTER(rest)  "# Replication\r\nrole:master\r\nconnected_slaves:1\r\n" rest
#define REPLICA(rest) "# Replication\r\nrole:slave\r\nmaster_link_status:up\r\n" rest

Test(redis_replicas, the_place_in_the_replication_is_read)
{
	static const struct {
		const char *info;
		bool is_fine, is_master;
		uint64_t offset;
	} rows[] = {
	    {MASTER("master_replid:abc\r\nmaster_repl_offset:17\r\n"), true, true, 17},
	    {MASTER("master_replid:abc\nmaster_repl_offset:17"), true, true, 17},
	    {REPLICA("slave_read_repl_offset:99\r\nslave_repl_offset:5\r\nmaster_replid:abc\r\n"
		     "master_repl_offset:99\r\n"),
	     true, false, 5},
	    {MASTER("master_replid:abc\r\nmaster_repl_offset:18446744073709551616\r\n"), false,
	     false, 0},
	    {MASTER("master_replid:abc\r\nmaster_repl_offset:-1\r\n"), false, false, 0},
	    {MASTER("master_replid:abc\r\n"), false, false, 0},
	    {MASTER("master_replid:\r\nmaster_repl_offset:17\r\n"), false, false, 0},
	    {MASTER("master_replid:0123456789012345678901234567890123456789012345678901234567890123"
		    "\r\nmaster_repl_offset:17\r\n"),
	     false, false, 0},
	    {REPLICA("master_replid:abc\r\nmaster_repl_offset:17\r\n"), false, false, 0},
	    {"master_replid:abc\r\nmaster_repl_offset:17\r\n", false, false, 0},
	    {"role:sentinel\r\nmaster_replid:abc\r\nmaster_repl_offset:17\r\n", false, false, 0},
	    {"", false, false, 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct redis_position position = {.offset = 4711};
		err_t err = redis_position_read(slice_text(rows[i].info), &position);

		cr_expect_eq(err, rows[i].is_fine ? OK : ERR_SYNTAX, "%s", rows[i].info);
		cr_expect_eq(position.offset, rows[i].is_fine ? rows[i].offset : 4711, "%s",
			     rows[i].info);
		if (rows[i].is_fine)
			cr_expect(position.is_master == rows[i].is_master &&
				  strcmp(position.replid, "abc") == 0);
	}
}

#define FIELDS(n)	  "*" #n "\r\n"
#define FIELD(name, text) name "\r\n" text "\r\n"
#define IP		  FIELD("$2\r\nip", "$9\r\n127.0.0.1")
#define PORT		  FIELD("$4\r\nport", "$4\r\n6380")
#define LINK_OK		  FIELD("$18\r\nmaster-link-status", "$2\r\nok")
#define FLAGS(len, flags) FIELD("$5\r\nflags", "$" #len "\r\n" flags)

static size_t read_replicas(const char *text, struct redis_address addresses[REDIS_MAX_REPLICAS])
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;
	size_t n;

	cr_assert_eq(redisReaderFeed(reader, text, strlen(text)), REDIS_OK);
	cr_assert_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	cr_assert_not_null(reply, "%s", text);
	n = redis_replicas_read(reply, addresses);
	freeReplyObject(reply);
	redisReaderFree(reader);
	return n;
}

Test(redis_replicas, only_those_that_the_sentinel_takes_for_healthy)
{
	static const struct {
		const char *reply;
		size_t n;
	} rows[] = {
	    {"*0\r\n", 0},
	    {"*1\r\n" FIELDS(8) FLAGS(5, "slave") IP PORT LINK_OK, 1},
	    {"*1\r\n" FIELDS(8) FLAGS(12, "slave,s_down") IP PORT LINK_OK, 0},
	    {"*1\r\n" FIELDS(8) FLAGS(12, "o_down,slave") IP PORT LINK_OK, 0},
	    {"*1\r\n" FIELDS(8) FLAGS(25, "s_down,slave,disconnected") IP PORT LINK_OK, 0},
	    {"*1\r\n" FIELDS(8) FLAGS(18, "slave,disconnected") IP PORT LINK_OK, 0},
	    {"*1\r\n" FIELDS(8) FLAGS(5, "slave")
		 IP PORT FIELD("$18\r\nmaster-link-status", "$3\r\nerr"),
	     0},
	    {"*1\r\n" FIELDS(6) FLAGS(5, "slave") IP PORT, 0},
	    {"*1\r\n" FIELDS(6) FLAGS(5, "slave") IP LINK_OK, 0},
	    {"*1\r\n" FIELDS(6) FLAGS(5, "slave") PORT LINK_OK, 0},
	    {"*1\r\n" FIELDS(7) FLAGS(5, "slave") IP LINK_OK "$4\r\nport\r\n", 0},
	    {"*1\r\n$5\r\nslave\r\n", 0},
	    {"-NOPERM no\r\n", 0},
	    {"$-1\r\n", 0},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct redis_address addresses[REDIS_MAX_REPLICAS];

		cr_expect_eq(read_replicas(rows[i].reply, addresses), rows[i].n, "%s",
			     rows[i].reply);
		if (rows[i].n > 0)
			cr_expect(addresses[0].port == 6380 &&
				  strcmp(addresses[0].host, "127.0.0.1") == 0);
	}
}

Test(redis_replicas, those_beyond_the_limit_are_left_out)
{
	struct redis_address addresses[REDIS_MAX_REPLICAS];
	char text[8192] = "*20\r\n";

	for (unsigned i = 0; i < 20; i++)
		strcat(text, FIELDS(8) FLAGS(5, "slave") IP PORT LINK_OK);
	cr_expect_eq(read_replicas(text, addresses), REDIS_MAX_REPLICAS);
}
