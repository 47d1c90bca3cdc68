/* SPDX-License-Identifier: ISC */
/* Entries and keys as members of JSON objects, for the admin API. */
#ifndef OCSPRELAY_CTL_ENTRY_JSON_H
#define OCSPRELAY_CTL_ENTRY_JSON_H

#include "base/buf.h"
#include "state/entry.h"
#include "state/issuers.h"

/* Append members without braces or a comma at the end; out remembers failure. Of an issuer that is
 * configured no more stands the id in the place of its name. Serials without leading zeros. */
void key_json(const struct cache_key *key, const struct issuers *issuers, struct buf *out);
void entry_json(const struct entry *entry, const struct issuers *issuers, struct buf *out);

#endif
