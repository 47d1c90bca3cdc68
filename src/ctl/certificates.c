/* SPDX-License-Identifier: ISC */
/*
 * Reading certificates: PEM first, then DER, whatever the file is called. All of ASN.1 is
 * libcrypto's to read. A private key is never decoded from PEM, and never kept.
 */
#include "ctl/certificates.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "core/base64.h"
#include "ctl/certificate.h"
#include "io/files.h"

#define MAX_FILE_LEN (64 << 20) /* fits the int of OpenSSL */
#define MAX_PEER     1048576	/* of PEM */

/* Takes cert. */
static err_t append(struct certificates *certificates, X509 *cert)
{
	size_t n = certificates->n;
	X509 **items = certificates->items;

	/* Doubles, at every power of two. */
	if ((n & (n - 1)) == 0)
		items = reallocarray(items, n > 0 ? 2 * n : 1, sizeof(X509 *));
	if (!items) {
		X509_free(cert);
		return ERR_NO_MEMORY;
	}
	items[n] = cert;
	certificates->items = items;
	certificates->n++;
	return OK;
}

/* --- what stands in certificates' place ------------------------------------------------------- */

/* The labels of PEM (RFC 7468, and what programs write besides). Labels of certificates come
 * first. */
enum content {
	CONTENT_CERTIFICATE,
	CONTENT_TRUSTED, /* OpenSSL's own: a certificate, and what to trust it for */
	CONTENT_PKCS7,
	CONTENT_KEY,
	CONTENT_REQUEST,
	CONTENT_CRL,
	CONTENT_PKCS12,
	CONTENT_PUBLIC_KEY,
	CONTENT_UTF16,
	CONTENT_BASE64, /* of a certificate, without the lines that make it PEM */
	CONTENT_OTHER,
	N_CONTENTS
};

static const struct {
	const char *label;
	enum content content;
} labels[] = {
    {"CERTIFICATE", CONTENT_CERTIFICATE},
    {"X509 CERTIFICATE", CONTENT_CERTIFICATE},
    {"TRUSTED CERTIFICATE", CONTENT_TRUSTED},
    {"PKCS7", CONTENT_PKCS7},
    {"PKCS #7 SIGNED DATA", CONTENT_PKCS7},
    {"CMS", CONTENT_PKCS7},
    {"CERTIFICATE REQUEST", CONTENT_REQUEST},
    {"NEW CERTIFICATE REQUEST", CONTENT_REQUEST},
    {"X509 CRL", CONTENT_CRL},
    {"PKCS12", CONTENT_PKCS12},
    {"PUBLIC KEY", CONTENT_PUBLIC_KEY},
    {"RSA PUBLIC KEY", CONTENT_PUBLIC_KEY},
};

static const err_t errors[N_CONTENTS] = {
    [CONTENT_CERTIFICATE] = ERR_CERTIFICATE,   [CONTENT_TRUSTED] = ERR_CERTIFICATE,
    [CONTENT_PKCS7] = ERR_CERTIFICATE,	       [CONTENT_KEY] = ERR_CERTIFICATE_KEY,
    [CONTENT_REQUEST] = ERR_CERTIFICATE_REQ,   [CONTENT_CRL] = ERR_CERTIFICATE_CRL,
    [CONTENT_PKCS12] = ERR_CERTIFICATE_PKCS12, [CONTENT_PUBLIC_KEY] = ERR_CERTIFICATE_PUBLIC,
    [CONTENT_UTF16] = ERR_CERTIFICATE_UTF16,   [CONTENT_BASE64] = ERR_CERTIFICATE_BASE64,
    [CONTENT_OTHER] = ERR_CERTIFICATE,
};

struct reading {
	struct certificates found;
	size_t n_of[N_CONTENTS];
};

static enum content content_of_label(const char *label)
{
	static const char key[] = "PRIVATE KEY";
	size_t len = strlen(label);

	if (len >= sizeof(key) - 1 && strcmp(label + len - (sizeof(key) - 1), key) == 0)
		return CONTENT_KEY;
	for (size_t i = 0; i < N_ELEMENTS(labels); i++) {
		if (strcmp(labels[i].label, label) == 0)
			return labels[i].content;
	}
	return CONTENT_OTHER;
}

/* --- DER ---------------------------------------------------------------------------------------
 */

/* What is left behind the object that a reader has read. */
static bool is_padding(struct slice rest)
{
	for (size_t i = 0; i < rest.len; i++) {
		if (rest.p[i] != '\0' && rest.p[i] != '\n' && rest.p[i] != '\r')
			return false;
	}
	return true;
}

/* The certificates of a SignedData, which may be nothing but them (RFC 2315 9.1). */
static err_t take_pkcs7(struct slice der, struct certificates *out)
{
	const unsigned char *p = der.p;
	PKCS7 *pkcs7 = d2i_PKCS7(NULL, &p, (long)der.len);
	const STACK_OF(X509) *certs = NULL;
	err_t err = OK;

	if (pkcs7 != NULL && PKCS7_type_is_signed(pkcs7) && pkcs7->d.sign != NULL)
		certs = pkcs7->d.sign->cert;
	for (int i = 0; certs != NULL && i < sk_X509_num(certs) && err == OK; i++) {
		X509 *cert = sk_X509_value(certs, i);

		err = X509_up_ref(cert) == 1 ? append(out, cert) : ERR_NO_MEMORY;
	}
	PKCS7_free(pkcs7);
	ERR_clear_error();
	return err;
}

/* A certificate, or a PKCS#7 of some: whatever the label says, for some write one for the other. */
static err_t take_der(struct slice der, bool is_trusted, struct certificates *out)
{
	const unsigned char *p = der.p;
	X509 *cert =
	    is_trusted ? d2i_X509_AUX(NULL, &p, (long)der.len) : d2i_X509(NULL, &p, (long)der.len);

	ERR_clear_error();
	if (cert == NULL)
		return take_pkcs7(der, out);
	if (is_padding(slice_skip(der, (size_t)(p - der.p))))
		return append(out, cert);
	X509_free(cert);
	return OK;
}

/* PKCS#8, with or without a passphrase, or one of the older forms. */
static bool is_key(struct slice der)
{
	const unsigned char *p = der.p;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
	X509_SIG *encrypted = NULL;

	if (key == NULL) {
		p = der.p;
		encrypted = d2i_X509_SIG(NULL, &p, (long)der.len);
	}
	EVP_PKEY_free(key);
	X509_SIG_free(encrypted);
	return key != NULL || encrypted != NULL;
}

static bool is_of(const ASN1_ITEM *item, struct slice der)
{
	const unsigned char *p = der.p;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &p, (long)der.len, item);

	ASN1_item_free(value, item);
	return value != NULL;
}

static enum content content_of_der(struct slice der)
{
	static const struct {
		ASN1_ITEM_EXP *item;
		enum content content;
	} types[] = {{ASN1_ITEM_ref(X509_REQ), CONTENT_REQUEST},
		     {ASN1_ITEM_ref(X509_CRL), CONTENT_CRL},
		     {ASN1_ITEM_ref(PKCS12), CONTENT_PKCS12},
		     {ASN1_ITEM_ref(X509_PUBKEY), CONTENT_PUBLIC_KEY}};
	enum content content = CONTENT_OTHER;

	for (size_t i = 0; i < N_ELEMENTS(types) && content == CONTENT_OTHER; i++) {
		if (is_of(ASN1_ITEM_ptr(types[i].item), der))
			content = types[i].content;
	}
	if (content == CONTENT_OTHER && is_key(der))
		content = CONTENT_KEY;
	ERR_clear_error();
	return content;
}

/* --- text that is no PEM -----------------------------------------------------------------------
 */

/* By its byte order mark; or by the dash that PEM begins with, in either order of octets. */
static bool is_utf16(struct slice bytes)
{
	static const char *const beginnings[] = {"\xff\xfe", "\xfe\xff", "-\0", "\0-"};

	for (size_t i = 0; i < N_ELEMENTS(beginnings); i++) {
		if (bytes.len >= 2 && memcmp(bytes.p, beginnings[i], 2) == 0)
			return true;
	}
	return false;
}

/* The octets that text is the base64 of, into dst, which has room for all of text; 0: of none. */
static size_t decode(struct slice text, uint8_t *dst)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (memchr(" \t\r\n", text.p[i], 4) == NULL)
			dst[n++] = text.p[i];
	}
	for (unsigned i = 0; i < 2 && n > 0 && dst[n - 1] == '='; i++)
		n--;
	return base64_decode(dst, slice_of(dst, n), &n) == OK ? n : 0;
}

static err_t content_of_text(struct slice bytes, enum content *out)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct certificates found = {.items = NULL};
	uint8_t *room;
	err_t err;

	if (is_utf16(bytes)) {
		*out = CONTENT_UTF16;
		return OK;
	}
	if (bytes.len > 3 && memcmp(bytes.p, mark, 3) == 0)
		bytes = slice_skip(bytes, 3);
	room = malloc(bytes.len);
	if (room == NULL)
		return ERR_NO_MEMORY;
	err = take_der(slice_of(room, decode(bytes, room)), false, &found);
	if (found.n > 0)
		*out = CONTENT_BASE64;
	certificates_free(&found);
	OPENSSL_cleanse(room, bytes.len); /* it may be a key */
	free(room);
	return err;
}

static err_t read_other(struct slice bytes, struct reading *reading)
{
	err_t err = take_der(bytes, false, &reading->found);
	enum content content;

	if (err != OK || reading->found.n > 0)
		return err;
	content = content_of_der(bytes);
	if (content == CONTENT_OTHER)
		err = content_of_text(bytes, &content);
	reading->n_of[content]++;
	return err;
}

/* --- PEM ---------------------------------------------------------------------------------------
 */

/* Of what is no certificate nothing is decoded. */
static err_t take_block(struct reading *reading, const char *label, struct slice der)
{
	enum content content = content_of_label(label);
	const size_t n = reading->found.n;
	err_t err = OK;

	reading->n_of[content]++;
	if (content > CONTENT_PKCS7)
		return OK;
	err = take_der(der, content == CONTENT_TRUSTED, &reading->found);
	reading->found.n_bad += err == OK && reading->found.n == n;
	return err;
}

static err_t read_blocks(BIO *bio, struct reading *reading)
{
	err_t err = OK;

	while (err == OK) {
		size_t left = BIO_ctrl_pending(bio);
		char *label = NULL, *header = NULL;
		unsigned char *der = NULL;
		long len = 0;

		if (PEM_read_bio(bio, &label, &header, &der, &len) == 1) {
			err = take_block(reading, label, slice_of(der, (size_t)len));
		} else if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ||
			   BIO_ctrl_pending(bio) == left) {
			break;
		} else {
			reading->found.n_bad++;
			ERR_clear_error();
		}
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len); /* it may be a key */
	}
	ERR_clear_error();
	return err;
}

static err_t read_pem(struct slice bytes, struct reading *reading)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
	err_t err = bio ? read_blocks(bio, reading) : ERR_NO_MEMORY;

	BIO_free(bio);
	return err;
}

/* --- both --------------------------------------------------------------------------------------
 */

/* Why there is none: what stands there instead, if that is known. */
static err_t why_none(const struct reading *reading)
{
	for (size_t i = CONTENT_KEY; i < N_CONTENTS && reading->found.n_bad == 0; i++) {
		if (reading->n_of[i] > 0)
			return errors[i];
	}
	return ERR_CERTIFICATE;
}

static bool has_blocks(const struct reading *reading)
{
	size_t n = reading->found.n_bad;

	for (size_t i = 0; i < N_CONTENTS; i++)
		n += reading->n_of[i];
	return n > 0;
}

err_t certificates_parse(struct slice bytes, struct certificates *out)
{
	struct reading reading = {.found = {.items = NULL}};
	err_t err = OK;

	if (bytes.len > 0)
		err = bytes.len <= MAX_FILE_LEN ? read_pem(bytes, &reading) : ERR_TOO_LONG;
	if (!err && bytes.len > 0 && !has_blocks(&reading))
		err = read_other(bytes, &reading);
	reading.found.n_keys = reading.n_of[CONTENT_KEY];
	if (!err && reading.found.n == 0)
		err = why_none(&reading);
	if (err)
		certificates_free(&reading.found);
	else
		*out = reading.found;
	return err;
}

const char *certificates_doubt(const struct certificates *certificates)
{
	return certificates->n_keys > 0 ? "holds a private key, which is skipped" : NULL;
}

static err_t read_by(err_t (*read)(const char *path, struct buf *out), const char *path,
		     struct certificates *out)
{
	struct buf contents;
	err_t err;

	buf_init(&contents, MAX_FILE_LEN);
	err = read(path, &contents);
	if (!err)
		err = certificates_parse(buf_slice(&contents), out);
	if (contents.len > 0)
		OPENSSL_cleanse(contents.p, contents.len);
	buf_fini(&contents);
	return err;
}

err_t certificates_read(const char *path, struct certificates *out)
{
	return read_by(file_read, path, out);
}

err_t certificates_read_regular(const char *path, struct certificates *out)
{
	return read_by(file_read_regular, path, out);
}

err_t certificates_read_peer(const char *address, unsigned seconds, struct certificates *out,
			     char detail[TLS_PEER_DETAIL])
{
	struct buf pem;
	err_t err;

	buf_init(&pem, MAX_PEER);
	err = tls_peer_read(address, seconds, &pem, detail);
	if (!err)
		err = certificates_parse(buf_slice(&pem), out);
	buf_fini(&pem);
	return err;
}

X509 *certificates_subject(const struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->n; i++) {
		if (!certificate_is_ca(certificates->items[i]))
			return certificates->items[i];
	}
	return certificates->items[0];
}

void certificates_free(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->n; i++)
		X509_free(certificates->items[i]);
	free(certificates->items);
	*certificates = (struct certificates){.items = NULL};
}
