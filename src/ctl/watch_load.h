/* SPDX-License-Identifier: ISC */
/* The certificates of watch_dir, which are always kept warm. */
#ifndef OCSPRELAY_CTL_WATCH_LOAD_H
#define OCSPRELAY_CTL_WATCH_LOAD_H

#include "base/buf.h"
#include "settings.h"
#include "state/issuers.h"

/*
 * Has issuers watch each certificate in the files of settings->top.watch_dir that one of them has
 * issued, by the name of its subject. As issuer_load: what cannot be taken is skipped, with a line
 * in messages and a log event; reads files. ERR_NO_MEMORY.
 */
MUST_CHECK err_t watch_load(const struct settings *settings, struct issuers *issuers,
			    struct buf *messages);

#endif
