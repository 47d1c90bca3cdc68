/* SPDX-License-Identifier: ISC */
/*
 * The DER reader. It exists because libcrypto's decoder takes BER for DER (long lengths,
 * indefinite lengths, trailing octets) and allocates for each element; the request path may do
 * neither. Pointers and lengths are passed one by one below: copying the pair as a struct right
 * after its halves were stored stalls the CPU, and doubled the time of a parse.
 */
#include "core/der.h"

#include <string.h>

enum {
	CLASS_MASK = 0xc0,
	CONSTRUCTED = 0x20,
	NUMBER_MASK = 0x1f,
	LONG_FORM = 0x80,
	MAX_LENGTH_OCTETS = 4
};

/* The octets after an element's first length octet say how long it is; minimal form only
 * (X.690 10.1). False for BER's other ways, and for numbers that no message can reach. */
static bool read_long_length(const uint8_t *p, size_t left, size_t *out_len, size_t *out_header)
{
	size_t n_octets = p[1] & ~(size_t)LONG_FORM;
	size_t len = 0;

	if (n_octets == 0 || n_octets > MAX_LENGTH_OCTETS || left < 2 + n_octets || p[2] == 0)
		return false;
	for (size_t i = 0; i < n_octets; i++)
		len = len << 8 | p[2 + i];
	if (len < LONG_FORM)
		return false;
	*out_len = len;
	*out_header = 2 + n_octets;
	return true;
}

/* The element at the cursor, which the caller knows to be not done. */
static inline bool take_any(struct der *der, const uint8_t **out_p, size_t *out_len)
{
	size_t left = (size_t)(der->end - der->p);
	size_t header = 2;
	size_t len;

	if (left < 2)
		return false;
	len = der->p[1];
	if (len >= LONG_FORM && !read_long_length(der->p, left, &len, &header))
		return false;
	if (len > left - header)
		return false;
	*out_p = der->p + header;
	*out_len = len;
	der->p += header + len;
	return true;
}

static inline bool take(struct der *der, uint8_t tag, const uint8_t **out_p, size_t *out_len)
{
	return der_is_next(der, tag) && take_any(der, out_p, out_len);
}

err_t der_read(struct der *der, uint8_t tag, struct slice *out_content)
{
	const uint8_t *p;
	size_t len;

	if (!take(der, tag, &p, &len))
		return ERR_RSP_DER;
	out_content->p = p;
	out_content->len = len;
	return OK;
}

err_t der_read_explicit(struct der *der, uint8_t wrapper, uint8_t tag, struct slice *out_content)
{
	struct der at = *der;
	struct slice outer;
	struct slice content;
	struct der inner;

	if (der_read(&at, wrapper, &outer) != OK)
		return ERR_RSP_DER;
	inner = der_of(outer);
	if (der_read(&inner, tag, &content) != OK || !der_is_done(&inner))
		return ERR_RSP_DER;
	der->p = at.p;
	*out_content = content;
	return OK;
}

static bool is_minimal_integer(const uint8_t *p, size_t len)
{
	if (len < 2)
		return len == 1;
	return !(p[0] == 0x00 && p[1] < 0x80) && !(p[0] == 0xff && p[1] >= 0x80);
}

/* Each subidentifier ends with an octet below 80 and does not begin with padding. */
static bool is_oid(const uint8_t *p, size_t len)
{
	bool is_start = true;

	for (size_t i = 0; i < len; i++) {
		if (is_start && p[i] == 0x80)
			return false;
		is_start = p[i] < 0x80;
	}
	return len > 0 && is_start;
}

static bool is_bit_string(const uint8_t *p, size_t len)
{
	if (len < 2)
		return len == 1 && p[0] == 0;
	return p[0] < 8;
}

static bool is_boolean(const uint8_t *p, size_t len)
{
	return len == 1 && (p[0] == 0x00 || p[0] == 0xff);
}

/* Whether an element of the universal class can have this content. */
static bool is_universal(uint8_t tag, const uint8_t *p, size_t len)
{
	switch (tag) {
	case DER_BOOLEAN:
		return is_boolean(p, len);
	case DER_INTEGER:
	case DER_ENUMERATED:
		return is_minimal_integer(p, len);
	case DER_BIT_STRING:
		return is_bit_string(p, len);
	case DER_NULL:
		return len == 0;
	case DER_OID:
		return is_oid(p, len);
	case DER_UNIVERSAL_STRING:
		return len % 4 == 0;
	case DER_BMP_STRING:
		return len % 2 == 0;
	case DER_SEQUENCE:
	case DER_SET:
		return true;
	default:
		return tag != 0 && tag != (DER_SEQUENCE & NUMBER_MASK) &&
		       tag != (DER_SET & NUMBER_MASK) && (tag & CONSTRUCTED) == 0;
	}
}

err_t der_read_any(struct der *der, uint8_t *out_tag, struct slice *out_content,
		   struct slice *out_tlv)
{
	const uint8_t *start = der->p;
	struct der at = *der;
	const uint8_t *p;
	size_t len;

	if (der_is_done(der) || !take_any(&at, &p, &len) || (*start & NUMBER_MASK) == NUMBER_MASK)
		return ERR_RSP_DER;
	if ((*start & CLASS_MASK) == 0 && !is_universal(*start, p, len))
		return ERR_RSP_DER;
	der->p = at.p;
	if (out_tag)
		*out_tag = *start;
	if (out_content)
		*out_content = (struct slice){.p = p, .len = len};
	if (out_tlv)
		*out_tlv = (struct slice){.p = start, .len = (size_t)(at.p - start)};
	return OK;
}

err_t der_read_oid(struct der *der, struct slice *out_content)
{
	struct der at = *der;
	const uint8_t *p;
	size_t len;

	if (!take(&at, DER_OID, &p, &len) || !is_oid(p, len))
		return ERR_RSP_DER;
	der->p = at.p;
	out_content->p = p;
	out_content->len = len;
	return OK;
}

err_t der_read_integer(struct der *der, uint8_t tag, struct slice *out_content)
{
	struct der at = *der;
	const uint8_t *p;
	size_t len;

	if (!take(&at, tag, &p, &len) || !is_minimal_integer(p, len))
		return ERR_RSP_DER;
	der->p = at.p;
	out_content->p = p;
	out_content->len = len;
	return OK;
}

err_t der_read_small(struct der *der, uint8_t tag, uint32_t *out_value)
{
	struct der at = *der;
	struct slice content;
	uint32_t value = 0;

	if (der_read_integer(&at, tag, &content) != OK)
		return ERR_RSP_DER;
	if (content.len > sizeof(value) || content.p[0] >= 0x80)
		return ERR_RSP_DER;
	for (size_t i = 0; i < content.len; i++)
		value = value << 8 | content.p[i];
	der->p = at.p;
	*out_value = value;
	return OK;
}

err_t der_read_boolean(struct der *der, bool *out_value)
{
	struct der at = *der;
	const uint8_t *p;
	size_t len;

	if (!take(&at, DER_BOOLEAN, &p, &len) || !is_boolean(p, len))
		return ERR_RSP_DER;
	der->p = at.p;
	*out_value = *p != 0;
	return OK;
}

err_t der_read_algorithm(struct der *der, struct algorithm *out)
{
	struct der at = *der;
	struct algorithm algorithm = {.parameters = {.p = NULL, .len = 0}};
	struct slice content;
	struct der inner;

	if (der_read(&at, DER_SEQUENCE, &content) != OK)
		return ERR_RSP_DER;
	inner = der_of(content);
	if (der_read_oid(&inner, &algorithm.oid) != OK)
		return ERR_RSP_DER;
	if (!der_is_done(&inner) && der_read_any(&inner, NULL, NULL, &algorithm.parameters) != OK)
		return ERR_RSP_DER;
	if (!der_is_done(&inner))
		return ERR_RSP_DER;
	algorithm.tlv = (struct slice){.p = der->p, .len = (size_t)(at.p - der->p)};
	der->p = at.p;
	*out = algorithm;
	return OK;
}

err_t der_read_extension(struct der *der, struct extension *out)
{
	struct der at = *der;
	struct extension extension = {.is_critical = false};
	struct slice content;
	struct der inner;

	if (der_read(&at, DER_SEQUENCE, &content) != OK)
		return ERR_RSP_DER;
	inner = der_of(content);
	if (der_read_oid(&inner, &extension.oid) != OK)
		return ERR_RSP_DER;
	if (der_is_next(&inner, DER_BOOLEAN) &&
	    der_read_boolean(&inner, &extension.is_critical) != OK)
		return ERR_RSP_DER;
	if (der_read(&inner, DER_OCTET_STRING, &extension.value) != OK || !der_is_done(&inner))
		return ERR_RSP_DER;
	extension.tlv = (struct slice){.p = der->p, .len = (size_t)(at.p - der->p)};
	der->p = at.p;
	*out = extension;
	return OK;
}

static size_t length_octets(size_t content_len)
{
	size_t n = 0;

	for (; content_len > 0; content_len >>= 8)
		n++;
	return n;
}

size_t der_header_len(size_t content_len)
{
	return content_len < LONG_FORM ? 2 : 2 + length_octets(content_len);
}

size_t der_put_header(uint8_t *dst, uint8_t tag, size_t content_len)
{
	size_t n;

	dst[0] = tag;
	if (content_len < LONG_FORM) {
		dst[1] = (uint8_t)content_len;
		return 2;
	}
	n = length_octets(content_len);
	dst[1] = (uint8_t)(LONG_FORM | n);
	for (size_t i = 0; i < n; i++)
		dst[2 + i] = (uint8_t)(content_len >> 8 * (n - 1 - i));
	return 2 + n;
}
