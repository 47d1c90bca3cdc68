/* SPDX-License-Identifier: ISC */
/* A name is whatever somebody has put there: what comes out has no control characters. */
#include "ctl/certificate.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

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
	text_make_plain(dst); /* its escapes leave out the controls behind ASCII */
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
	if (text != NULL)
		text_make_plain(text);
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
