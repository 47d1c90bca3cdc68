/* SPDX-License-Identifier: ISC */
/*
 * The request reader against libcrypto: what ours accepts, libcrypto accepts too and reads the same
 * CertIDs from it. Not the other way round, and without what ours only steps over: requestorName
 * and optionalSignature. The minimal request of each CertID must be read as that CertID.
 */
#ifndef OCSPRELAY_TESTS_COMPARE_REQUEST_H
#define OCSPRELAY_TESTS_COMPARE_REQUEST_H

#include <stdlib.h>

#include <openssl/ocsp.h>

#include "compare.h"
#include "core/ocsp_request.h"

static inline bool is_same_octets(struct slice content, const ASN1_OCTET_STRING *theirs)
{
	return slice_eq(
	    content, slice_of(ASN1_STRING_get0_data(theirs), (size_t)ASN1_STRING_length(theirs)));
}

static inline bool is_same_certid(const struct certid *ours, OCSP_CERTID *theirs)
{
	ASN1_OCTET_STRING *name, *key;
	ASN1_INTEGER *serial;
	ASN1_OBJECT *oid;

	return OCSP_id_get0_info(&name, &oid, &key, &serial, theirs) == 1 &&
	       slice_eq(hash_algs[ours->alg].oid, slice_of(OBJ_get0_data(oid), OBJ_length(oid))) &&
	       is_same_octets(ours->name_hash, name) && is_same_octets(ours->key_hash, key) &&
	       is_same_integer(ours->serial, serial);
}

/* The request without requestorName and optionalSignature: itself, where it has none. Its octets
 * are at most as many; 0 if ours does not find its way. */
static inline size_t strip_request(struct slice in, uint8_t *dst)
{
	struct der der = der_of(in), tbs;
	struct slice content, before, name = slice_of(NULL, 0);
	size_t tbs_len, n;

	if (der_read(&der, DER_SEQUENCE, &content) != OK || !der_is_done(&der))
		return 0;
	der = der_of(content);
	if (der_read(&der, DER_SEQUENCE, &content) != OK)
		return 0;
	tbs = der_of(content);
	if (der_is_next(&tbs, DER_CONTEXT_0) && der_read_any(&tbs, NULL, NULL, NULL) != OK)
		return 0;
	before = slice_of(content.p, (size_t)(tbs.p - content.p));
	if (der_is_next(&tbs, DER_CONTEXT_0 + 1) && der_read_any(&tbs, NULL, NULL, &name) != OK)
		return 0;
	tbs_len = content.len - name.len;
	n = der_put_header(dst, DER_SEQUENCE, der_header_len(tbs_len) + tbs_len);
	n += der_put_header(dst + n, DER_SEQUENCE, tbs_len);
	memcpy(dst + n, before.p, before.len);
	memcpy(dst + n + before.len, tbs.p, (size_t)(tbs.end - tbs.p));
	return n + tbs_len;
}

static inline bool has_sound_minimal(const struct certid *certid, struct slice nonce_ext)
{
	static const struct ocsp_request_limits one = {.max_certids = 1, .max_extensions = 1};
	uint8_t dst[MAX_MINIMAL_REQUEST_LEN + 512];
	struct ocsp_request again;
	size_t len;

	if (ocsp_request_encode(certid, nonce_ext, dst, sizeof(dst), &len) != OK)
		return true;
	return ocsp_request_parse(slice_of(dst, len), &one, &again) == OK &&
	       again.certids[0].alg == certid->alg &&
	       slice_eq(again.certids[0].name_hash, certid->name_hash) &&
	       slice_eq(again.certids[0].key_hash, certid->key_hash) &&
	       slice_eq(again.certids[0].serial, certid->serial) &&
	       slice_eq(again.nonce_ext, nonce_ext);
}

/* Whether libcrypto reads the same from what ours has accepted. */
static inline bool is_same_request(const struct ocsp_request *ours)
{
	uint8_t *copy = malloc(ours->der.len);
	const uint8_t *p = copy;
	size_t n = copy ? strip_request(ours->der, copy) : 0;
	OCSP_REQUEST *theirs = d2i_OCSP_REQUEST(NULL, &p, (long)n);
	bool is_same =
	    theirs && p == copy + n && OCSP_request_onereq_count(theirs) == (int)ours->n_certids;

	for (unsigned i = 0; is_same && i < ours->n_certids; i++)
		is_same =
		    is_same_certid(&ours->certids[i],
				   OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, (int)i))) &&
		    has_sound_minimal(&ours->certids[i], ours->nonce_ext);
	OCSP_REQUEST_free(theirs);
	free(copy);
	return is_same;
}

#endif
