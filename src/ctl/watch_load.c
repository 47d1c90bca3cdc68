/* SPDX-License-Identifier: ISC */
/* From files to keys, by way of the issuers. */
#include "ctl/watch_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ctl/certificate.h"
#include "ctl/certificates.h"
#include "ctl/issued.h"
#include "io/files.h"

#define NAME_SIZE 256
#define TEXT_SIZE 1024

/* In messages and in the log, and for the status as long as the table lives. */
static err_t complain(struct issuers *issuers, struct buf *messages, const char *path,
		      const char *what)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%s: %s", path, what);
	buf_printf(messages, "%s\n", text);
	LOG(CERTIFICATE_SKIPPED, LOG_TEXT("file", path), LOG_TEXT("reason", what));
	return watched_skip(issuers_watched(issuers), text);
}

/* What is watched all the same. */
static void doubt(struct buf *messages, const char *path, const char *what)
{
	buf_printf(messages, "%s: warning: %s\n", path, what);
	LOG(CERTIFICATE_SKIPPED, LOG_TEXT("file", path), LOG_TEXT("reason", what));
}

static err_t take(struct issuers *issuers, X509 *cert, const char *path, struct buf *messages)
{
	struct cache_key key;
	char name[NAME_SIZE], what[TEXT_SIZE];
	err_t err = issued_key(issuers, cert, &key);

	if (err == ERR_NO_MEMORY)
		return err;
	certificate_name(X509_get_subject_name(cert), name, sizeof(name));
	if (err != OK) {
		snprintf(what, sizeof(what), "%s: cannot be watched: %s", name, issued_why(err));
		return complain(issuers, messages, path, what);
	}
	return watched_add(issuers_watched(issuers), &key, name);
}

static err_t take_file(struct issuers *issuers, const char *path, struct buf *messages)
{
	struct certificates found;
	err_t err = certificates_read(path, &found);

	if (err == ERR_NO_MEMORY)
		return err;
	if (err != OK)
		return complain(issuers, messages, path,
				err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
	if (certificates_doubt(&found))
		doubt(messages, path, certificates_doubt(&found));
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
	if (err == ERR_SYSTEM)
		err = complain(issuers, messages, path, strerror(errno));
	for (size_t i = 0; i < files.n && err == OK; i++)
		err = take_file(issuers, files.items[i], messages);
	text_list_free(&files);
	watched_seal(issuers_watched(issuers));
	return err;
}
