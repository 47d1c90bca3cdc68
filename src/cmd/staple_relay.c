/* SPDX-License-Identifier: ISC */
/* From configuration to URL and table. */
#include "cmd/staple_relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/args.h"
#include "cmd/commands.h"
#include "ctl/config.h"
#include "ctl/issuer_load.h"
#include "io/entropy.h"

#define MAX_MESSAGES (16 << 20)

static int fail(int status, const char *what, const char *detail)
{
	fprintf(stderr, "ocsprelay staple: %s%s%s\n", what, *detail ? ": " : "", detail);
	return status;
}

/* With port 0 the kernel chooses, and only the log knows. */
static bool is_known_tcp(const char *address)
{
	const char *port = strrchr(address, ':');

	return strncmp(address, "unix:", 5) != 0 && port != NULL && strcmp(port, ":0") != 0;
}

/* Of the first of these addresses that is known and TCP; NULL: there is none, or no memory. */
static char *url_of(const struct text_list *listen)
{
	char *url;

	for (size_t i = 0; i < listen->n; i++) {
		const char *address = listen->items[i];
		bool is_any = strncmp(address, "*:", 2) == 0;

		if (!is_known_tcp(address))
			continue;
		if (asprintf(&url, "http://%s%s/", is_any ? "127.0.0.1" : "", address + is_any) < 0)
			return NULL;
		return url;
	}
	return NULL;
}

static int read_config(const char *path, struct staple_relay *relay)
{
	struct buf messages;
	err_t err;

	buf_init(&messages, MAX_MESSAGES);
	err = config_load(path, &relay->settings, &messages);
	if (err != OK && messages.len > 0)
		fwrite(messages.p, 1, messages.len, stderr);
	buf_fini(&messages);
	return err == OK ? ARGS_GO : EXIT_CONFIG;
}

static struct issuers *read_table(const struct settings *settings)
{
	struct issuers *table;
	struct buf messages; /* check prints them */

	buf_init(&messages, MAX_MESSAGES);
	table = issuer_load(settings, entropy_hash_key(), &messages);
	buf_fini(&messages);
	return table;
}

static int read_given(const char *path, struct certificates *out)
{
	err_t err = certificates_read(path, out);

	if (err == OK)
		return ARGS_GO;
	return fail(EXIT_NO_ANSWER, path, err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
}

int staple_relay_open(const struct staple_relay_args *args, struct staple_relay *out)
{
	const char *config = args->config ? args->config : CONFIG_DEFAULT_PATH;
	int status = ARGS_GO;

	*out = (struct staple_relay){.proxy = args->url ? "" : "none"};
	if (args->config != NULL || args->url == NULL)
		status = read_config(config, out);
	if (status != ARGS_GO)
		return status;
	out->url = args->url ? strdup(args->url) : url_of(&out->settings->top.listen);
	if (out->url == NULL)
		return fail(EXIT_CONFIG, config,
			    "listen has no address that can be asked; give --url");
	if (out->settings != NULL) {
		out->table = read_table(out->settings);
		if (out->table == NULL)
			return fail(EXIT_NO_ANSWER, err_row(ERR_NO_MEMORY)->text, "");
		out->sources.table = out->table;
	}
	if (args->issuer != NULL) {
		status = read_given(args->issuer, &out->given);
		out->sources.given = &out->given;
	}
	return status;
}

void staple_relay_close(struct staple_relay *relay)
{
	certificates_free(&relay->given);
	issuers_unref(relay->table);
	settings_free(relay->settings);
	free(relay->url);
}

bool staple_relay_read_issuers(struct staple_relay *relay, const struct staple_relay_args *args,
			       struct issuers **out_former)
{
	struct issuers *table = relay->settings ? read_table(relay->settings) : NULL;
	struct certificates given = {.n = 0};

	if ((relay->settings != NULL && table == NULL) ||
	    (args->issuer != NULL && read_given(args->issuer, &given) != ARGS_GO)) {
		issuers_unref(table);
		return false;
	}
	certificates_free(&relay->given);
	relay->given = given;
	*out_former = relay->table;
	relay->table = table;
	relay->sources.table = table;
	return true;
}
