/* SPDX-License-Identifier: ISC */
/*
 * The reader of OCSPRequest on the hot path. One function per production of RFC 6960 4.1.1, in
 * the order of the grammar from the inside out; none calls itself, and no list is followed for
 * longer than the budget allows. So the limits of rule SL-04 hold by construction: the nesting is
 * that of the grammar (9 levels), the elements are counted. The values of extensions that nobody
 * here understands are never entered, however deep they go.
 */
#include "core/ocsp_request.h"

#include "base/bytes.h"
#include "core/extension.h"

enum {
	MAX_ELEMENTS = 512, /* of one OCSPRequest (SL-04) */
	/* What one of them is made of, at most */
	FRAME_ELEMENTS = 18, /* all that occurs once, optionalSignature included */
	REQUEST_ELEMENTS = 10,
	EXTENSION_ELEMENTS = 4,
	DER_CONTEXT_CLASS = 0x80,
	MIN_NONCE_LEN = 1
};

struct reader {
	const struct ocsp_request_limits *limits;
	unsigned n_elements_left;
	bool has_unknown_hash;
	struct ocsp_request request;
};

static bool spend(struct reader *reader, unsigned n_elements)
{
	if (reader->n_elements_left < n_elements)
		return false;
	reader->n_elements_left -= n_elements;
	return true;
}

/* AcceptableResponses ::= SEQUENCE OF OBJECT IDENTIFIER (RFC 6960 4.4.3, rule RP-41) */
static err_t read_acceptable_responses(struct reader *reader, struct slice value)
{
	struct der der = der_of(value);
	struct slice content;
	struct slice oid;
	bool has_basic = false;

	if (der_read(&der, DER_SEQUENCE, &content) != OK || !der_is_done(&der))
		return ERR_REQ_DER;
	der = der_of(content);
	while (!der_is_done(&der)) {
		if (!spend(reader, 1))
			return ERR_REQ_EXTENSIONS;
		if (der_read_oid(&der, &oid) != OK)
			return ERR_REQ_DER;
		if (extension_is_ocsp_basic(oid))
			has_basic = true;
	}
	if (!has_basic)
		reader->request.flags |= REQUEST_NOT_BASIC;
	return OK;
}

/* RFC 6960 4.4.1; whether it is critical is no matter (rule NO-11). */
static err_t read_nonce(struct reader *reader, const struct extension *extension)
{
	struct slice nonce = extension_nonce(extension->value);

	if (reader->request.flags & REQUEST_NONCE)
		return ERR_REQ_DER;
	if (nonce.len < MIN_NONCE_LEN || nonce.len > MAX_NONCE_LEN)
		return ERR_REQ_NONCE;
	reader->request.flags |= REQUEST_NONCE;
	reader->request.nonce = nonce;
	reader->request.nonce_ext = extension->tlv;
	return OK;
}

static err_t read_request_extension(struct reader *reader, const struct extension *extension)
{
	switch (extension_arc_of(extension->oid)) {
	case EXTENSION_NONCE:
		return read_nonce(reader, extension);
	case EXTENSION_ACCEPTABLE_RESPONSES:
		return read_acceptable_responses(reader, extension->value);
	case EXTENSION_PREFERRED_ALGORITHMS:
		reader->request.flags |= REQUEST_PREFERS_ALGS;
		return OK;
	default:
		if (extension->is_critical && !extension_is_known(extension->oid))
			reader->request.flags |= REQUEST_CRITICAL;
		return OK;
	}
}

/* ServiceLocator belongs here and is not followed (rule RP-43). */
static err_t read_single_extension(struct reader *reader, const struct extension *extension)
{
	if (extension->is_critical && (!extension_is_known(extension->oid) ||
				       extension_arc_of(extension->oid) == EXTENSION_NONCE))
		reader->request.flags |= REQUEST_CRITICAL;
	return OK;
}

typedef err_t (*extension_fn)(struct reader *reader, const struct extension *extension);

/* [tag] EXPLICIT Extensions OPTIONAL; Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension */
static err_t read_extensions(struct reader *reader, struct der *der, uint8_t tag, extension_fn fn)
{
	struct slice content;
	struct der list;
	unsigned n = 0;

	if (!der_is_next(der, tag))
		return OK;
	if (der_read_explicit(der, tag, DER_SEQUENCE, &content) != OK || content.len == 0)
		return ERR_REQ_DER;
	list = der_of(content);
	while (!der_is_done(&list)) {
		struct extension extension;
		err_t e;

		if (n++ == reader->limits->max_extensions || !spend(reader, EXTENSION_ELEMENTS))
			return ERR_REQ_EXTENSIONS;
		if (der_read_extension(&list, &extension) != OK)
			return ERR_REQ_DER;
		e = fn(reader, &extension);
		if (e != OK)
			return e;
	}
	return OK;
}

/* Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT OPTIONAL } */
static err_t read_request(struct reader *reader, struct der *list)
{
	struct certid *certid = &reader->request.certids[reader->request.n_certids];
	struct slice content;
	struct der der;
	err_t e;

	if (!spend(reader, REQUEST_ELEMENTS))
		return ERR_REQ_CERTIDS;
	if (der_read(list, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	der = der_of(content);
	e = certid_read(&der, certid);
	if (e == ERR_REQ_HASH)
		reader->has_unknown_hash = true;
	else if (e != OK)
		return e;
	e = read_extensions(reader, &der, DER_CONTEXT_0, read_single_extension);
	if (e != OK)
		return e;
	if (!der_is_done(&der))
		return ERR_REQ_DER;
	reader->request.n_certids++;
	return OK;
}

/* requestList SEQUENCE OF Request: "one or more" says RFC 6960 4.1.1 (rules RP-34, RP-35). */
static err_t read_request_list(struct reader *reader, struct der *tbs)
{
	struct slice content;
	struct der list;

	if (der_read(tbs, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	list = der_of(content);
	if (der_is_done(&list))
		return ERR_REQ_EMPTY;
	while (!der_is_done(&list)) {
		err_t e;

		if (reader->request.n_certids == reader->limits->max_certids)
			return ERR_REQ_CERTIDS;
		e = read_request(reader, &list);
		if (e != OK)
			return e;
	}
	return OK;
}

/* version [0] EXPLICIT DEFAULT v1: an explicit v1 is not DER, but occurs (rule RP-31). */
static err_t read_version(struct der *tbs)
{
	struct der der;
	struct slice content;
	struct slice version;

	if (!der_is_next(tbs, DER_CONTEXT_0))
		return OK;
	if (der_read(tbs, DER_CONTEXT_0, &content) != OK)
		return ERR_REQ_DER;
	der = der_of(content);
	if (der_read_integer(&der, DER_INTEGER, &version) != OK || !der_is_done(&der))
		return ERR_REQ_DER;
	return version.len == 1 && version.p[0] == 0 ? OK : ERR_REQ_VERSION;
}

/* requestorName [1] EXPLICIT GeneralName OPTIONAL: one complete element of [0] to [8], otherwise
 * not looked at (rule RP-32). */
static err_t skip_requestor_name(struct der *tbs)
{
	struct slice content;
	struct der der;
	uint8_t tag;

	if (!der_is_next(tbs, DER_CONTEXT_0 + 1))
		return OK;
	if (der_read(tbs, DER_CONTEXT_0 + 1, &content) != OK)
		return ERR_REQ_DER;
	der = der_of(content);
	if (der_read_any(&der, &tag, NULL, NULL) != OK || !der_is_done(&der))
		return ERR_REQ_DER;
	return (tag & 0xc0) == DER_CONTEXT_CLASS && (tag & 0x1f) <= 8 ? OK : ERR_REQ_DER;
}

/* TBSRequest */
static err_t read_tbs(struct reader *reader, struct der *der)
{
	struct slice content;
	struct der tbs;
	err_t e;

	if (der_read(der, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	tbs = der_of(content);
	e = read_version(&tbs);
	if (e == OK)
		e = skip_requestor_name(&tbs);
	if (e == OK)
		e = read_request_list(reader, &tbs);
	if (e == OK)
		e = read_extensions(reader, &tbs, DER_CONTEXT_0 + 2, read_request_extension);
	if (e == OK && !der_is_done(&tbs))
		e = ERR_REQ_DER;
	return e;
}

/* certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL, the end of a Signature */
static err_t skip_certs(struct reader *reader, struct der *der)
{
	struct slice content;
	struct der certs;

	if (der_is_done(der))
		return OK;
	if (der_read_explicit(der, DER_CONTEXT_0, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	certs = der_of(content);
	while (!der_is_done(&certs)) {
		if (!spend(reader, 1) || der_read(&certs, DER_SEQUENCE, &content) != OK)
			return ERR_REQ_DER;
	}
	return der_is_done(der) ? OK : ERR_REQ_DER;
}

/* optionalSignature [0] EXPLICIT Signature OPTIONAL: nobody checks it (RFC 9919 3.1.2, rule RP-33),
 * but it has to be one. */
static err_t read_signature(struct reader *reader, struct der *der)
{
	struct slice content;
	struct der signature;
	struct algorithm algorithm;
	uint8_t tag;

	if (!der_is_next(der, DER_CONTEXT_0))
		return OK;
	if (der_read_explicit(der, DER_CONTEXT_0, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	signature = der_of(content);
	if (der_read_algorithm(&signature, &algorithm) != OK ||
	    der_read_any(&signature, &tag, NULL, NULL) != OK || tag != DER_BIT_STRING)
		return ERR_REQ_DER;
	reader->request.flags |= REQUEST_SIGNED;
	return skip_certs(reader, &signature);
}

static err_t read_all(struct reader *reader, struct slice in)
{
	struct der der = der_of(in);
	struct slice content;
	err_t e;

	if (der_read(&der, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	if (!der_is_done(&der))
		return ERR_REQ_TRAILING;
	der = der_of(content);
	e = read_tbs(reader, &der);
	if (e == OK)
		e = read_signature(reader, &der);
	if (e != OK)
		return e;
	if (!der_is_done(&der))
		return ERR_REQ_DER;
	return reader->has_unknown_hash ? ERR_REQ_HASH : OK;
}

err_t ocsp_request_parse(struct slice der, const struct ocsp_request_limits *limits,
			 struct ocsp_request *out)
{
	struct reader reader = {.limits = limits,
				.n_elements_left = MAX_ELEMENTS - FRAME_ELEMENTS,
				.request = {.der = der}};
	err_t e;

	if (der.len == 0)
		return ERR_REQ_EMPTY;
	e = read_all(&reader, der);
	if (e != OK)
		return e;
	*out = reader.request;
	return OK;
}

err_t ocsp_request_encode(const struct certid *certid, struct slice nonce_ext, uint8_t *dst,
			  size_t cap, size_t *out_len)
{
	/* Lengths of contents, from the inside out. */
	uint8_t id[MAX_CERTID_LEN];
	const size_t id_len = certid_encode(id, certid);
	const size_t list_len = der_header_len(id_len) + id_len;
	const size_t exts_len = der_header_len(nonce_ext.len) + nonce_ext.len;
	size_t tbs_len = der_header_len(list_len) + list_len;
	size_t len;
	size_t n;

	if (nonce_ext.len > 0)
		tbs_len += der_header_len(exts_len) + exts_len;
	len = der_header_len(tbs_len) + tbs_len;
	if (der_header_len(len) + len > cap)
		return ERR_TOO_LONG;
	n = der_put_header(dst, DER_SEQUENCE, len);	      /* OCSPRequest */
	n += der_put_header(dst + n, DER_SEQUENCE, tbs_len);  /* TBSRequest */
	n += der_put_header(dst + n, DER_SEQUENCE, list_len); /* requestList */
	n += der_put_header(dst + n, DER_SEQUENCE, id_len);   /* Request */
	memcpy(dst + n, id, id_len);
	n += id_len;
	if (nonce_ext.len > 0) {
		n += der_put_header(dst + n, DER_CONTEXT_0 + 2, exts_len);
		n += der_put_header(dst + n, DER_SEQUENCE, nonce_ext.len);
		memcpy(dst + n, nonce_ext.p, nonce_ext.len);
		n += nonce_ext.len;
	}
	*out_len = n;
	return OK;
}
