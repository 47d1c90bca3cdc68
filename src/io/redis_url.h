/* SPDX-License-Identifier: ISC */
/*
 * The URLs of stores in Redis or Valkey, taken apart:
 *
 *	redis://[user@]host[:6379][/db]
 *	redis+unix:/path[?db=N][&user=NAME]
 *	redis+sentinel://[user@]host[:26379],.../master[/db]
 *	redis+cluster://[user@]host[:6379],...
 *
 * and with rediss for TLS, except the Unix socket. A host is a name, an IPv4 address, or an IPv6
 * address in brackets. There is no place for a password: URLs are shown and logged.
 */
#ifndef OCSPRELAY_IO_REDIS_URL_H
#define OCSPRELAY_IO_REDIS_URL_H

#include "types.h"

#define REDIS_MAX_SEEDS 16
#define REDIS_HOST_SIZE 256
#define REDIS_NAME_SIZE 128

struct redis_address {
	char host[REDIS_HOST_SIZE]; /* or the path of a Unix socket */
	uint16_t port;		    /* 0: a Unix socket */
};

enum redis_mode {
	REDIS_MODE_SINGLE,
	REDIS_MODE_SENTINEL,
	REDIS_MODE_CLUSTER
};

struct redis_url {
	enum redis_mode mode;
	bool has_tls;
	char user[REDIS_NAME_SIZE];   /* "": the default user */
	char master[REDIS_NAME_SIZE]; /* what the sentinels call it */
	unsigned db;
	size_t n_seeds;
	struct redis_address seeds[REDIS_MAX_SEEDS]; /* the server, the sentinels, some nodes */
};

/* NULL: *out is filled. Else what is allowed where url is wrong; *out is then undefined. */
const char *redis_url_parse(const char *url, struct redis_url *out);

/* "host:port", "[host]:port" or the path, NUL-terminated. */
#define REDIS_ADDRESS_SIZE (REDIS_HOST_SIZE + 8)
void redis_address_text(char dst[REDIS_ADDRESS_SIZE], const struct redis_address *address);
bool redis_address_eq(const struct redis_address *a, const struct redis_address *b);

/* Fills *out, if host fits. */
MUST_CHECK bool redis_address_make(struct redis_address *out, struct slice host, uint64_t port);

#endif
