/* SPDX-License-Identifier: ISC */
/* From files to keys, by way of the issuers. */
#include "ctl/watch_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/certificates.h"
#include "ctl/issued.h"
#include "io/files.h"

#define NAME_SIZE 256

static void complain(struct buf *messages, const char *path, const char *who, const char *what)
{
	buf_printf(messages, "%s: %s%s%s\n", path, who, *who != '\0' ? ": " : "", what);
	LOG(CERTIFICATE_SKIPPED, LOG_TEXT("file", path), LOG_TEXT("subject", who),
	    LOG_TEXT("reason", what));
}

static err_t take(struct issuers *issuers, X509 *cert, const char *path, struct buf *messages)
{
	struct cache_key key;
	char name[NAME_SIZE], what[NAME_SIZE];
	err_t err = issued_key(issuers, cert, &key);

	if (err == ERR_NO_MEMORY)
		return err;
	certificate_name(X509_get_subject_name(cert), name, sizeof(name));
	if (err != OK) {
		snprintf(what, sizeof(what), "cannot be watched: %s", issued_why(err));
		complain(messages, path, name, what);
		return OK;
	}
	return watched_add(issuers_watched(issuers), &key, name);
}

static err_t take_file(struct issuers *issuers, const char *path, struct buf *messages)
{
	struct certificates found;
	err_t err = certificates_read(path, &found);

	if (err == ERR_NO_MEMORY)
		return err;
	if (err != OK) {
		complain(messages, path, "",
			 err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
		return OK;
	}
	for (size_t i = 0; i < found.n && err == OK; i++)
		err = take(issuers, found.items[i], path, messages);
	certificates_free(&found);
	return err;
}

err_t watch_load(const struct settings *settings, struct issuers *issuers, struct buf *messages)
{
	static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", NULL};
	const char *path = settings->top.watch_dir;
	struct text_list files = {.items = NULL};
	err_t err = OK;

	if (*path != '\0')
		err = directory_list(path, suffixes, &files);
	if (err == ERR_SYSTEM) {
		complain(messages, path, "", strerror(errno));
		err = OK;
	}
	for (size_t i = 0; i < files.n && err == OK; i++)
		err = take_file(issuers, files.items[i], messages);
	text_list_free(&files);
	watched_seal(issuers_watched(issuers));
	return err;
}
