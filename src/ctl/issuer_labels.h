/* SPDX-License-Identifier: ISC */
/* What issuers are called, in logs, metrics and on the command line: each by a name of its own. */
#ifndef OCSPRELAY_CTL_ISSUER_LABELS_H
#define OCSPRELAY_CTL_ISSUER_LABELS_H

#include "core/issuer.h"
#include "err.h"
#include "settings.h"

struct issuer_origin { /* where an issuer of the table comes from */
	struct issuer *issuer;
	const struct settings_section *section; /* NULL: found in issuer_dir */
	unsigned number;			/* among the issuers of its section, from 1 */
	char *path;				/* of its first certificate; owned */
};

void issuer_origins_free(struct issuer_origin *origins, size_t n); /* NULL is fine */

/*
 * Sets all labels: the section's name, behind the first with a number; else the common name, with
 * the beginning of the issuer-id where somebody else has that name. So the label of an issuer
 * depends neither on the names of files nor on their order. ERR_NO_MEMORY.
 */
MUST_CHECK err_t issuer_labels_set(const struct issuer_origin *origins, size_t n);

#endif
