/* SPDX-License-Identifier: ISC */
/*
 * Checking a delegate. OpenSSL's path validation runs against the issuer's certificates alone; what
 * it leaves to trust settings and flags (extended key usage, chain length) is decided here. All
 * that OpenSSL computes on first use is computed by then, so that threads only read.
 */
#include "core/delegate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

struct delegate {
	atomic_uint n_refs;
	X509 *cert;
	X509 *below; /* the issuer's certificate that it was checked against; NULL: not yet */
	struct issuer_validity validity;
	size_t len;
	uint8_t der[];
};

/* Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }. The library also
 * takes BER, and the CA has signed the first of these only (rule VS-19). */
static bool is_framed_in_der(struct slice cert)
{
	struct der der = der_of(cert);
	struct algorithm algorithm;
	struct slice content;

	if (der_read(&der, DER_SEQUENCE, &content) != OK || !der_is_done(&der))
		return false;
	der = der_of(content);
	return der_read(&der, DER_SEQUENCE, &content) == OK &&
	       der_read_algorithm(&der, &algorithm) == OK &&
	       der_read(&der, DER_BIT_STRING, &content) == OK && der_is_done(&der);
}

err_t delegate_new(struct slice der, struct delegate **out)
{
	struct delegate *delegate = malloc(sizeof(*delegate) + der.len);
	const uint8_t *p = der.p;
	err_t e = ERR_RSP_SIGNER_CERT;

	if (!delegate)
		return ERR_NO_MEMORY;
	*delegate = (struct delegate){.len = der.len};
	atomic_init(&delegate->n_refs, 1);
	memcpy(delegate->der, der.p, der.len);
	delegate->cert = d2i_X509(NULL, &p, (long)der.len);
	if (!delegate->cert || !is_framed_in_der(der) ||
	    !issuer_validity_of(delegate->cert, &delegate->validity))
		goto out;
	*out = delegate;
	delegate = NULL;
	e = OK;
out:
	delegate_unref(delegate);
	ERR_clear_error();
	return e;
}

struct delegate *delegate_ref(struct delegate *delegate)
{
	atomic_fetch_add_explicit(&delegate->n_refs, 1, memory_order_relaxed);
	return delegate;
}

void delegate_unref(struct delegate *delegate)
{
	if (!delegate || atomic_fetch_sub_explicit(&delegate->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	X509_free(delegate->cert);
	X509_free(delegate->below);
	free(delegate);
}

/* --- checking --- */

/* What the library finds wrong: not below this issuer at all, or something about the certificate
 * itself (its signature, unknown critical extensions, name constraints). */
static err_t chain_error(int code)
{
	switch (code) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_CERT_UNTRUSTED:
		return ERR_RSP_SIGNER_ISSUER;
	case X509_V_ERR_OUT_OF_MEM:
		return ERR_NO_MEMORY;
	default:
		return ERR_RSP_SIGNER_CHAIN;
	}
}

/* Issued directly by the issuer and with its key: exactly two certificates, and the store holds no
 * other key than the issuer's. *out_below: one reference to the upper one. */
static err_t check_chain(const struct issuer *issuer, X509 *cert, X509 **out_below)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const STACK_OF(X509) * chain;
	err_t e = ERR_NO_MEMORY;

	if (!ctx || X509_STORE_CTX_init(ctx, issuer->store, cert, NULL) != 1)
		goto out;
	e = X509_verify_cert(ctx) == 1 ? OK : chain_error(X509_STORE_CTX_get_error(ctx));
	if (e != OK)
		goto out;
	chain = X509_STORE_CTX_get0_chain(ctx);
	e = ERR_RSP_SIGNER_ISSUER;
	if (sk_X509_num(chain) != 2)
		goto out;
	e = ERR_NO_MEMORY;
	if (X509_up_ref(sk_X509_value(chain, 1)) != 1)
		goto out;
	*out_below = sk_X509_value(chain, 1);
	e = OK;
out:
	X509_STORE_CTX_free(ctx);
	return e;
}

/* In so many words: where the extension is absent the library reports every usage. */
static bool has_ocsp_signing(X509 *cert)
{
	return (X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) &&
	       (X509_get_extended_key_usage(cert) & XKU_OCSP_SIGN);
}

err_t delegate_check(struct delegate *delegate, const struct issuer *issuer)
{
	const X509_NAME *issuer_name = X509_get_subject_name(issuer->certs[0]);
	X509 *cert = delegate->cert, *below;
	err_t e;

	if (!X509_get0_pubkey(cert))
		return ERR_RSP_SIGNER_CERT;
	if (X509_NAME_cmp(X509_get_issuer_name(cert), issuer_name) != 0)
		return ERR_RSP_SIGNER_ISSUER;
	if (X509_get_extension_flags(cert) & EXFLAG_INVALID)
		return ERR_RSP_SIGNER_CERT;
	if (!has_ocsp_signing(cert))
		return ERR_RSP_SIGNER_EKU;
	if (!(X509_get_key_usage(cert) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		return ERR_RSP_SIGNER_USAGE;
	e = check_chain(issuer, cert, &below);
	ERR_clear_error();
	if (e != OK)
		return e;
	X509_free(delegate->below);
	delegate->below = below;
	return OK;
}

/* The same object as a rule; after a reload another one of the same octets. */
bool delegate_is_below(const struct delegate *delegate, const struct issuer *issuer)
{
	for (size_t i = 0; delegate->below && i < issuer->n_certs; i++) {
		if (delegate->below == issuer->certs[i] ||
		    X509_cmp(delegate->below, issuer->certs[i]) == 0)
			return true;
	}
	return false;
}

struct slice delegate_der(const struct delegate *delegate)
{
	return slice_of(delegate->der, delegate->len);
}

X509 *delegate_cert(const struct delegate *delegate)
{
	return delegate->cert;
}

const struct issuer_validity *delegate_validity(const struct delegate *delegate)
{
	return &delegate->validity;
}

bool delegate_has_nocheck(const struct delegate *delegate)
{
	return X509_get_ext_by_NID(delegate->cert, NID_id_pkix_OCSP_noCheck, -1) >= 0;
}

/* --- sets --- */

void delegate_set_use(struct delegate_set *set, struct delegate *delegate)
{
	unsigned at = 0;

	while (at < set->n && !slice_eq(delegate_der(set->items[at]), delegate_der(delegate)))
		at++;
	if (at == MAX_DELEGATES)
		at--;
	delegate_ref(delegate);
	if (at < set->n)
		delegate_unref(set->items[at]);
	else
		set->n++;
	memmove(&set->items[1], &set->items[0], at * sizeof(set->items[0]));
	set->items[0] = delegate;
}

struct delegate_set delegate_set_ref(const struct delegate_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		delegate_ref(set->items[i]);
	return *set;
}

void delegate_set_fini(struct delegate_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		delegate_unref(set->items[i]);
	set->n = 0;
}
