/* SPDX-License-Identifier: ISC */
/* Reading it all; what cannot be read is said here. */
#include "cmd/issuer_given.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "ctl/config.h"
#include "io/entropy.h"

#define MAX_MESSAGES (16 << 20)

static int fail(int status, const char *where, const char *what)
{
	fprintf(stderr, "ocsprelay issuer: %s%s%s\n", where, *where ? ": " : "", what);
	return status;
}

static const char *why(err_t err)
{
	return err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text;
}

/* --- certificates ----------------------------------------------------------------------------- */

/* Takes what was found. */
static int take(struct issuer_given *given, struct certificates *found)
{
	struct certificates *certs = &given->certs;
	X509 **items = reallocarray(certs->items, certs->n + found->n, sizeof(*items));

	if (items == NULL) {
		certificates_free(found);
		return fail(EXIT_NO_ANSWER, "", err_row(ERR_NO_MEMORY)->text);
	}
	memcpy(items + certs->n, found->items, found->n * sizeof(*items));
	certs->items = items;
	certs->n += found->n;
	free(found->items);
	return ARGS_GO;
}

static int read_path(struct issuer_given *given, const char *path)
{
	struct certificates found = {.n = 0};
	err_t err = certificates_read(path, &found);

	return err == OK ? take(given, &found) : fail(EXIT_NO_ANSWER, path, why(err));
}

static int read_peer(struct issuer_given *given, const char *address, unsigned seconds)
{
	struct certificates found = {.n = 0};
	char detail[TLS_PEER_DETAIL] = "";
	err_t err = certificates_read_peer(address, seconds, &found, detail);

	if (err == OK)
		return take(given, &found);
	return fail(EXIT_NO_ANSWER, address, err == ERR_UP_UNREACHABLE ? detail : why(err));
}

static int gather(const struct issuer_given_args *args, struct issuer_given *given)
{
	int status = ARGS_GO;

	for (size_t i = 0; i < args->paths.n && status == ARGS_GO; i++)
		status = read_path(given, args->paths.items[i]);
	given->n_of_files = given->certs.n;
	if (status == ARGS_GO && args->tls != NULL)
		status = read_peer(given, args->tls, args->seconds);
	return status;
}

bool issuer_given_is_of_file(const struct issuer_given *given, const X509 *cert)
{
	for (size_t i = 0; i < given->n_of_files; i++) {
		if (X509_cmp(given->certs.items[i], cert) == 0)
			return true;
	}
	return false;
}

/* --- issuers ---------------------------------------------------------------------------------- */

/* As if the directory were all of a configuration. */
static struct settings *settings_of_directory(const char *directory)
{
	struct settings *settings = settings_default();
	char *copy = strdup(directory);

	if (settings == NULL || copy == NULL) {
		free(copy);
		settings_free(settings);
		return NULL;
	}
	free(settings->top.issuer_dir);
	settings->top.issuer_dir = copy;
	return settings;
}

static int read_config(const char *path, struct settings **out)
{
	struct buf messages;
	err_t err;

	buf_init(&messages, MAX_MESSAGES);
	err = config_load(path, out, &messages);
	if (err != OK && messages.len > 0)
		fwrite(messages.p, 1, messages.len, stderr);
	buf_fini(&messages);
	return err == OK ? ARGS_GO : EXIT_CONFIG;
}

static int learn(const struct issuer_given_args *args, struct issuer_given *given)
{
	const char *config = args->config ? args->config : CONFIG_DEFAULT_PATH;
	struct buf messages; /* check prints them */
	int status = ARGS_GO;

	if (args->directory != NULL && args->config == NULL)
		given->settings = settings_of_directory(args->directory);
	else
		status = read_config(config, &given->settings);
	if (status != ARGS_GO)
		return status;
	buf_init(&messages, MAX_MESSAGES);
	if (given->settings != NULL)
		given->table = issuer_load_explained(given->settings, entropy_hash_key(), &messages,
						     &given->origins);
	buf_fini(&messages);
	if (given->table == NULL)
		return fail(EXIT_NO_ANSWER, "", err_row(ERR_NO_MEMORY)->text);
	given->directory = args->directory ? args->directory : given->settings->top.issuer_dir;
	return given->directory[0] != '\0'
		   ? ARGS_GO
		   : fail(EXIT_CONFIG, config, "issuer_dir is empty; give --dir");
}

const char *issuer_given_path(const struct issuer_given *given, const struct issuer *known)
{
	for (size_t i = 0; i < issuers_count(given->table); i++) {
		if (given->origins[i].issuer == known)
			return given->origins[i].path;
	}
	return "";
}

int issuer_given_read(const struct issuer_given_args *args, struct issuer_given *out)
{
	int status;

	*out = (struct issuer_given){.n_of_files = 0};
	status = gather(args, out);
	return status == ARGS_GO ? learn(args, out) : status;
}

void issuer_given_fini(struct issuer_given *given)
{
	if (given->table != NULL)
		issuer_origins_free(given->origins, issuers_count(given->table));
	issuers_unref(given->table);
	settings_free(given->settings);
	certificates_free(&given->certs);
}
