/* SPDX-License-Identifier: ISC */
/*
 * A selection: what of all that is kept an operator means. All of it, what is of one issuer, what
 * is about one serial number, or both. It names issuers by their id, so it outlives a reload, and
 * may name one that is configured no more.
 */
#ifndef OCSPRELAY_RELAY_SELECTION_H
#define OCSPRELAY_RELAY_SELECTION_H

#include "core/key.h"
#include "core/news.h"
#include "state/cache.h"
#include "state/issuers.h"

struct selection { /* {0}: all */
	bool has_issuer;
	uint8_t issuer_id[ISSUER_ID_LEN];
	uint8_t serial_len; /* 0: all serials */
	uint8_t serial[MAX_SERIAL_LEN];
};

/* The issuer of this label, or whose id, 64 hexadecimal digits, text is: it need not be configured.
 * ERR_ISSUER_UNKNOWN. */
MUST_CHECK err_t selection_set_issuer(struct selection *selection, const struct issuers *issuers,
				      struct slice text);

/* A serial number as people have it: hexadecimal digits of either case, with or without 0x, colons
 * between octets or leading zeros. ERR_REQ_SERIAL. */
MUST_CHECK err_t selection_set_serial(struct selection *selection, struct slice text);

/* What a fellow relay has purged; false: news is of another kind. */
bool selection_of_news(const struct news *news, struct selection *out);

bool selection_has(const struct selection *selection, const struct cache_key *key);

/* Each key that the selection may mean, which has a serial: of its issuer or else of each in the
 * table, under all algorithms. issuers: NULL is fine where it has an issuer. */
typedef void selection_fn(void *arg, const struct cache_key *key);
void selection_each_key(const struct selection *selection, const struct issuers *issuers,
			selection_fn *fn, void *arg);

struct gathering { /* entries, one reference to each */
	struct entry **entries;
	size_t n;
};

/* The entries in the cache that the selection has and that expire after now, but before until: the
 * first to expire comes first. ERR_NO_MEMORY: *out is empty. */
MUST_CHECK err_t selection_gather(const struct selection *selection, struct cache *cache,
				  int64_t now, int64_t until, struct gathering *out);
void gathering_fini(struct gathering *gathering); /* zeros are fine */

#endif
