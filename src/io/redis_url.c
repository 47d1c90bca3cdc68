/* SPDX-License-Identifier: ISC */
/* The words after the scheme, cut off one by one from the front. */
#include "io/redis_url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/bytes.h"

#define MAX_DB 65535

static const char need_host[] =
    "a host after the slashes: a name, an IPv4 address, or an IPv6 address in brackets";
static const char need_port[] = "a port of 1 to 65535 after the host's colon";
static const char need_db[] = "the number of a database, 0 to 65535, after the last slash";
static const char need_user[] = "a user of 1 to 127 visible characters before the @";
static const char no_password[] = "no password in the URL: it belongs into redis { password_file }";
static const char need_master[] = "the name of a master after the sentinels: .../mymaster";
static const char no_db[] = "no database: a cluster has only one";
static const char too_many[] = "at most 16 hosts";
static const char need_path[] = "the absolute path of a socket, of at most 107 octets";
static const char need_query[] = "?db=NUMBER and ?user=NAME behind the path, joined by &";

/* --- words ------------------------------------------------------------------------------------ */

/* What stands before the first c, which is cut off with it; all of text if there is none. */
static struct slice cut(struct slice *text, char c)
{
	const uint8_t *at = text->len > 0 ? memchr(text->p, c, text->len) : NULL;
	struct slice word = slice_take(*text, at ? (size_t)(at - text->p) : text->len);

	*text = slice_skip(*text, word.len + (at ? 1 : 0));
	return word;
}

static bool has(struct slice text, char c)
{
	return text.len > 0 && memchr(text.p, c, text.len) != NULL;
}

static bool copy_name(char dst[REDIS_NAME_SIZE], struct slice name)
{
	if (name.len == 0 || name.len >= REDIS_NAME_SIZE)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] <= ' ' || name.p[i] == 0x7f)
			return false;
	}
	memcpy(dst, name.p, name.len);
	dst[name.len] = '\0';
	return true;
}

static const char *parse_db(struct slice text, struct redis_url *out)
{
	uint64_t db = 0;

	if (text.len > 0 && decimal_decode(text, MAX_DB, &db) != OK)
		return need_db;
	out->db = (unsigned)db;
	return NULL;
}

static const char *parse_user(struct slice user, struct redis_url *out)
{
	if (has(user, ':'))
		return no_password;
	return copy_name(out->user, user) ? NULL : need_user;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static bool is_name(struct slice host)
{
	for (size_t i = 0; i < host.len; i++) {
		uint8_t c = host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '-' || c == '_'))
			return false;
	}
	return host.len > 0;
}

static bool is_ipv6(struct slice host)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET6, text, bytes) == 1;
}

bool redis_address_make(struct redis_address *out, struct slice host, uint64_t port)
{
	if (host.len == 0 || host.len >= REDIS_HOST_SIZE || port == 0 || port > 65535 ||
	    memchr(host.p, '\0', host.len))
		return false;
	*out = (struct redis_address){.port = (uint16_t)port};
	memcpy(out->host, host.p, host.len);
	return true;
}

static const char *parse_host(struct slice text, uint64_t port, struct redis_address *out)
{
	struct slice host;

	if (text.len > 0 && text.p[0] == '[') {
		text = slice_skip(text, 1);
		if (!has(text, ']'))
			return need_host;
		host = cut(&text, ']');
		if (!is_ipv6(host) || (text.len > 0 && text.p[0] != ':'))
			return need_host;
		if (text.len == 1)
			return need_port;
		text = slice_skip(text, 1);
	} else {
		bool has_port = has(text, ':');

		host = cut(&text, ':');
		if (!is_name(host))
			return need_host;
		if (has_port && text.len == 0)
			return need_port;
	}
	if (text.len > 0 && decimal_decode(text, 65535, &port) != OK)
		return need_port;
	if (port == 0)
		return need_port;
	return redis_address_make(out, host, port) ? NULL : need_host;
}

static const char *parse_hosts(struct slice text, uint64_t port, struct redis_url *out)
{
	do {
		bool has_more = has(text, ',');
		const char *fault;

		if (out->n_seeds == REDIS_MAX_SEEDS)
			return too_many;
		fault = parse_host(cut(&text, ','), port, &out->seeds[out->n_seeds++]);
		if (fault)
			return fault;
		if (has_more && text.len == 0)
			return need_host;
	} while (text.len > 0);
	return NULL;
}

/* Cuts "user@host,host" off the front. */
static const char *parse_authority(struct slice *text, uint64_t port, struct redis_url *out)
{
	struct slice authority = cut(text, '/');
	const char *fault = NULL;

	if (has(authority, '@'))
		fault = parse_user(cut(&authority, '@'), out);
	if (!fault && has(authority, '@'))
		fault = no_password; /* the @ may have been one of it */
	return fault ? fault : parse_hosts(authority, port, out);
}

/* --- the kinds -------------------------------------------------------------------------------- */

static const char *parse_single(struct slice text, struct redis_url *out)
{
	const char *fault = parse_authority(&text, 6379, out);

	if (!fault && out->n_seeds > 1)
		return "one host; several are redis+sentinel:// or redis+cluster://";
	return fault ? fault : parse_db(text, out);
}

static const char *parse_sentinel(struct slice text, struct redis_url *out)
{
	const char *fault = parse_authority(&text, 26379, out);

	if (!fault && !copy_name(out->master, cut(&text, '/')))
		return need_master;
	return fault ? fault : parse_db(text, out);
}

static const char *parse_cluster(struct slice text, struct redis_url *out)
{
	const char *fault = parse_authority(&text, 6379, out);

	return fault || text.len == 0 ? fault : no_db;
}

static const char *parse_query(struct slice query, struct redis_url *out)
{
	while (query.len > 0) {
		struct slice value = cut(&query, '&'), name = cut(&value, '=');
		const char *fault = need_query;

		if (slice_eq(name, slice_text("db")))
			fault = value.len > 0 ? parse_db(value, out) : need_db;
		else if (slice_eq(name, slice_text("user")))
			fault = parse_user(value, out);
		if (fault)
			return fault;
	}
	return NULL;
}

static const char *parse_unix(struct slice text, struct redis_url *out)
{
	struct slice path = cut(&text, '?');

	if (path.len < 2 || path.p[0] != '/' ||
	    path.len >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return need_path;
	memcpy(out->seeds[0].host, path.p, path.len);
	out->n_seeds = 1;
	return parse_query(text, out);
}

static const struct {
	const char *scheme;
	const char *(*parse)(struct slice text, struct redis_url *out);
	enum redis_mode mode;
	bool has_tls;
} schemes[] = {
    {"redis://", parse_single, REDIS_MODE_SINGLE, false},
    {"rediss://", parse_single, REDIS_MODE_SINGLE, true},
    {"redis+unix:", parse_unix, REDIS_MODE_SINGLE, false},
    {"redis+sentinel://", parse_sentinel, REDIS_MODE_SENTINEL, false},
    {"rediss+sentinel://", parse_sentinel, REDIS_MODE_SENTINEL, true},
    {"redis+cluster://", parse_cluster, REDIS_MODE_CLUSTER, false},
    {"rediss+cluster://", parse_cluster, REDIS_MODE_CLUSTER, true},
};

const char *redis_url_parse(const char *url, struct redis_url *out)
{
	for (size_t i = 0; i < N_ELEMENTS(schemes); i++) {
		size_t len = strlen(schemes[i].scheme);

		if (strncmp(url, schemes[i].scheme, len) != 0)
			continue;
		*out = (struct redis_url){.mode = schemes[i].mode, .has_tls = schemes[i].has_tls};
		return schemes[i].parse(slice_text(url + len), out);
	}
	return "redis://, rediss://, redis+unix:/, redis+sentinel:// or redis+cluster://";
}

void redis_address_text(char dst[REDIS_ADDRESS_SIZE], const struct redis_address *address)
{
	if (address->port == 0)
		snprintf(dst, REDIS_ADDRESS_SIZE, "%s", address->host);
	else if (strchr(address->host, ':'))
		snprintf(dst, REDIS_ADDRESS_SIZE, "[%s]:%u", address->host, address->port);
	else
		snprintf(dst, REDIS_ADDRESS_SIZE, "%s:%u", address->host, address->port);
}

bool redis_address_eq(const struct redis_address *a, const struct redis_address *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}
