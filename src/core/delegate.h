/* SPDX-License-Identifier: ISC */
/*
 * A delegate: a certificate that an issuer's very key has issued and that names id-kp-OCSPSigning
 * (RFC 6960 4.2.2.2), decoded and checked once. Immutable from then on, reference counted, any
 * thread.
 *
 * What was found is a fact about two certificates, the delegate's and the one of the issuer that it
 * hangs below. It holds for whoever has that very certificate as an issuer (delegate_is_below), and
 * for nobody else; no time is part of it. So nothing is trusted for being remembered: signer.c asks
 * every delegate, remembered or new, for both.
 */
#ifndef OCSPRELAY_CORE_DELEGATE_H
#define OCSPRELAY_CORE_DELEGATE_H

#include "core/issuer.h"

#define MAX_DELEGATES 4

struct delegate;

/* Decodes a certificate; der is copied. One reference is given. ERR_RSP_SIGNER_CERT,
 * ERR_NO_MEMORY. */
MUST_CHECK err_t delegate_new(struct slice der, struct delegate **out);
struct delegate *delegate_ref(struct delegate *delegate); /* returns delegate */
void delegate_unref(struct delegate *delegate);		  /* NULL is fine */

/* Whether the issuer delegated to it, whatever the time: then delegate_is_below of this issuer.
 * Before it is shared. ERR_RSP_SIGNER_xxx, ERR_NO_MEMORY. */
MUST_CHECK err_t delegate_check(struct delegate *delegate, const struct issuer *issuer);

/* Whether it was checked against a certificate that this issuer has. */
bool delegate_is_below(const struct delegate *delegate, const struct issuer *issuer);

/* All of these are the delegate's. */
struct slice delegate_der(const struct delegate *delegate);
X509 *delegate_cert(const struct delegate *delegate);
const struct issuer_validity *delegate_validity(const struct delegate *delegate);
bool delegate_has_nocheck(const struct delegate *delegate); /* RFC 6960 4.2.2.2.1 */

/* The delegates of one issuer that signed last, the latest first; a reference of each. A set of
 * zeros is empty. */
struct delegate_set {
	struct delegate *items[MAX_DELEGATES];
	unsigned n;
};

/* This one has signed: it becomes the first, a reference is taken. What stood for the same
 * certificate leaves, else the last of a full set. */
void delegate_set_use(struct delegate_set *set, struct delegate *delegate);

/* A copy with references of its own. */
struct delegate_set delegate_set_ref(const struct delegate_set *set);
void delegate_set_fini(struct delegate_set *set); /* which is empty then */

#endif
