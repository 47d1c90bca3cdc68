/* SPDX-License-Identifier: ISC */
/*
 * What is legal but unwise, as far as it takes certificates, or the machine, to see it; what the
 * file alone shows is said when it is read (config_check.h). Nothing of it keeps the relay from
 * starting.
 */
#include "cmd/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/dates.h"
#include "core/upstream_url.h"
#include "ctl/certificates.h"
#include "ctl/config.h"
#include "io/files.h"
#include "io/privileges.h"

#define SMALL_MEMORY 4194304
#define SOON	     (14 * 86400)
#define MIN_SECURITY 112 /* bits: RSA 2048 (NIST SP 800-57) */

static PRINTF_LIKE(3, 4) void doubt(struct check *check, const char *where, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	buf_printf(&check->config_messages, "%s: warning: %s\n", where, text);
}

/* As doubt, about the i-th word of an option: with its line, if it stands in the file. */
static PRINTF_LIKE(5, 6) void doubt_option(struct check *check, const struct settings *settings,
					   const char *option, size_t i, const char *fmt, ...)
{
	const struct settings_place *place = settings_place(settings, option, i);
	char where[4096], text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (place != NULL)
		snprintf(where, sizeof(where), "%s:%u", place->file, place->line);
	doubt(check, place != NULL ? where : check->config, "%s", text);
}

/* --- of the relay ----------------------------------------------------------------------------- */

/* Only a doubt: who does not start as root needs no user, and most have that of the defaults. */
static void doubt_user(struct check *check, const struct settings *settings)
{
	const char *user = settings->top.user;

	if (privileges_check(user) != OK)
		doubt_option(check, settings, "user", 0,
			     "user = \"%s\": started as root, serve will end with %s", user,
			     PRIVILEGES_NO_USER);
}

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

static bool is_local(const char *address)
{
	return begins(address, "unix:") || begins(address, "127.") ||
	       begins(address, "localhost:") || begins(address, "[::1]:");
}

static void doubt_admin(struct check *check)
{
	const struct settings_top *top = &check->settings->top;

	if (top->admin[0] != '\0' && !is_local(top->admin) && top->admin_token_file[0] == '\0')
		doubt_option(
		    check, check->settings, "admin", 0,
		    "admin = \"%s\": others can reach it, and without admin_token_file whoever "
		    "does sees what is cached, and nobody may purge",
		    top->admin);
}

static void doubt_memory(struct check *check)
{
	uint64_t memory = check->settings->cache.memory;

	if (memory < SMALL_MEMORY)
		doubt_option(
		    check, check->settings, "memory", 0,
		    "cache.memory: %.1f MiB hold about %u answers, the rest comes from the stores",
		    (double)memory / 1048576, (unsigned)(memory / 1024));
}

static void doubt_stores(struct check *check)
{
	const struct text_list *stores = &check->settings->top.store;

	for (size_t i = 0; i < stores->n; i++) {
		const char *path = begins(stores->items[i], "lmdb:") ? stores->items[i] + 5 : NULL;

		if (path != NULL && directory_is_in_memory(path))
			doubt_option(
			    check, check->settings, "store", i,
			    "store = \"%s\": lies in memory (tmpfs): a restart of the machine "
			    "begins with nothing",
			    stores->items[i]);
	}
}

/* --- of issuers ------------------------------------------------------------------------------- */

/* host:port of a URL that upstream_url_check passes; the port may be missing. */
static struct slice authority_of(const char *url)
{
	const char *begin = strstr(url, "://");

	begin = begin ? begin + 3 : url;
	return slice_of(begin, strcspn(begin, "/"));
}

/* Without the port. */
static struct slice host_of(struct slice authority)
{
	size_t len = authority.len;

	if (len > 0 && authority.p[0] == '[')
		return authority;
	while (len > 0 && authority.p[len - 1] != ':')
		len--;
	return len > 0 ? slice_take(authority, len - 1) : authority;
}

static bool is_same(struct slice a, struct slice b)
{
	return a.len == b.len && strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0;
}

/* Some listen = {"*:8080"} or {"127.0.0.1:8080"} is where http://127.0.0.1:8080/ leads. */
static bool is_own(const struct check *check, const char *url)
{
	const struct text_list *listen = &check->settings->top.listen;
	struct slice authority = authority_of(url), host = host_of(authority);
	bool is_here = is_same(host, slice_text("localhost")) ||
		       is_same(host, slice_text("127.0.0.1")) ||
		       begins((const char *)host.p, "[::1]");
	struct slice port = slice_skip(authority, host.len);

	if (!begins(url, "http://"))
		return false;
	if (port.len == 0)
		port = slice_text(":80");
	for (size_t i = 0; i < listen->n; i++) {
		struct slice own = slice_text(listen->items[i]), own_host = host_of(own);

		if (is_same(port, slice_skip(own, own_host.len)) &&
		    (is_same(host, own_host) || (is_here && is_same(own_host, slice_text("*")))))
			return true;
	}
	return false;
}

static void doubt_responders(struct check *check, const char *where, const struct issuer *issuer)
{
	size_t n_same = 0;

	if (issuer->n_responders == 0)
		doubt(
		    check, where,
		    "%s: has no responder: requests are answered unauthorized; a leaf certificate "
		    "in issuer_dir names it, or responders in an issuer section",
		    issuer->label);
	for (size_t i = 0; i < issuer->n_responders; i++) {
		const char *url = issuer->responders[i].url;

		n_same += is_same(host_of(authority_of(url)),
				  host_of(authority_of(issuer->responders[0].url)));
		if (begins(url, "https://"))
			doubt(check, where,
			      "%s: %s: by https the responder needs a certificate itself, and who "
			      "checks that one's status may come back to it (RFC 5280 8)",
			      issuer->label, url);
		if (is_own(check, url))
			doubt(check, where, "%s: %s: is where this relay listens itself: a loop",
			      issuer->label, url);
	}
	if (n_same > 1 && n_same == issuer->n_responders)
		doubt(check, where,
		      "%s: all of its %zu responders are on one host: they fail together",
		      issuer->label, issuer->n_responders);
}

/* One that is not valid now is a fault, which has been said. */
static void doubt_ca(struct check *check, const char *where, const struct issuer *issuer)
{
	int64_t until = issuer_valid_until(issuer, check->now);
	const EVP_PKEY *key = X509_get0_pubkey(issuer->certs[0]);
	char iso[ISO_DATE_SIZE];

	if (until != INT64_MIN && until - check->now < SOON) {
		date_to_iso(iso, until);
		doubt(check, where, "%s: the CA's certificate ends soon, at %s", issuer->label,
		      iso);
	}
	if (key != NULL && EVP_PKEY_get_security_bits(key) < MIN_SECURITY)
		doubt(
		    check, where,
		    "%s: the CA's key is weak (%d bits): answers that it signs are weak, too, see "
		    "weak_signature",
		    issuer->label, EVP_PKEY_get_bits(key));
}

void check_doubts(struct check *check)
{
	doubt_user(check, check->settings);
	doubt_admin(check);
	doubt_memory(check);
	doubt_stores(check);
	for (size_t i = 0; i < check->n; i++) {
		const struct issuer_origin *origin = &check->origins[i];

		doubt_responders(check, origin->path, origin->issuer);
		doubt_ca(check, origin->path, origin->issuer);
	}
}

/* Not of the defaults, which may do well where the relay is going to run. */
void check_absent(struct check *check, const struct settings *settings)
{
	const char *directory = settings->top.issuer_dir;
	struct stat found;

	if (settings_place(settings, "user", 0) != NULL)
		doubt_user(check, settings);
	if (settings_place(settings, "issuer_dir", 0) != NULL && *directory != '\0' &&
	    stat(directory, &found) != 0)
		buf_printf(&check->file_messages, "%s: %s\n", directory, strerror(errno));
}
