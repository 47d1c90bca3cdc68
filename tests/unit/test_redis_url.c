/* SPDX-License-Identifier: ISC */
/* The URLs of Redis: what is understood, and what is said of each mistake. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/bytes.h"
#include "io/redis_url.h"

Test(redis_url, good_ones)
{
	static const struct {
		const char *url;
		enum redis_mode mode;
		bool has_tls;
		unsigned db;
		size_t n;
		const char *user, *master, *first, *last;
	} rows[] = {
	    {"redis://a", REDIS_MODE_SINGLE, false, 0, 1, "", "", "a:6379", "a:6379"},
	    {"redis://a/", REDIS_MODE_SINGLE, false, 0, 1, "", "", "a:6379", "a:6379"},
	    {"redis://a-1.b_c:1/7", REDIS_MODE_SINGLE, false, 7, 1, "", "", "a-1.b_c:1",
	     "a-1.b_c:1"},
	    {"redis://me@192.0.2.1:65535/65535", REDIS_MODE_SINGLE, false, 65535, 1, "me", "",
	     "192.0.2.1:65535", "192.0.2.1:65535"},
	    {"rediss://[::1]/1", REDIS_MODE_SINGLE, true, 1, 1, "", "", "[::1]:6379", "[::1]:6379"},
	    {"redis://[2001:db8::1]:7000", REDIS_MODE_SINGLE, false, 0, 1, "", "",
	     "[2001:db8::1]:7000", "[2001:db8::1]:7000"},
	    {"redis+unix:/run/redis.sock", REDIS_MODE_SINGLE, false, 0, 1, "", "",
	     "/run/redis.sock", "/run/redis.sock"},
	    {"redis+unix:/r?db=3&user=me", REDIS_MODE_SINGLE, false, 3, 1, "me", "", "/r", "/r"},
	    {"redis+sentinel://a,b:1,[::1]/main/2", REDIS_MODE_SENTINEL, false, 2, 3, "", "main",
	     "a:26379", "[::1]:26379"},
	    {"rediss+sentinel://me@a/main", REDIS_MODE_SENTINEL, true, 0, 1, "me", "main",
	     "a:26379", "a:26379"},
	    {"redis+cluster://a,b:7001", REDIS_MODE_CLUSTER, false, 0, 2, "", "", "a:6379",
	     "b:7001"},
	    {"rediss+cluster://me@a/", REDIS_MODE_CLUSTER, true, 0, 1, "me", "", "a:6379",
	     "a:6379"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct redis_url url;
		char text[REDIS_ADDRESS_SIZE];
		const char *fault = redis_url_parse(rows[i].url, &url);

		cr_expect_null(fault, "%s: %s", rows[i].url, fault);
		if (fault)
			continue;
		cr_expect_eq(url.mode, rows[i].mode, "%s", rows[i].url);
		cr_expect_eq(url.has_tls, rows[i].has_tls, "%s", rows[i].url);
		cr_expect_eq(url.db, rows[i].db, "%s", rows[i].url);
		cr_expect_eq(url.n_seeds, rows[i].n, "%s", rows[i].url);
		cr_expect_str_eq(url.user, rows[i].user);
		cr_expect_str_eq(url.master, rows[i].master);
		redis_address_text(text, &url.seeds[0]);
		cr_expect_str_eq(text, rows[i].first);
		redis_address_text(text, &url.seeds[url.n_seeds - 1]);
		cr_expect_str_eq(text, rows[i].last);
	}
}

Test(redis_url, mistakes)
{
	static const char host[] = "a host after the slashes", port[] = "a port of 1 to 65535",
			  db[] = "the number of a database", user[] = "a user of",
			  password[] = "no password in the URL", path[] = "the absolute path",
			  query[] = "?db=NUMBER", scheme[] = "redis://, rediss://";
	static const struct {
		const char *url, *fault;
	} rows[] = {
	    {"", scheme},
	    {"redis:a", scheme},
	    {"redis+nonsense://a", scheme},
	    {"redis://", host},
	    {"redis:///0", host},
	    {"redis://:6379", host},
	    {"redis://a b", host},
	    {"redis://::1", host},
	    {"redis://[::1", host},
	    {"redis://[::g]", host},
	    {"redis://[::1]x", host},
	    {"redis://[127.0.0.1]", host},
	    {"redis://a:", port},
	    {"redis://[::1]:", port},
	    {"redis://a:0", port},
	    {"redis://a:65536", port},
	    {"redis://a:x", port},
	    {"redis://a:-1", port},
	    {"redis://a/x", db},
	    {"redis://a/65536", db},
	    {"redis://a/0/1", db},
	    {"redis://a?db=1", host},
	    {"redis://@a", user},
	    {"redis://a b@c", user},
	    {"redis://me:secret@a", password},
	    {"redis://:secret@a", password},
	    {"redis://me@secret@a", password},
	    {"redis://a,b", "one host"},
	    {"redis+unix:", path},
	    {"redis+unix:r.sock", path},
	    {"redis+unix:/", path},
	    {"redis+unix:/r?x=1", query},
	    {"redis+unix:/r?db", db},
	    {"redis+unix:/r?db=", db},
	    {"redis+unix:/r?db=x", db},
	    {"redis+unix:/r?user=", user},
	    {"redis+unix:/r?user=me:secret", password},
	    {"redis+sentinel://a", "the name of a master"},
	    {"redis+sentinel://a/", "the name of a master"},
	    {"redis+sentinel://a//1", "the name of a master"},
	    {"redis+sentinel://a/main/x", db},
	    {"redis+sentinel://a,/main", host},
	    {"redis+sentinel://,a/main", host},
	    {"redis+cluster://a/1", "no database"},
	    {"redis+cluster://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "at most 16 hosts"},
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct redis_url url;
		const char *fault = redis_url_parse(rows[i].url, &url);

		cr_expect(fault && strncmp(fault, rows[i].fault, strlen(rows[i].fault)) == 0,
			  "%s: %s", rows[i].url, fault ? fault : "accepted");
	}
}

Test(redis_url, what_is_too_long)
{
	char text[600];
	struct redis_url url;

	snprintf(text, sizeof(text), "redis://%0255d", 0);
	cr_expect_null(redis_url_parse(text, &url));
	snprintf(text, sizeof(text), "redis://%0256d", 0);
	cr_expect_not_null(redis_url_parse(text, &url));
	snprintf(text, sizeof(text), "redis://%0127d@a", 0);
	cr_expect_null(redis_url_parse(text, &url));
	snprintf(text, sizeof(text), "redis://%0128d@a", 0);
	cr_expect_not_null(redis_url_parse(text, &url));
	snprintf(text, sizeof(text), "redis+unix:/%0106d", 0);
	cr_expect_null(redis_url_parse(text, &url));
	snprintf(text, sizeof(text), "redis+unix:/%0107d", 0);
	cr_expect_not_null(redis_url_parse(text, &url));
}
