/* SPDX-License-Identifier: ISC */
/*
 * An ask: one question on its way from a front thread to the back thread of its key and, answered,
 * home again. It is one allocation that changes hands by mailbox, so nothing in it needs a lock:
 * the question is read-only once posted, the answer belongs to the back thread until it posts the
 * ask back, and the part below "at home" is the front thread's all the time. Every posted ask comes
 * back exactly once; an ask without a home (a refresh) ends on the back thread.
 */
#ifndef OCSPRELAY_RELAY_ASK_H
#define OCSPRELAY_RELAY_ASK_H

#include "core/http_request.h"
#include "core/key.h"
#include "core/ocsp_request.h"
#include "core/reply.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "state/entry.h"
#include "state/issuers.h"

struct connection;
struct front;
struct refresher;

enum ask_kind {
	ASK_SHARED,  /* may be answered by whatever flight has its key */
	ASK_REFRESH, /* fetch, whatever the stores hold; no home, or one that brings a fallback */
	ASK_ALONE,   /* a flight of its own, because the answer is for this request only */
	ASK_GIVEN    /* a flight of its own, which brings its answer: to be judged and kept */
};

struct ask {
	struct message message; /* first */

	/* the question */
	enum ask_kind kind;
	bool may_store;		     /* false: the answer to this very request must not be kept */
	bool is_background;	     /* no client waits for it: others come first */
	bool no_cache;		     /* tell caches before the responder to step aside (HS-25) */
	struct mailbox *home;	     /* where the answer goes; NULL: nowhere */
	struct refresher *refresher; /* of the back thread: to be told of the end, or NULL */
	uint32_t stamp;		     /* of the refresher, or of home: kept for it */
	struct issuers *issuers;     /* keeps issuer alive */
	const struct issuer *issuer;
	struct cache_key key; /* of the first CertID */
	uint64_t hash;
	struct ocsp_request request; /* borrows from der */
	struct slice given;	     /* ASK_GIVEN: a record (core/record.h); in the heap */

	/* the answer */
	err_t err;
	struct entry *entry; /* one reference, with OK */
	enum reply_verdict verdict;
	const char *detail; /* static */
	unsigned fwd_status;
	bool is_stored;

	/* at home */
	struct front *front;
	struct connection *connection; /* NULL: the client is gone, or has been answered */
	struct timer *deadline;
	struct entry *fallback; /* still valid: the answer if no better one comes */
	enum http_method method;
	unsigned minor;
	int64_t us_start;

	struct slice signed_der; /* what to ask by if the responder wants a signature, or empty */
	uint8_t der[];		 /* what is sent upstream; then signed_der */
};

struct ask_question {
	enum ask_kind kind;
	struct issuers *issuers; /* a reference is taken */
	const struct issuer *issuer;
	const struct cache_key *key;
	uint64_t hash;
	struct slice der;	 /* the upstream request; copied */
	struct slice signed_der; /* the client's own, if it is another one and signed; copied */
};

/* Whether the octets that go upstream are the client's own, and not the request that we write for
 * its CertID: just then the answer is for this client only and must not be kept. */
static inline bool ask_is_verbatim(const struct ask *ask)
{
	return !ask->may_store;
}

/* A new ask, may_store, no home; a refresh is in the background until a client waits for it. NULL
 * without memory or if der is no OCSPRequest. */
struct ask *ask_new(const struct ask_question *question);

/* One about the certificate that key names, in the words that we would use upstream (NK-06). NULL
 * without memory, or if the key is of no issuer in the table. */
struct ask *ask_from_key(enum ask_kind kind, struct issuers *issuers, const struct cache_key *key,
			 uint64_t hash);

/* Gives it a copy of record. False without memory. */
MUST_CHECK bool ask_give(struct ask *ask, struct slice record);

/* Frees it with what it still holds. NULL is fine. */
void ask_free(struct ask *ask);

/* The same as a mailbox_fn, for mailbox_free. */
void ask_drop(void *arg, struct message *message);

#endif
