/* SPDX-License-Identifier: ISC */
/*
 * Certificates from wherever a command line says: files, directories, TLS servers. They are kept as
 * PEM, one after the other, for that is how they are sent; tens of thousands are fine. What cannot
 * be had is told and passed over.
 */
#ifndef OCSPRELAY_CMD_SOURCES_H
#define OCSPRELAY_CMD_SOURCES_H

#include "base/buf.h"
#include "settings.h"

struct source_cert {
	size_t end;   /* in pem; it begins where the one before ends */
	size_t where; /* in names */
};

struct sources {
	struct buf pem;
	struct source_cert *certs;
	size_t n;
	struct text_list names; /* of files and servers */
	void (*failed)(void *arg, const char *where, const char *what);
	void *arg;
};

void sources_init(struct sources *sources,
		  void (*failed)(void *arg, const char *where, const char *what), void *arg);
void sources_fini(struct sources *sources);

/* All of a file ("-": standard input), or of the files of a directory that are called .pem, .crt,
 * .cer or .der. ERR_NO_MEMORY, ERR_TOO_LONG (1 GiB of PEM). */
MUST_CHECK err_t sources_add_path(struct sources *sources, const char *path);

/* What the TLS server at address presents; see io/tls_peer.h. The same errors. */
MUST_CHECK err_t sources_add_peer(struct sources *sources, const char *address, unsigned seconds);

/* The PEM of certificates first to end - 1. */
struct slice sources_pem(const struct sources *sources, size_t first, size_t end);

/* The name of its subject, as certificate_name has it. i < n. */
void sources_subject(const struct sources *sources, size_t i, char *dst, size_t cap);

/* The file or server that it is from. i < n. */
const char *sources_where(const struct sources *sources, size_t i);

#endif
