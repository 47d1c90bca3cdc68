/* SPDX-License-Identifier: ISC */
/*
 * The reader of OCSPResponse. One function per production of RFC 6960 4.2.1, from the inside out;
 * none calls itself. What is signed, and by whom, is told by slices of the original octets, since
 * a signature is verified over them and nothing else (rule VS-19).
 */
#include "core/response.h"

#include "base/bytes.h"
#include "core/dates.h"
#include "core/extension.h"

enum {
	SHA1_LEN = 20, /* of a responderID byKey (RFC 6960 4.2.1) */
	TAG_GOOD = 0x80,
	TAG_REVOKED = 0xa1,
	TAG_UNKNOWN = 0x82,
	MAX_REASON = 10, /* CRLReason, RFC 5280 5.3.1 */
	UNUSED_REASON = 7
};

static err_t read_time(struct der *der, int64_t *out_t)
{
	struct slice content;

	if (der_read(der, DER_GENERALIZED_TIME, &content) != OK)
		return ERR_RSP_DER;
	return date_from_generalized(content, out_t);
}

/* What the extensions of a list amount to. */
struct findings {
	bool has_critical; /* unknown critical (rule VS-21) */
	bool has_nonce;
	bool has_extended_revoke;
	struct slice nonce;
};

static err_t note_extension(struct findings *findings, const struct extension *extension)
{
	switch (extension_arc_of(extension->oid)) {
	case EXTENSION_NONCE:
		if (findings->has_nonce)
			return ERR_RSP_DER;
		findings->has_nonce = true;
		findings->nonce = extension_nonce(extension->value);
		return OK;
	case EXTENSION_EXTENDED_REVOKE:
		findings->has_extended_revoke = true;
		return OK;
	default:
		if (extension->is_critical && !extension_is_known(extension->oid))
			findings->has_critical = true;
		return OK;
	}
}

/* [1] EXPLICIT Extensions OPTIONAL, last in the ResponseData and in the SingleResponse. */
static err_t read_extensions(struct der *der, struct findings *findings)
{
	struct slice content;
	struct der list;
	err_t e = OK;

	if (der_is_done(der))
		return OK;
	if (der_read_explicit(der, DER_CONTEXT_0 + 1, DER_SEQUENCE, &content) != OK ||
	    !der_is_done(der) || content.len == 0)
		return ERR_RSP_DER;
	list = der_of(content);
	while (e == OK && !der_is_done(&list)) {
		struct extension extension;

		e = der_read_extension(&list, &extension);
		if (e == OK)
			e = note_extension(findings, &extension);
	}
	return e;
}

/* RevokedInfo ::= SEQUENCE { revocationTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL } */
static err_t read_revoked_info(struct slice content, struct single *single)
{
	struct der der = der_of(content);
	struct slice reason;
	struct der inner;
	uint32_t value;
	err_t e = read_time(&der, &single->revoked_at);

	if (e != OK || der_is_done(&der))
		return e;
	if (der_read(&der, DER_CONTEXT_0, &reason) != OK || !der_is_done(&der))
		return ERR_RSP_DER;
	inner = der_of(reason);
	if (der_read_small(&inner, DER_ENUMERATED, &value) != OK || !der_is_done(&inner) ||
	    value > MAX_REASON || value == UNUSED_REASON)
		return ERR_RSP_DER;
	single->reason = (int)value;
	return OK;
}

/* CertStatus: good and unknown are IMPLICIT NULL. */
static err_t read_cert_status(struct der *der, struct single *single)
{
	struct slice content;
	uint8_t tag;

	if (der_read_any(der, &tag, &content, NULL) != OK)
		return ERR_RSP_DER;
	switch (tag) {
	case TAG_GOOD:
		single->status = CERT_GOOD;
		return content.len == 0 ? OK : ERR_RSP_DER;
	case TAG_UNKNOWN:
		single->status = CERT_UNKNOWN;
		return content.len == 0 ? OK : ERR_RSP_DER;
	case TAG_REVOKED:
		single->status = CERT_REVOKED;
		return read_revoked_info(content, single);
	default:
		return ERR_RSP_DER;
	}
}

/* nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL */
static err_t read_next_update(struct der *der, struct single *single)
{
	struct slice content;

	if (!der_is_next(der, DER_CONTEXT_0))
		return OK;
	if (der_read_explicit(der, DER_CONTEXT_0, DER_GENERALIZED_TIME, &content) != OK)
		return ERR_RSP_DER;
	single->has_next_update = true;
	return date_from_generalized(content, &single->next_update);
}

err_t response_next_single(struct der *cursor, struct single *out)
{
	struct single single = {.reason = -1, .next_update = TIME_NEVER};
	struct findings findings = {.has_critical = false};
	struct der at = *cursor;
	struct slice content;
	struct der der;
	err_t e;

	if (der_is_done(cursor))
		return ERR_NOT_FOUND;
	if (der_read(&at, DER_SEQUENCE, &content) != OK)
		return ERR_RSP_DER;
	der = der_of(content);
	if (certid_read_any(&der, &single.certid) != OK)
		return ERR_RSP_DER;
	e = read_cert_status(&der, &single);
	if (e == OK)
		e = read_time(&der, &single.this_update);
	if (e == OK)
		e = read_next_update(&der, &single);
	if (e == OK)
		e = read_extensions(&der, &findings);
	if (e != OK)
		return e;
	single.has_critical = findings.has_critical;
	*cursor = at;
	*out = single;
	return OK;
}

err_t response_next_cert(struct der *cursor, struct slice *out_cert)
{
	if (der_is_done(cursor))
		return ERR_NOT_FOUND;
	if (!der_is_next(cursor, DER_SEQUENCE))
		return ERR_RSP_DER;
	return der_read_any(cursor, NULL, NULL, out_cert);
}

/* responses SEQUENCE OF SingleResponse: at least one, or there is no answer (rule SL-05). */
static err_t read_singles(struct der *der, struct response *response)
{
	struct der list;
	struct single single;

	if (der_read(der, DER_SEQUENCE, &response->singles) != OK)
		return ERR_RSP_DER;
	list = der_of(response->singles);
	while (!der_is_done(&list)) {
		err_t e;

		if (response->n_singles == MAX_SINGLES)
			return ERR_RSP_SINGLES;
		e = response_next_single(&list, &single);
		if (e != OK)
			return e;
		response->n_singles++;
	}
	return response->n_singles > 0 ? OK : ERR_RSP_SINGLES;
}

/* version [0] EXPLICIT DEFAULT v1 */
static err_t read_version(struct der *der)
{
	struct slice content;
	struct slice version;
	struct der inner;

	if (!der_is_next(der, DER_CONTEXT_0))
		return OK;
	if (der_read(der, DER_CONTEXT_0, &content) != OK)
		return ERR_RSP_DER;
	inner = der_of(content);
	if (der_read_integer(&inner, DER_INTEGER, &version) != OK || !der_is_done(&inner))
		return ERR_RSP_DER;
	return version.len == 1 && version.p[0] == 0 ? OK : ERR_RSP_VERSION;
}

/* ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT KeyHash } */
static err_t read_responder_id(struct der *der, struct response *response)
{
	struct slice content;
	struct der inner;
	uint8_t tag;

	if (der_is_next(der, DER_CONTEXT_0 + 2)) {
		if (der_read_explicit(der, DER_CONTEXT_0 + 2, DER_OCTET_STRING,
				      &response->key_hash) != OK)
			return ERR_RSP_DER;
		return response->key_hash.len == SHA1_LEN ? OK : ERR_RSP_DER;
	}
	if (der_read(der, DER_CONTEXT_0 + 1, &content) != OK)
		return ERR_RSP_DER;
	inner = der_of(content);
	if (der_read_any(&inner, &tag, NULL, &response->name) != OK || tag != DER_SEQUENCE)
		return ERR_RSP_DER;
	return der_is_done(&inner) ? OK : ERR_RSP_DER;
}

static err_t read_response_data(struct slice content, struct response *response)
{
	struct der der = der_of(content);
	struct findings findings = {.has_critical = false};
	err_t e = read_version(&der);

	if (e == OK)
		e = read_responder_id(&der, response);
	if (e == OK)
		e = read_time(&der, &response->produced_at);
	if (e == OK)
		e = read_singles(&der, response);
	if (e == OK)
		e = read_extensions(&der, &findings);
	if (e != OK)
		return e;
	response->flags = (findings.has_critical ? (unsigned)RESPONSE_CRITICAL : 0) |
			  (findings.has_nonce ? (unsigned)RESPONSE_NONCE : 0) |
			  (findings.has_extended_revoke ? (unsigned)RESPONSE_EXTENDED_REVOKE : 0);
	response->nonce = findings.nonce;
	return OK;
}

/* certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL, last in the BasicOCSPResponse. What is in
 * them is the verifier's business. */
static err_t read_certs(struct der *der, struct response *response)
{
	struct der list;
	struct slice cert;

	if (der_is_done(der))
		return OK;
	if (der_read_explicit(der, DER_CONTEXT_0, DER_SEQUENCE, &response->certs) != OK ||
	    !der_is_done(der))
		return ERR_RSP_DER;
	list = der_of(response->certs);
	while (!der_is_done(&list)) {
		if (response->n_certs == MAX_RESPONSE_CERTS)
			return ERR_RSP_CERTS;
		if (response_next_cert(&list, &cert) != OK)
			return ERR_RSP_DER;
		response->n_certs++;
	}
	return OK;
}

/* signature BIT STRING: of every algorithm that signs responses, whole octets. */
static err_t read_signature(struct der *der, struct response *response)
{
	struct slice bits;

	if (der_read(der, DER_BIT_STRING, &bits) != OK || bits.len == 0 || bits.p[0] != 0)
		return ERR_RSP_DER;
	response->signature = slice_skip(bits, 1);
	return OK;
}

static err_t read_basic(struct slice octets, struct response *response)
{
	struct der der = der_of(octets);
	struct algorithm algorithm;
	struct slice content;
	err_t e;

	if (der_read(&der, DER_SEQUENCE, &content) != OK || !der_is_done(&der))
		return ERR_RSP_DER;
	der = der_of(content);
	if (!der_is_next(&der, DER_SEQUENCE) ||
	    der_read_any(&der, NULL, &content, &response->tbs) != OK)
		return ERR_RSP_DER;
	e = read_response_data(content, response);
	if (e != OK)
		return e;
	if (der_read_algorithm(&der, &algorithm) != OK)
		return ERR_RSP_DER;
	response->sig_alg = algorithm.tlv;
	e = read_signature(&der, response);
	return e == OK ? read_certs(&der, response) : e;
}

/* ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING } */
static err_t read_bytes(struct slice content, struct response *response)
{
	struct der der = der_of(content);
	struct slice type;
	struct slice octets;

	if (der_read_oid(&der, &type) != OK || der_read(&der, DER_OCTET_STRING, &octets) != OK ||
	    !der_is_done(&der))
		return ERR_RSP_DER;
	if (!extension_is_ocsp_basic(type))
		return ERR_RSP_TYPE;
	return read_basic(octets, response);
}

/* OCSPResponseStatus: 4 is not used (rule VS-01). */
static bool is_status(uint32_t value)
{
	return value <= OCSP_UNAUTHORIZED && value != 4;
}

err_t response_parse(struct slice in, struct response *out)
{
	struct response response = {.der = in};
	struct der der = der_of(in);
	struct slice content;
	uint32_t status;
	err_t e;

	if (der_read(&der, DER_SEQUENCE, &content) != OK)
		return ERR_RSP_DER;
	if (!der_is_done(&der))
		return ERR_RSP_TRAILING;
	der = der_of(content);
	if (der_read_small(&der, DER_ENUMERATED, &status) != OK)
		return ERR_RSP_DER;
	if (!is_status(status))
		return ERR_RSP_STATUS;
	response.status = (enum ocsp_status)status;
	if (der_is_done(&der)) {
		if (status == OCSP_SUCCESSFUL)
			return ERR_RSP_STATUS;
		*out = response;
		return OK;
	}
	if (der_read_explicit(&der, DER_CONTEXT_0, DER_SEQUENCE, &content) != OK ||
	    !der_is_done(&der))
		return ERR_RSP_DER;
	if (status == OCSP_SUCCESSFUL) {
		e = read_bytes(content, &response);
		if (e != OK)
			return e;
	}
	*out = response;
	return OK;
}

struct slice response_error(enum ocsp_status status)
{
	static const uint8_t bodies[][5] = {
	    [OCSP_MALFORMED_REQUEST] = {0x30, 0x03, 0x0a, 0x01, OCSP_MALFORMED_REQUEST},
	    [OCSP_INTERNAL_ERROR] = {0x30, 0x03, 0x0a, 0x01, OCSP_INTERNAL_ERROR},
	    [OCSP_TRY_LATER] = {0x30, 0x03, 0x0a, 0x01, OCSP_TRY_LATER},
	    [OCSP_SIG_REQUIRED] = {0x30, 0x03, 0x0a, 0x01, OCSP_SIG_REQUIRED},
	    [OCSP_UNAUTHORIZED] = {0x30, 0x03, 0x0a, 0x01, OCSP_UNAUTHORIZED},
	};

	if (status == OCSP_SUCCESSFUL || !is_status(status))
		status = OCSP_INTERNAL_ERROR;
	return slice_of(bodies[status], sizeof(bodies[status]));
}
