/* SPDX-License-Identifier: ISC */
/*
 * What all threads of a relay share. Made before they start, unchanged while they run; the tables
 * behind the pointers do their own locking.
 */
#ifndef OCSPRELAY_RELAY_COMMON_H
#define OCSPRELAY_RELAY_COMMON_H

#include "base/hash.h"
#include "io/mailbox.h"
#include "io/store.h"
#include "state/addresses.h"
#include "state/cache.h"
#include "state/delegates.h"
#include "state/negative.h"
#include "state/responders.h"
#include "state/tail.h"
#include "state/trouble.h"

struct back;
struct pace;

struct common {
	struct hash_key hash_key;
	struct cache *cache;
	struct tails *tails;
	struct delegates *delegates;
	struct negative *negative;
	struct negative *asked_anew; /* keys that a client's no-cache was taken up for (HS-25) */
	struct pace *nonces; /* of clients, forwarded; by counters' slot of the responder (NO-07) */
	struct responders *responders;
	struct trouble *trouble; /* of issuers */
	struct addresses *addresses;
	struct store_shared **stores; /* in the order of the configuration */
	size_t n_stores;
	struct back **backs; /* the back thread of a key: its hash modulo n_backs */
	unsigned n_backs;
	struct mailbox *main_mailbox; /* notices that come home */
	char pseudonym[32];	      /* of this process, for Via: "ocsprelay-4f2a91c07be3" */
};

#endif
