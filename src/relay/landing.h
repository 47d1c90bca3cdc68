/* SPDX-License-Identifier: ISC */
/*
 * What becomes of what a flight brought: a verified response is kept, in memory and in every store,
 * unless a newer one is there; a failure gives way to a signed answer that is still valid, or else
 * is remembered for a short time. Back threads only.
 */
#ifndef OCSPRELAY_RELAY_LANDING_H
#define OCSPRELAY_RELAY_LANDING_H

#include "relay/ask.h"
#include "relay/common.h"

struct back;
struct fetch;

/* What fetch brought, *in_out: kept if it may be, under all the keys by which the response names
 * its certificate. Whether it was. Where memory holds a newer one, that takes its place in *in_out
 * and in what clients get, kept or not (CL-16). */
bool landing_take(struct back *back, const struct ask *question, const struct fetch *fetch,
		  struct entry **in_out);

/* Before entry is put into memory, fetched by us or another relay: a refresh that brought the very
 * octets that we have is not repeated soon (CL-07). */
void landing_put_off_if_same(const struct common *common, const struct ask *question,
			     struct entry *entry);

/* Writes entry to every store, and tells the fleet. */
void landing_write(struct back *back, const struct entry *entry);

/* Tells those who watch for it that a certificate's status is another one now; old_status as
 * cache_put gives it. */
void landing_note_status(const struct ask *question, int old_status, unsigned new_status);

/* What another flight of this question's key came to while the question was on its way here: OK and
 * a valid entry, one reference; the failure that is remembered; ERR_NOT_FOUND. To fetch once more
 * would be one fetch too many (HC-11). */
MUST_CHECK err_t landing_find(struct back *back, const struct ask *question, struct entry **out);

/*
 * The flight failed with err. Returns the answer that is still valid (fallback, or what memory
 * holds), with its next refresh put off; NULL if there is none, and err is then remembered for
 * retry_after seconds or as long as its row says. Takes fallback, which may be NULL.
 */
struct entry *landing_fail(struct back *back, const struct ask *question, err_t err,
			   int64_t retry_after, struct entry *fallback);

/* For how many seconds err is repeated to clients then, when a responder asked to be left alone for
 * retry_after (CL-19). */
int64_t landing_negative_ttl(const struct policy *policy, err_t err, int64_t retry_after);

#endif
