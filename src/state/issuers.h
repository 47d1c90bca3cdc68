/* SPDX-License-Identifier: ISC */
/*
 * The issuer table: which issuer a CertID names. Built by the configuration, then immutable and
 * reference counted; a reload builds a new one and every thread swaps its reference. A look-up
 * takes no lock.
 */
#ifndef OCSPRELAY_STATE_ISSUERS_H
#define OCSPRELAY_STATE_ISSUERS_H

#include "base/hash.h"
#include "core/issuer.h"
#include "err.h"
#include "state/watched.h"

struct issuers;

struct issuers *issuers_new(struct hash_key key); /* one reference; NULL without memory */
struct issuers *issuers_ref(struct issuers *issuers);
/* Frees the issuers with the last reference. NULL is fine. */
void issuers_unref(struct issuers *issuers);

/* While building. Takes issuer. ERR_NO_MEMORY: nothing was taken. Two of one identity must have
 * been merged before (issuers_by_id). */
MUST_CHECK err_t issuers_add(struct issuers *issuers, struct issuer *issuer);

/* The issuer of this identity, or NULL. Good at any time, sealed or not. */
struct issuer *issuers_by_id(const struct issuers *issuers, const uint8_t id[ISSUER_ID_LEN]);

/* Ends the building: the table of hashes is made. Before it issuers_find finds nothing.
 * ERR_NO_MEMORY. */
MUST_CHECK err_t issuers_seal(struct issuers *issuers);

/* The issuer that certid names: its key hash and one of its names' hashes, in certid's algorithm
 * (NK-01). ERR_ISSUER_NAME: its key is known under other names only (NK-02). ERR_ISSUER_UNKNOWN.
 * *out is valid as long as the table. */
MUST_CHECK err_t issuers_find(const struct issuers *issuers, const struct certid *certid,
			      const struct issuer **out);

/* Those of their certificates that are always kept warm; to be built together with the table. */
struct watched *issuers_watched(const struct issuers *issuers);

size_t issuers_count(const struct issuers *issuers);
const struct issuer *issuers_at(const struct issuers *issuers, size_t i); /* i < count */

#endif
