/* SPDX-License-Identifier: ISC */
/*
 * The issuer table from the configuration: issuer sections and the certificates of issuer_dir.
 * CA certificates are issuers; leaf certificates teach their issuer's responder URL and name
 * encoding; certificates of one identity become one issuer.
 */
#ifndef OCSPRELAY_CTL_ISSUER_LOAD_H
#define OCSPRELAY_CTL_ISSUER_LOAD_H

#include "base/buf.h"
#include "ctl/certificates.h"
#include "ctl/issuer_labels.h"
#include "settings.h"
#include "state/issuers.h"

/*
 * Never fails for an outside fault: what cannot be read is skipped, with a line
 * "FILE: what is wrong" in messages and a log event. An issuer none of whose certificates is valid
 * at now is reported, too, but taken. NULL without memory. Reads files: start-up, reload and
 * command line only.
 *
 * Labels are unique: the section's name (numbered when a section holds several identities), else
 * the subject's common name, with the beginning of the issuer-id where several would have it.
 */
struct issuers *issuer_load(const struct settings *settings, struct hash_key key,
			    struct buf *messages);

/* The same, and where each issuer comes from, sorted by subject, as many as the table has; the
 * caller's, to be freed with issuer_origins_free before the table. */
struct issuers *issuer_load_explained(const struct settings *settings, struct hash_key key,
				      struct buf *messages, struct issuer_origin **out_origins);

#endif
