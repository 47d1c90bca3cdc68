/* SPDX-License-Identifier: ISC */
/* Reading, and writing as PEM. */
#include "cmd/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/bytes.h"
#include "ctl/certificate.h"
#include "ctl/certificates.h"
#include "io/files.h"

#define MAX_PEM ((size_t)1 << 30)

void sources_init(struct sources *sources,
		  void (*failed)(void *arg, const char *where, const char *what), void *arg)
{
	*sources = (struct sources){.failed = failed, .arg = arg};
	buf_init(&sources->pem, MAX_PEM);
}

void sources_fini(struct sources *sources)
{
	buf_fini(&sources->pem);
	free(sources->certs);
	text_list_free(&sources->names);
}

static err_t append_pem(struct sources *sources, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	err_t err = ERR_NO_MEMORY;

	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1) {
		size_t len = (size_t)BIO_get_mem_data(bio, &text);

		err = buf_append(&sources->pem, text, len);
	}
	BIO_free(bio);
	return err;
}

/* Those of the source that is the last of the names. */
static err_t add_certs(struct sources *sources, const struct certificates *found)
{
	const size_t n = sources->n + found->n;
	struct source_cert *certs = reallocarray(sources->certs, n, sizeof(*certs));
	err_t err = certs ? OK : ERR_NO_MEMORY;

	if (certs != NULL)
		sources->certs = certs;
	for (size_t i = 0; i < found->n && err == OK; i++) {
		err = append_pem(sources, found->items[i]);
		if (err == OK)
			certs[sources->n++] = (struct source_cert){.end = sources->pem.len,
								   .where = sources->names.n - 1};
	}
	return err;
}

static err_t add_name(struct sources *sources, const char *where)
{
	struct text_list *names = &sources->names;
	char **items = reallocarray(names->items, names->n + 1, sizeof(*items));

	if (items == NULL)
		return ERR_NO_MEMORY;
	names->items = items;
	items[names->n] = strdup(where);
	if (items[names->n] == NULL)
		return ERR_NO_MEMORY;
	names->n++;
	return OK;
}

/* found: what reading gave with OK; given back. */
static err_t take(struct sources *sources, const char *where, struct certificates *found)
{
	err_t err = add_name(sources, where);

	if (err == OK)
		err = add_certs(sources, found);
	if (certificates_doubt(found))
		fprintf(stderr, "ocsprelay: warning: %s: %s\n", where, certificates_doubt(found));
	for (size_t i = 0; i < found->n_bad && err == OK; i++)
		sources->failed(sources->arg, where, "a PEM block that cannot be read");
	certificates_free(found);
	return err;
}

static err_t add_file(struct sources *sources, const char *path)
{
	struct certificates found = {.n = 0};
	err_t err = certificates_read(path, &found);

	if (err == OK)
		return take(sources, path, &found);
	if (err == ERR_NO_MEMORY)
		return err;
	sources->failed(sources->arg, path,
			err == ERR_SYSTEM ? strerror(errno) : err_row(err)->text);
	return OK;
}

err_t sources_add_path(struct sources *sources, const char *path)
{
	static const char *const suffixes[] = {".pem", ".crt", ".cer", ".der", NULL};
	struct text_list files = {.items = NULL};
	err_t err = directory_list(path, suffixes, &files);

	if (err == ERR_SYSTEM)
		return add_file(sources, path);
	for (size_t i = 0; i < files.n && err == OK; i++)
		err = add_file(sources, files.items[i]);
	text_list_free(&files);
	return err;
}

err_t sources_add_peer(struct sources *sources, const char *address, unsigned seconds)
{
	struct certificates found = {.n = 0};
	char detail[TLS_PEER_DETAIL] = "";
	err_t err = certificates_read_peer(address, seconds, &found, detail);

	if (err == OK) {
		err = take(sources, address, &found);
	} else if (err != ERR_NO_MEMORY) {
		sources->failed(sources->arg, address,
				err == ERR_UP_UNREACHABLE ? detail : err_row(err)->text);
		err = OK;
	}
	return err;
}

struct slice sources_pem(const struct sources *sources, size_t first, size_t end)
{
	size_t from = first > 0 ? sources->certs[first - 1].end : 0;
	size_t to = end > 0 ? sources->certs[end - 1].end : 0;

	return slice_of(sources->pem.p + from, to - from);
}

void sources_subject(const struct sources *sources, size_t i, char *dst, size_t cap)
{
	struct certificates found = {.n = 0};

	*dst = '\0';
	if (certificates_parse(sources_pem(sources, i, i + 1), &found) != OK)
		return;
	certificate_name(X509_get_subject_name(found.items[0]), dst, cap);
	certificates_free(&found);
}

const char *sources_where(const struct sources *sources, size_t i)
{
	return sources->names.items[sources->certs[i].where];
}
