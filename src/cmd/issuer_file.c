/* SPDX-License-Identifier: ISC */
/*
 * What stands above a certificate is text of whoever made it. No line gets so long that a reader of
 * PEM may take its end for a line of its own, and no name looks like PEM.
 */
#include "cmd/issuer_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/bytes.h"
#include "core/dates.h"
#include "ctl/certificate.h"

#define NAME_SIZE 200
#define MAX_LABEL 60
#define ID_SHOWN  4 /* octets of the issuer-id */

bool issuer_file_fingerprint(const X509 *cert, char dst[FINGERPRINT_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
		return false;
	for (size_t i = 0; i < len; i++)
		snprintf(dst + 3 * i, FINGERPRINT_SIZE - 3 * i, "%02X%s", digest[i],
			 i + 1 < len ? ":" : "");
	return true;
}

static void subject_of(const X509 *cert, char dst[NAME_SIZE])
{
	static const char mark[] = "-----";

	certificate_name(X509_get_subject_name(cert), dst, NAME_SIZE);
	for (char *at; (at = strstr(dst, mark)) != NULL;)
		memset(at, '?', sizeof(mark) - 1);
}

void issuer_file_describe(X509 *cert, const char *begin, struct buf *out)
{
	char name[NAME_SIZE], from[ISO_DATE_SIZE], until[ISO_DATE_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	struct issuer_validity validity;

	subject_of(cert, name);
	buf_printf(out, "%ssubject      %s\n", begin, name);
	if (issuer_validity_of(cert, &validity)) {
		date_to_iso(from, validity.not_before);
		date_to_iso(until, validity.not_after);
		buf_printf(out, "%svalid        %s to %s\n", begin, from, until);
	}
	if (issuer_file_fingerprint(cert, fingerprint))
		buf_printf(out, "%ssha256       %s\n", begin, fingerprint);
}

static void write_certificate(X509 *cert, const char *what, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	buf_printf(out, "# %s\n", what);
	issuer_file_describe(cert, "#   ", out);
	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1) {
		size_t len = (size_t)BIO_get_mem_data(bio, &text);

		buf_append(out, text, len);
	} else if (out->err == OK) {
		out->err = ERR_NO_MEMORY;
	}
	BIO_free(bio);
}

static bool has(const struct certificates *certs, const X509 *cert)
{
	for (size_t i = 0; i < certs->n; i++) {
		if (X509_cmp(certs->items[i], cert) == 0)
			return true;
	}
	return false;
}

/* But for those that are there already. */
static void write_others(const struct issuer_found *found, const struct certificates *there,
			 struct buf *out)
{
	for (size_t i = 0; i < found->issuer->n_certs; i++) {
		if (!has(there, found->issuer->certs[i]))
			write_certificate(found->issuer->certs[i], "CA certificate", out);
	}
	if (found->leaf == NULL || has(there, found->leaf))
		return;
	buf_text(out, "\n");
	write_certificate(found->leaf,
			  found->responder ? "leaf certificate, which names the responder"
					   : "leaf certificate",
			  out);
	if (found->responder != NULL) /* as far as a line may be long */
		buf_printf(out, "# responder: %.200s\n", found->responder);
}

void issuer_file_write(const struct issuer_found *found, struct buf *out)
{
	const struct certificates none = {.n = 0};

	write_others(found, &none, out);
}

/* What else stands there, comments or a key, stays. */
bool issuer_file_extend(const struct issuer_found *found, struct slice there, struct buf *out)
{
	static const char mark[] = "-----BEGIN CERTIFICATE-----";
	struct certificates certs = {.n = 0};
	bool is_part = memmem(there.p, there.len, mark, sizeof(mark) - 1) != NULL &&
		       certificates_parse(there, &certs) == OK;

	for (size_t i = 0; is_part && i < certs.n; i++)
		is_part = issuer_find_has(found->issuer, certs.items[i]) ||
			  (found->leaf != NULL && X509_cmp(found->leaf, certs.items[i]) == 0);
	if (is_part) {
		buf_append(out, there.p, there.len);
		buf_text(out, there.p[there.len - 1] == '\n' ? "" : "\n");
		write_others(found, &certs, out);
	}
	certificates_free(&certs);
	return is_part;
}

char *issuer_file_name(const struct issuer *issuer)
{
	char *label = certificate_label(issuer->certs[0]), *name = NULL;
	char id[2 * ID_SHOWN + 1] = "";

	hex_encode(id, slice_of(issuer->id, ID_SHOWN));
	for (char *c = label; c != NULL && *c != '\0'; c++) {
		if (!isascii(*c) || (!isalnum((unsigned char)*c) && strchr("_.", *c) == NULL))
			*c = '-';
	}
	if (asprintf(&name, "%.*s-%s.pem", MAX_LABEL,
		     label && isalnum((unsigned char)*label) ? label : "issuer", id) < 0)
		name = NULL;
	free(label);
	return name;
}

bool issuer_file_may_be(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

bool issuer_file_is_same(struct slice a, struct slice b)
{
	struct certificates left = {.n = 0}, right = {.n = 0};
	bool is_same = certificates_parse(a, &left) == OK && certificates_parse(b, &right) == OK &&
		       left.n == right.n;

	for (size_t i = 0; is_same && i < left.n; i++)
		is_same = X509_cmp(left.items[i], right.items[i]) == 0;
	certificates_free(&left);
	certificates_free(&right);
	return is_same;
}
