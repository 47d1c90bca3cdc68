/* SPDX-License-Identifier: ISC */
/*
 * The request reader against libcrypto: what ours accepts, libcrypto accepts too and reads the same
 * CertIDs from it. Not the other way round, and without what ours only steps over: requestorName
 * and optionalSignature. The minimal request of each CertID must be read as that CertID.
 */
#include <stdlib.h>

#include <openssl/ocsp.h>

#include "base/bytes.h"
#include "compare.h"
#include "core/ocsp_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool is_same_octets(struct slice content, const ASN1_OCTET_STRING *theirs)
{
	return slice_eq(
	    content, slice_of(ASN1_STRING_get0_data(theirs), (size_t)ASN1_STRING_length(theirs)));
}

static void compare_certid(const struct certid *ours, OCSP_CERTID *theirs)
{
	ASN1_OCTET_STRING *name, *key;
	ASN1_INTEGER *serial;
	ASN1_OBJECT *oid;

	require(OCSP_id_get0_info(&name, &oid, &key, &serial, theirs) == 1);
	require(slice_eq(hash_algs[ours->alg].oid, slice_of(OBJ_get0_data(oid), OBJ_length(oid))));
	require(is_same_octets(ours->name_hash, name) && is_same_octets(ours->key_hash, key));
	require(is_same_integer(ours->serial, serial));
}

/* The request without requestorName and optionalSignature: itself, where it has none. */
static size_t strip(struct slice in, uint8_t *dst)
{
	struct der der = der_of(in);
	struct slice content, before, name = slice_of(NULL, 0);
	struct der tbs;
	size_t tbs_len, n;

	require(der_read(&der, DER_SEQUENCE, &content) == OK);
	der = der_of(content);
	require(der_read(&der, DER_SEQUENCE, &content) == OK);
	tbs = der_of(content);
	if (der_is_next(&tbs, DER_CONTEXT_0))
		require(der_read_any(&tbs, NULL, NULL, NULL) == OK);
	before = slice_of(content.p, (size_t)(tbs.p - content.p));
	if (der_is_next(&tbs, DER_CONTEXT_0 + 1))
		require(der_read_any(&tbs, NULL, NULL, &name) == OK);
	tbs_len = content.len - name.len;
	n = der_put_header(dst, DER_SEQUENCE, der_header_len(tbs_len) + tbs_len);
	n += der_put_header(dst + n, DER_SEQUENCE, tbs_len);
	memcpy(dst + n, before.p, before.len);
	memcpy(dst + n + before.len, tbs.p, (size_t)(tbs.end - tbs.p));
	return n + tbs_len;
}

static void check_minimal(const struct certid *certid, struct slice nonce_ext)
{
	static const struct ocsp_request_limits one = {.max_certids = 1, .max_extensions = 1};
	uint8_t dst[MAX_MINIMAL_REQUEST_LEN + 512];
	struct ocsp_request again;
	size_t len;

	if (ocsp_request_encode(certid, nonce_ext, dst, sizeof(dst), &len) != OK)
		return;
	require(ocsp_request_parse(slice_of(dst, len), &one, &again) == OK);
	require(again.certids[0].alg == certid->alg);
	require(slice_eq(again.certids[0].name_hash, certid->name_hash));
	require(slice_eq(again.certids[0].key_hash, certid->key_hash));
	require(slice_eq(again.certids[0].serial, certid->serial));
	require(slice_eq(again.nonce_ext, nonce_ext));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct ocsp_request_limits limits = {.max_certids = MAX_CERTIDS,
							  .max_extensions = 16};
	struct ocsp_request ours;
	OCSP_REQUEST *theirs;
	const uint8_t *p;
	uint8_t *copy;
	size_t n;

	if (ocsp_request_parse(slice_of(data, len), &limits, &ours) != OK)
		return 0;
	p = copy = malloc(len);
	require(copy != NULL);
	n = strip(ours.der, copy);
	theirs = d2i_OCSP_REQUEST(NULL, &p, (long)n);
	require(theirs != NULL && p == copy + n);
	require(OCSP_request_onereq_count(theirs) == (int)ours.n_certids);
	for (unsigned i = 0; i < ours.n_certids; i++) {
		compare_certid(&ours.certids[i],
			       OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, (int)i)));
		check_minimal(&ours.certids[i], ours.nonce_ext);
	}
	OCSP_REQUEST_free(theirs);
	free(copy);
	return 0;
}
