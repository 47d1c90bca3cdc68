/* SPDX-License-Identifier: ISC */
/*
 * CertID: reading it from a request or a response, and writing the one form that goes upstream.
 * The serial stays what it is on the wire, an opaque minimal INTEGER (rule RP-38): zero, negative
 * and overlong ones exist, and a client compares octets.
 */
#include "core/certid.h"

#include "base/bytes.h"

#define OID(...)                                                                                   \
	{                                                                                          \
		.p = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((const uint8_t[]){__VA_ARGS__}) \
	}

const struct hash_alg_row hash_algs[N_HASH_ALGS] = {
    [HASH_SHA1] = {"sha1", "s1", 20, OID(0x2b, 0x0e, 0x03, 0x02, 0x1a)},
    [HASH_SHA224] = {"sha224", "s224", 28,
		     OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04)},
    [HASH_SHA256] = {"sha256", "s256", 32,
		     OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01)},
    [HASH_SHA384] = {"sha384", "s384", 48,
		     OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02)},
    [HASH_SHA512] = {"sha512", "s512", 64,
		     OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03)},
};

enum hash_alg hash_alg_named(const char *name)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		if (strcmp(hash_algs[i].name, name) == 0)
			return (enum hash_alg)i;
	}
	return N_HASH_ALGS;
}

static enum hash_alg hash_alg_of(struct slice oid)
{
	for (unsigned i = 0; i < N_HASH_ALGS; i++) {
		if (slice_eq(hash_algs[i].oid, oid))
			return (enum hash_alg)i;
	}
	return N_HASH_ALGS;
}

static bool is_null(struct slice tlv)
{
	return tlv.len == 2 && tlv.p[0] == DER_NULL && tlv.p[1] == 0;
}

/* Of the five algorithms the parameters and the lengths are known; of others nothing is. */
static err_t check_hashes(const struct certid *certid, struct slice parameters)
{
	size_t len;

	if (certid->alg == N_HASH_ALGS)
		return OK;
	len = hash_algs[certid->alg].len;
	if (parameters.p && !is_null(parameters))
		return ERR_REQ_PARAMETERS;
	if (certid->name_hash.len != len || certid->key_hash.len != len)
		return ERR_REQ_DIGEST;
	return OK;
}

err_t certid_read_any(struct der *der, struct certid *out)
{
	struct der at = *der;
	struct certid certid;
	struct algorithm algorithm;
	struct slice content;
	struct der inner;
	err_t e;

	if (der_read(&at, DER_SEQUENCE, &content) != OK)
		return ERR_REQ_DER;
	inner = der_of(content);
	if (der_read_algorithm(&inner, &algorithm) != OK ||
	    der_read(&inner, DER_OCTET_STRING, &certid.name_hash) != OK ||
	    der_read(&inner, DER_OCTET_STRING, &certid.key_hash) != OK ||
	    !der_is_next(&inner, DER_INTEGER))
		return ERR_REQ_DER;
	if (der_read_integer(&inner, DER_INTEGER, &certid.serial) != OK)
		return ERR_REQ_SERIAL;
	if (!der_is_done(&inner))
		return ERR_REQ_DER;
	certid.alg = hash_alg_of(algorithm.oid);
	e = check_hashes(&certid, algorithm.parameters);
	if (e != OK)
		return e;
	if (certid.serial.len > MAX_SERIAL_LEN)
		certid.alg = N_HASH_ALGS;
	*der = at;
	*out = certid;
	return OK;
}

err_t certid_read(struct der *der, struct certid *out)
{
	struct der at = *der;
	struct certid certid;
	err_t e = certid_read_any(&at, &certid);

	if (e != OK)
		return e;
	if (certid.serial.len > MAX_SERIAL_LEN)
		return ERR_REQ_SERIAL;
	*der = at;
	if (certid.alg == N_HASH_ALGS)
		return ERR_REQ_HASH;
	*out = certid;
	return OK;
}

static size_t put(uint8_t *dst, uint8_t tag, struct slice content)
{
	size_t n = der_put_header(dst, tag, content.len);

	memcpy(dst + n, content.p, content.len);
	return n + content.len;
}

size_t certid_encode(uint8_t dst[MAX_CERTID_LEN], const struct certid *certid)
{
	const struct hash_alg_row *alg = &hash_algs[certid->alg];
	const size_t alg_len = 2 + alg->oid.len + 2; /* the OID, and NULL */
	const size_t len = 2 + alg_len + 2 + certid->name_hash.len + 2 + certid->key_hash.len + 2 +
			   certid->serial.len;
	size_t n = der_put_header(dst, DER_SEQUENCE, len);

	n += der_put_header(dst + n, DER_SEQUENCE, alg_len);
	n += put(dst + n, DER_OID, alg->oid);
	n += der_put_header(dst + n, DER_NULL, 0);
	n += put(dst + n, DER_OCTET_STRING, certid->name_hash);
	n += put(dst + n, DER_OCTET_STRING, certid->key_hash);
	n += put(dst + n, DER_INTEGER, certid->serial);
	return n;
}
