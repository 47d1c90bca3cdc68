/* SPDX-License-Identifier: ISC */
/*
 * The response reader against libcrypto: what ours accepts, libcrypto accepts too and reads the
 * same from it. Not the other way round. Names and certificates, which ours hands to libcrypto only
 * when a signature is verified, may be broken: a response that libcrypto refuses because of them
 * is compared with byKey for the name and without the certificates.
 */
#ifndef OCSPRELAY_TESTS_COMPARE_RESPONSE_H
#define OCSPRELAY_TESTS_COMPARE_RESPONSE_H

#include <stdlib.h>
#include <time.h>

#include <openssl/ocsp.h>

#include "compare.h"
#include "core/dates.h"
#include "core/response.h"

static inline bool is_same_time(int64_t ours, const ASN1_GENERALIZEDTIME *theirs)
{
	struct tm tm;

	if (!theirs)
		return ours == TIME_NEVER;
	return ASN1_TIME_to_tm(theirs, &tm) == 1 && timegm(&tm) == ours;
}

/* SEQUENCE { ResponseData with byKey, signatureAlgorithm, signature } */
static inline OCSP_BASICRESP *read_stripped(const struct response *ours)
{
	static const uint8_t by_key[24] = {0xa2, 0x16, 0x04, 0x14};
	struct slice id = ours->name.p ? ours->name : ours->key_hash;
	size_t rest_len = (size_t)(ours->tbs.p + ours->tbs.len - (id.p + id.len));
	size_t tbs_len = sizeof(by_key) + rest_len;
	size_t bits_len = 1 + ours->signature.len;
	size_t len = der_header_len(tbs_len) + tbs_len + ours->sig_alg.len +
		     der_header_len(bits_len) + bits_len;
	uint8_t *copy = malloc(der_header_len(len) + len);
	const uint8_t *p = copy;
	OCSP_BASICRESP *basic;
	size_t n;

	if (!copy)
		return NULL;
	n = der_put_header(copy, DER_SEQUENCE, len);
	n += der_put_header(copy + n, DER_SEQUENCE, tbs_len);
	memcpy(copy + n, by_key, sizeof(by_key));
	memcpy(copy + n + sizeof(by_key), id.p + id.len, rest_len);
	n += tbs_len;
	memcpy(copy + n, ours->sig_alg.p, ours->sig_alg.len);
	n += ours->sig_alg.len;
	n += der_put_header(copy + n, DER_BIT_STRING, bits_len);
	copy[n++] = 0;
	memcpy(copy + n, ours->signature.p, ours->signature.len);
	n += ours->signature.len;
	basic = d2i_OCSP_BASICRESP(NULL, &p, (long)n);
	free(copy);
	return basic;
}

static inline bool is_same_single(const struct single *ours, OCSP_SINGLERESP *theirs)
{
	static const int statuses[] = {[CERT_GOOD] = V_OCSP_CERTSTATUS_GOOD,
				       [CERT_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
				       [CERT_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN};
	ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;
	ASN1_INTEGER *serial;
	int reason = -1;
	int status = OCSP_single_get0_status(theirs, &reason, &revoked, &this_update, &next_update);

	return OCSP_id_get0_info(NULL, NULL, NULL, &serial,
				 (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(theirs)) == 1 &&
	       is_same_integer(ours->certid.serial, serial) && status == statuses[ours->status] &&
	       is_same_time(ours->this_update, this_update) &&
	       is_same_time(ours->next_update, next_update) &&
	       (ours->status != CERT_REVOKED ||
		(is_same_time(ours->revoked_at, revoked) && ours->reason == reason));
}

static inline bool is_same_basic(const struct response *ours, OCSP_BASICRESP *theirs)
{
	struct der cursor = der_of(ours->singles);
	struct single single;
	int n = 0;

	if (!theirs || OCSP_resp_count(theirs) != (int)ours->n_singles ||
	    !is_same_time(ours->produced_at, OCSP_resp_get0_produced_at(theirs)))
		return false;
	while (response_next_single(&cursor, &single) == OK) {
		if (!is_same_single(&single, OCSP_resp_get0(theirs, n++)))
			return false;
	}
	return n == (int)ours->n_singles && der_is_done(&cursor);
}

/* Whether libcrypto reads the same from what ours has accepted. What an unsuccessful response holds
 * besides its status is not looked at (rule VS-01). */
static inline bool is_same_response(const struct response *ours)
{
	const uint8_t *p = ours->der.p;
	OCSP_RESPONSE *theirs;
	OCSP_BASICRESP *basic;
	bool is_same;

	if (ours->status != OCSP_SUCCESSFUL)
		return true;
	theirs = d2i_OCSP_RESPONSE(NULL, &p, (long)ours->der.len);
	if (!theirs)
		return false;
	basic = OCSP_response_get1_basic(theirs);
	if (!basic && (ours->name.p || ours->n_certs > 0))
		basic = read_stripped(ours);
	is_same = p == ours->der.p + ours->der.len &&
		  OCSP_response_status(theirs) == OCSP_RESPONSE_STATUS_SUCCESSFUL &&
		  is_same_basic(ours, basic);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(theirs);
	return is_same;
}

#endif
