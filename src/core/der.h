/* SPDX-License-Identifier: ISC */
/*
 * A strict DER reader: single-octet tags, definite minimal lengths, every octet accounted for
 * (X.690 10, 11). A cursor borrows its input and never reads beyond it; on failure it stands where
 * it stood. All functions return ERR_RSP_DER for what is not DER; callers that read requests
 * translate it to their own reason.
 */
#ifndef OCSPRELAY_CORE_DER_H
#define OCSPRELAY_CORE_DER_H

#include "err.h"
#include "types.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_GENERALIZED_TIME = 0x18,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0,		/* constructed; + n for [n] */
	DER_CONTEXT_PRIMITIVE_0 = 0x80, /* + n for [n] IMPLICIT of a primitive type */
};

struct der {
	const uint8_t *p, *end;
};

static inline struct der der_of(struct slice in)
{
	return (struct der){.p = in.p, .end = in.p ? in.p + in.len : NULL};
}

static inline bool der_is_done(const struct der *der)
{
	return der->p == der->end;
}

/* True if another element follows and has this tag. */
static inline bool der_is_next(const struct der *der, uint8_t tag)
{
	return der->p != der->end && *der->p == tag;
}

/* The next element, which must have this tag: its content. */
MUST_CHECK err_t der_read(struct der *der, uint8_t tag, struct slice *out_content);

/* The next element, which must be [n] EXPLICIT (wrapper) around exactly one element of this tag:
 * the content of the inner one. */
MUST_CHECK err_t der_read_explicit(struct der *der, uint8_t wrapper, uint8_t tag,
				   struct slice *out_content);

/* The next element whatever it is; of a universal type its content must be one that the type can
 * have, constructed strings are refused (X.690 8, 10.2). out_tlv is the whole of it, header
 * included; each out parameter may be NULL. */
MUST_CHECK err_t der_read_any(struct der *der, uint8_t *out_tag, struct slice *out_content,
			      struct slice *out_tlv);

/* An OBJECT IDENTIFIER as its content octets: complete, minimal subidentifiers (X.690 8.19). */
MUST_CHECK err_t der_read_oid(struct der *der, struct slice *out_content);

/* An INTEGER or ENUMERATED (by tag) as its content octets: at least one, minimal (X.690 8.3). */
MUST_CHECK err_t der_read_integer(struct der *der, uint8_t tag, struct slice *out_content);

/* A non-negative INTEGER or ENUMERATED of at most 31 bits. */
MUST_CHECK err_t der_read_small(struct der *der, uint8_t tag, uint32_t *out_value);

/* A BOOLEAN: 00 or FF, nothing else (X.690 11.1). */
MUST_CHECK err_t der_read_boolean(struct der *der, bool *out_value);

/* An AlgorithmIdentifier (RFC 5280 4.1.1.2). */
struct algorithm {
	struct slice oid;	 /* content */
	struct slice parameters; /* header included; p == NULL: absent */
	struct slice tlv;	 /* the whole AlgorithmIdentifier */
};
MUST_CHECK err_t der_read_algorithm(struct der *der, struct algorithm *out);

/*
 * One Extension of an Extensions list (RFC 5280 4.1): identifier, criticality (an explicit FALSE
 * is tolerated: BER habit of many encoders), value. The cursor stands inside the SEQUENCE OF.
 */
struct extension {
	struct slice oid;
	bool is_critical;
	struct slice value; /* content of extnValue */
	struct slice tlv;   /* the whole Extension */
};
MUST_CHECK err_t der_read_extension(struct der *der, struct extension *out);

/* Octets that the header of an element with this content length takes; writes it to dst. */
size_t der_header_len(size_t content_len);
size_t der_put_header(uint8_t *dst, uint8_t tag, size_t content_len);

#endif
