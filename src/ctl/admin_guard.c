/* SPDX-License-Identifier: ISC */
/* The checks, one row each. */
#include "ctl/admin_guard.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>
#include <event2/util.h>

#include "base/bytes.h"
#include "core/digest.h"

struct visit {
	const struct admin_door *door;
	const char *type;
	struct evhttp_request *request;
};

static const char *field(const struct visit *visit, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(visit->request), name);
}

static bool is_unix(const struct visit *visit)
{
	return strncmp(visit->door->address, "unix:", 5) == 0;
}

/* Compared by their digests, so that the time it takes tells neither octets nor length. */
static bool has_token(const struct visit *visit)
{
	static const char scheme[] = "Bearer ";
	const char *given = field(visit, "Authorization"), *token = visit->door->token;
	uint8_t of_given[SHA256_LEN], of_token[SHA256_LEN];

	if (given == NULL || token == NULL || token[0] == '\0' ||
	    strncasecmp(given, scheme, sizeof(scheme) - 1) != 0)
		return false;
	return digest_sha256(slice_text(given + sizeof(scheme) - 1), of_given) &&
	       digest_sha256(slice_text(token), of_token) &&
	       CRYPTO_memcmp(of_given, of_token, SHA256_LEN) == 0;
}

/* Host without its port and brackets: "localhost", "192.0.2.1", "2001:db8::1". */
static struct slice host_of(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct slice host = slice_text(text);
	size_t len;

	if (text[0] == '[') {
		len = strcspn(text, "]");
		return slice_of(text + 1, len - 1);
	}
	return colon ? slice_take(host, (size_t)(colon - text)) : host;
}

static bool is_same(struct slice a, struct slice b)
{
	return a.len == b.len && strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0;
}

/* A page that a browser got from elsewhere may have its own name lead to us; it has no token. To a
 * Unix socket it comes through a tunnel; other programs ask that for whatever they like, but hardly
 * for a name in the DNS. */
static bool has_strange_host(const struct visit *visit)
{
	const char *text = field(visit, "Host");
	struct slice host;
	char copy[64];
	uint8_t address[16];

	if (text == NULL || has_token(visit))
		return false;
	host = host_of(text);
	if (is_unix(visit) && memchr(host.p, '.', host.len) == NULL)
		return false;
	if (is_same(host, slice_text("localhost")) || is_same(host, host_of(visit->door->address)))
		return false;
	if (host.len >= sizeof(copy))
		return true;
	memcpy(copy, host.p, host.len);
	copy[host.len] = '\0';
	return evutil_inet_pton(AF_INET, copy, address) != 1 &&
	       evutil_inet_pton(AF_INET6, copy, address) != 1;
}

static bool is_from_page(const struct visit *visit)
{
	return field(visit, "Origin") != NULL || field(visit, "Sec-Fetch-Site") != NULL;
}

/* Browsers do not send this one elsewhere without asking first. */
static bool has_other_type(const struct visit *visit)
{
	const char *type = field(visit, "Content-Type");
	size_t len = type ? strcspn(type, "; ") : 0;

	return !is_same(slice_of(type, len), slice_text(visit->type));
}

static bool has_no_right(const struct visit *visit)
{
	return !is_unix(visit) && !has_token(visit);
}

static const struct {
	enum admin_ask least;
	bool (*is_bad)(const struct visit *visit);
	struct admin_refusal refusal;
} checks[] = {
    {ADMIN_READ,
     has_strange_host,
     {403, "ask by address, as localhost or by the name in the option admin, or with the token"}},
    {ADMIN_CHANGE, is_from_page, {403, "web pages may not ask for this"}},
    {ADMIN_CHANGE,
     has_no_right,
     {403, "this needs the Unix socket, or the token of admin_token_file"}},
    {ADMIN_CHANGE, has_other_type, {415, "this needs another Content-Type"}},
};

const struct admin_refusal *admin_guard(const struct admin_door *door, enum admin_ask ask,
					const char *type, struct evhttp_request *request)
{
	const struct visit visit = {.door = door, .type = type, .request = request};

	for (size_t i = 0; i < N_ELEMENTS(checks); i++) {
		if (ask >= checks[i].least && checks[i].is_bad(&visit))
			return &checks[i].refusal;
	}
	return NULL;
}
