/* SPDX-License-Identifier: ISC */
/*
 * Delegates that have signed a response, a few for each issuer: a responder that does not embed its
 * certificate every time is understood (VS-18), and one that does costs a single signature check
 * from the second response on. Nothing is trusted for being here. Each response asks its candidates
 * anew whether they are valid now and hang below a certificate that the issuer has now
 * (core/delegate.h), so an issuer table that was changed by a reload needs nothing to be dropped.
 * In this process only. Any thread; own mutex, miss path only.
 */
#ifndef OCSPRELAY_STATE_DELEGATES_H
#define OCSPRELAY_STATE_DELEGATES_H

#include "base/hash.h"
#include "core/verify.h"

#define MAX_DELEGATE_LEN 16384 /* octets of a certificate; a larger one is not remembered */

struct delegates;

/* max_octets: of all certificates together as DER; decoded they take several times as much. The
 * issuer whose delegates were used longest ago makes room. NULL without memory. */
struct delegates *delegates_new(size_t max_octets, struct hash_key key);
void delegates_free(struct delegates *delegates); /* NULL is fine */

/* verify_response with the delegates that are known of the question's issuer, whose own `known` is
 * not used; a delegate that signed is remembered. Without memory it is not. */
MUST_CHECK err_t delegates_verify(struct delegates *delegates, struct slice der,
				  const struct verify_question *question, struct verdict *out);

/* Octets of DER that are held. */
size_t delegates_octets(struct delegates *delegates);

#endif
