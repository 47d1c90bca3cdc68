/* SPDX-License-Identifier: ISC */
/*
 * A flight's conversation with the responders: one request after the other, as the attempts say,
 * until an answer is good or nobody is left. Back threads only.
 */
#ifndef OCSPRELAY_RELAY_FETCH_H
#define OCSPRELAY_RELAY_FETCH_H

#include "relay/attempts.h"
#include "relay/step.h"

struct back;

typedef void fetch_fn(void *arg);

struct fetch {
	struct back *back;
	const struct ask *question;
	fetch_fn *wake;
	void *arg;

	struct attempts attempts;
	struct entry *held;  /* one reference: that a responder may confirm (HC-04), or NULL */
	uint64_t n_removals; /* of the cache, when it was there */
	struct slice etag;   /* of held: the request was conditional; or empty */
	uint8_t *held_der;
	struct transfer *transfer;
	const struct upstream_answer *answer; /* borrowed until fetch_judge returns */

	err_t err; /* after STEP_FAIL */
	/* of the good answer */
	unsigned http_status;
	unsigned algs; /* of its verdict */
	bool may_store;
};

/* All is kept. For a refresh, what memory holds for the key is held. */
void fetch_init(struct fetch *fetch, struct back *back, const struct ask *question, fetch_fn *wake,
		void *arg);

/* STEP_WAIT: wake is called when there is an answer to judge. STEP_FAIL. */
enum step fetch_ask(struct fetch *fetch);

/* STEP_NEXT: *out is the entry, one reference. STEP_AGAIN: somebody is to be asked again.
 * STEP_FAIL.
 */
enum step fetch_judge(struct fetch *fetch, struct entry **out);

/* The proxy by which an issuer's responders are asked, in the words of io/upstream.h. */
const char *fetch_proxy(const struct issuer *issuer);

/* wake is not called any more. */
void fetch_end(struct fetch *fetch);

#endif
