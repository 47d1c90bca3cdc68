/* SPDX-License-Identifier: ISC */
/* Reading certificates: PEM first, then DER, whatever the file is called. */
#include "ctl/certificates.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "io/files.h"

#define MAX_FILE_LEN (64 << 20) /* fits the int of OpenSSL */

/* For encrypted PEM: none, instead of OpenSSL's question on the terminal. */
static int no_passphrase(char *dst, int cap, int is_writing, void *arg)
{
	(void)dst;
	(void)cap;
	(void)is_writing;
	(void)arg;
	return -1;
}

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

static err_t read_pem(struct slice bytes, struct certificates *out)
{
	BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
	err_t err = bio ? OK : ERR_NO_MEMORY;

	while (!err) {
		size_t left = BIO_ctrl_pending(bio);
		X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

		if (cert) {
			err = append(out, cert);
			continue;
		}
		if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ||
		    BIO_ctrl_pending(bio) == left)
			break;
		out->n_bad++;
		ERR_clear_error();
	}
	BIO_free(bio);
	ERR_clear_error();
	return err;
}

static err_t read_der(struct slice bytes, struct certificates *out)
{
	const unsigned char *p = bytes.p;
	X509 *cert = d2i_X509(NULL, &p, (long)bytes.len);

	ERR_clear_error();
	if (!cert)
		return OK;
	if (p != bytes.p + bytes.len) {
		X509_free(cert);
		return OK;
	}
	return append(out, cert);
}

err_t certificates_parse(struct slice bytes, struct certificates *out)
{
	struct certificates found = {.items = NULL};
	err_t err = OK;

	if (bytes.len > 0)
		err = bytes.len <= MAX_FILE_LEN ? read_pem(bytes, &found) : ERR_TOO_LONG;
	if (!err && bytes.len > 0 && found.n + found.n_bad == 0)
		err = read_der(bytes, &found);
	if (!err && found.n == 0)
		err = ERR_CERTIFICATE;
	if (err)
		certificates_free(&found);
	else
		*out = found;
	return err;
}

err_t certificates_read(const char *path, struct certificates *out)
{
	struct buf contents;
	err_t err;

	buf_init(&contents, MAX_FILE_LEN);
	err = file_read(path, &contents);
	if (!err)
		err = certificates_parse(buf_slice(&contents), out);
	buf_fini(&contents);
	return err;
}

void certificates_free(struct certificates *certificates)
{
	for (size_t i = 0; i < certificates->n; i++)
		X509_free(certificates->items[i]);
	free(certificates->items);
	*certificates = (struct certificates){.items = NULL};
}

bool certificate_is_ca(X509 *cert)
{
	return (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;
}

void certificate_name(const X509_NAME *name, char *dst, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	size_t len = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		len = (size_t)BIO_get_mem_data(bio, &text);
	if (len >= cap)
		len = cap - 1;
	if (len > 0)
		memcpy(dst, text, len);
	dst[len] = '\0';
	BIO_free(bio);
	ERR_clear_error();
}

/* The first attribute of this type as UTF-8, controls replaced; NULL: there is none. */
static char *attribute(const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *utf8 = NULL;
	char *text = NULL;
	int len;

	if (at < 0)
		return NULL;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && utf8[0] != '\0')
		text = strndup((const char *)utf8, (size_t)len);
	OPENSSL_free(utf8);
	ERR_clear_error();
	for (char *c = text; c && *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return text;
}

char *certificate_label(const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	char whole[256];
	char *label = attribute(name, NID_commonName);

	if (!label)
		label = attribute(name, NID_organizationName);
	if (label)
		return label;
	certificate_name(name, whole, sizeof(whole));
	return whole[0] ? strdup(whole) : NULL;
}
