/* SPDX-License-Identifier: ISC */
/*
 * Checks by the name of the option. Each asks the module that will use the value, so that what is
 * accepted here is what works there. Nothing is opened, read or resolved, though a program that is
 * to be run is looked at: whether a certificate can be read is no matter of the configuration
 * (issuer_load says it and goes on).
 */
#include "ctl/config_check.h"

#include <string.h>

#include "core/upstream_url.h"
#include "ctl/hook.h"
#include "ctl/log_sink.h"
#include "io/networks.h"
#include "io/sockets.h"
#include "io/store.h"

static bool is_listen(const char *word)
{
	return sockets_check(word) == OK;
}

/* Served by the admin thread alone, which takes no passed sockets. */
static bool is_admin(const char *word)
{
	return word[0] == '\0' || (strcmp(word, "systemd") != 0 && sockets_check(word) == OK);
}

static bool is_network(const char *word)
{
	char *items[] = {(char *)(uintptr_t)word};
	struct text_list list = {.items = items, .n = 1};
	struct networks *networks = NULL;
	size_t bad;

	if (networks_new(&list, &networks, &bad) != OK)
		return false;
	networks_free(networks);
	return true;
}

/* Part of names in Redis: nothing that would need quoting there, or has a meaning in a pattern. */
static bool is_prefix(const char *word)
{
	size_t len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				  "._-:");

	return len > 0 && len <= 64 && word[len] == '\0';
}

static bool is_url(const char *word)
{
	return upstream_url_check(word) == OK;
}

static bool is_proxy(const char *word)
{
	return word[0] == '\0' || strcmp(word, "none") == 0 || is_url(word);
}

static bool is_level(const char *word)
{
	return log_level_named(word) >= 0;
}

static bool is_target(const char *word)
{
	return strcmp(word, "stderr") == 0 || strcmp(word, "syslog") == 0 ||
	       (word[0] == '/' && word[strlen(word) - 1] != '/');
}

static bool is_program(const char *word)
{
	return word[0] == '\0' || word[0] == '/';
}

static bool is_path(const char *word)
{
	return word[0] != '\0';
}

static const struct {
	const char *option;
	bool (*is_fine)(const char *word);
	const char *allowed;
	bool is_unique;
} checks[] = {
    {"listen", is_listen, "host:port, *:port, [address]:port, unix:/path, or systemd", true},
    {"admin", is_admin, "host:port, *:port, [address]:port, unix:/path, or \"\" for nowhere",
     false},
    {"allow", is_network, "a network as 192.0.2.0/24 or 2001:db8::/32", true},
    {"store", NULL, NULL, true},
    {"prefix", is_prefix, "1 to 64 letters, digits, dots, colons, _ and -", false},
    {"level", is_level, "error, warning, notice, info or debug", false},
    {"target", is_target, "stderr, syslog, or the absolute path of a file", false},
    {"hook", is_program, "the absolute path of a program, or \"\" for none", false},
    {"hook_events", hook_has_event,
     "responder-down, responder-up, status-changed, runway-short, rehearsal-begun or "
     "rehearsal-ended",
     true},
    {"certificate", is_path, "the path of a file", true},
    {"trusted_responders", is_path, "the path of a file", true},
    {"responders", is_url, "http:// or https:// with a host, no user, query or fragment", true},
    {"proxy", is_proxy, "http://host:port, none, or \"\" for that of the environment", false},
};

const char *config_check_word(const char *option, const char *word)
{
	for (size_t i = 0; i < N_ELEMENTS(checks); i++) {
		if (strcmp(checks[i].option, option) != 0)
			continue;
		if (!checks[i].is_fine)
			return store_check(word); /* which says what is allowed at that place */
		return checks[i].is_fine(word) ? NULL : checks[i].allowed;
	}
	return NULL;
}

bool config_is_unique(const char *option)
{
	for (size_t i = 0; i < N_ELEMENTS(checks); i++) {
		if (strcmp(checks[i].option, option) == 0)
			return checks[i].is_unique;
	}
	return false;
}

const char *config_doubt_word(const char *option, const char *word)
{
	if (strcmp(option, "weak_signature") == 0 && strcmp(word, "accept") == 0)
		return "signatures that can be forged are taken and stored";
	if (strcmp(option, "hook") == 0)
		return hook_doubt(word);
	return NULL;
}

const char *config_doubt_empty(const char *option)
{
	if (strcmp(option, "allow") == 0)
		return "only clients of Unix sockets are served";
	return NULL;
}

/* Times of an issuer that do not go together: what to say, or NULL. */
static const char *doubt_times(const struct settings_issuer *issuer)
{
	if (issuer->request_deadline < issuer->connect_timeout)
		return "request_deadline: shorter than connect_timeout, clients are sent away "
		       "while "
		       "the connection to a responder is still being made";
	if (issuer->min_refresh_interval > issuer->max_refresh_interval)
		return "min_refresh_interval: longer than max_refresh_interval";
	return NULL;
}

/* Replicas are read where news tells what they may lack: at the first store that is shared. */
static bool may_read_replicas(const struct text_list *stores)
{
	for (size_t i = 0; i < stores->n; i++) {
		if (store_may_be_shared(stores->items[i]))
			return store_may_have_copies(stores->items[i]);
	}
	return false;
}

void config_check_settings(const struct settings *settings, const struct config_places *places,
			   struct config_report *report)
{
	const char *doubt_of_defaults = doubt_times(&settings->defaults);

	if (settings->redis.read_from == READ_FROM_REPLICAS &&
	    !may_read_replicas(&settings->top.store))
		config_report_add(report, CONFIG_ERROR, places->redis,
				  "read_from: \"replicas\" is only for redis+sentinel:// as the "
				  "first Redis in store, allowed: master");
	if (doubt_of_defaults)
		config_report_add(report, CONFIG_WARNING, places->defaults, "%s",
				  doubt_of_defaults);
	for (size_t i = 0; i < settings->n_issuers; i++) {
		const struct settings_section *section = &settings->issuers[i];
		const char *doubt = doubt_times(&section->issuer);

		if (section->own.certificate.n == 0)
			config_report_add(report, CONFIG_ERROR, places->issuers[i],
					  "certificate: missing in issuer \"%s\", allowed: files "
					  "of CA certificates",
					  section->name);
		if (doubt && doubt != doubt_of_defaults)
			config_report_add(report, CONFIG_WARNING, places->issuers[i], "%s", doubt);
	}
}
