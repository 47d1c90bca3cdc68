/* SPDX-License-Identifier: ISC */
/* All staples of a command line: what it names, files and directories of certificates, as it is
 * now. */
#ifndef OCSPRELAY_CMD_STAPLES_H
#define OCSPRELAY_CMD_STAPLES_H

#include "cmd/args.h"
#include "cmd/staple.h"

struct staples {
	const struct args_texts *operands; /* borrowed */
	const char *directory;		   /* of all staples; NULL: each beside its certificate */
	struct staple **items;		   /* by the paths of their certificates */
	size_t n;
	const struct staple *clash[2]; /* after ERR_BUSY, until the next call; owned */
};

void staples_init(struct staples *staples, const struct args_texts *operands,
		  const char *directory);
void staples_fini(struct staples *staples);

/*
 * Brings the list up to date with the files, and reads those that have changed. Of a directory come
 * the files called .pem, .crt, .cer or .der that begin with a certificate of no CA. ERR_BUSY: two
 * certificates would have the same file of a staple; ERR_NO_MEMORY: the list is as it was, and what
 * it has is up to date all the same.
 */
MUST_CHECK err_t staples_read(struct staples *staples, const struct staple_sources *sources);

#endif
