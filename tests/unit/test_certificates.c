/* SPDX-License-Identifier: ISC */
/*
 * Certificates out of files as people have them: PEM with whatever around it, DER, PKCS#7; and what
 * is none is called by its name.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/bytes.h"
#include "ctl/certificates.h"
#include "pki.h"

#define MARK "\xef\xbb\xbf"

static char *put(BIO *bio, size_t *len)
{
	char *text;

	*len = (size_t)BIO_get_mem_data(bio, &text);
	return text;
}

static X509 *cert(unsigned key)
{
	static X509 *made[8];

	if (made[key] == NULL)
		made[key] = pki_cert(&(struct pki_cert){
		    .name = "Some CA", .key = pki_key(PKI_P256, key), .exts = PKI_CA_EXTS});
	return made[key];
}

static EVP_PKEY *key(void)
{
	return pki_key(PKI_P256, 0);
}

/* --- writers: each appends one thing --- */

typedef void writer(BIO *bio);

static void pem(BIO *bio)
{
	cr_assert_eq(PEM_write_bio_X509(bio, cert(0)), 1);
}

static void other_pem(BIO *bio)
{
	cr_assert_eq(PEM_write_bio_X509(bio, cert(1)), 1);
}

static void trusted(BIO *bio)
{
	X509 *copy = X509_dup(cert(0));

	cr_assert_eq(X509_alias_set1(copy, (const unsigned char *)"alias", 5), 1);
	cr_assert_eq(PEM_write_bio_X509_AUX(bio, copy), 1);
	X509_free(copy);
}

static void der(BIO *bio)
{
	cr_assert_eq(i2d_X509_bio(bio, cert(0)), 1);
}

/* Lines end in CR LF. */
static void crlf(BIO *bio)
{
	BIO *plain = BIO_new(BIO_s_mem());
	size_t len;
	char *text;

	pem(plain);
	text = put(plain, &len);
	for (size_t i = 0; i < len; i++)
		BIO_write(bio, text[i] == '\n' ? "\r\n" : &text[i], text[i] == '\n' ? 2 : 1);
	BIO_free(plain);
}

static void mark(BIO *bio)
{
	BIO_puts(bio, MARK);
}

static void prose(BIO *bio)
{
	BIO_puts(bio, "Bag Attributes\n    friendlyName: x\nsubject=CN = Some CA\n\n");
}

static void line(BIO *bio)
{
	BIO_puts(bio, "\n");
}

static void letter(BIO *bio)
{
	BIO_puts(bio, "x");
}

static PKCS7 *bundle(unsigned n)
{
	PKCS7 *pkcs7 = PKCS7_new();

	cr_assert_eq(PKCS7_set_type(pkcs7, NID_pkcs7_signed), 1);
	cr_assert_eq(PKCS7_content_new(pkcs7, NID_pkcs7_data), 1);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(PKCS7_add_certificate(pkcs7, cert(i)), 1);
	return pkcs7;
}

static void pkcs7_der(BIO *bio)
{
	PKCS7 *pkcs7 = bundle(2);

	cr_assert_eq(i2d_PKCS7_bio(bio, pkcs7), 1);
	PKCS7_free(pkcs7);
}

static void pkcs7_pem(BIO *bio)
{
	PKCS7 *pkcs7 = bundle(2);

	cr_assert_eq(PEM_write_bio_PKCS7(bio, pkcs7), 1);
	PKCS7_free(pkcs7);
}

static void pkcs7_empty(BIO *bio)
{
	PKCS7 *pkcs7 = bundle(0);

	cr_assert_eq(PEM_write_bio_PKCS7(bio, pkcs7), 1);
	PKCS7_free(pkcs7);
}

/* As some CAs label it. */
static void pkcs7_mislabelled(BIO *bio)
{
	PKCS7 *pkcs7 = bundle(2);
	uint8_t *bytes = NULL;
	int len = i2d_PKCS7(pkcs7, &bytes);

	cr_assert_gt(PEM_write_bio(bio, "CERTIFICATE", "", bytes, len), 0);
	OPENSSL_free(bytes);
	PKCS7_free(pkcs7);
}

static void key_pem(BIO *bio)
{
	cr_assert_eq(PEM_write_bio_PrivateKey(bio, key(), NULL, NULL, 0, NULL, NULL), 1);
}

static void key_old(BIO *bio)
{
	cr_assert_eq(PEM_write_bio_PrivateKey_traditional(bio, key(), NULL, NULL, 0, NULL, NULL),
		     1);
}

static void key_encrypted(BIO *bio)
{
	cr_assert_eq(
	    PEM_write_bio_PKCS8PrivateKey(bio, key(), EVP_aes_128_cbc(), "secret", 6, NULL, NULL),
	    1);
}

static void key_der(BIO *bio)
{
	cr_assert_eq(i2d_PKCS8PrivateKeyInfo_bio(bio, key()), 1);
}

static void key_old_der(BIO *bio)
{
	cr_assert_eq(i2d_PrivateKey_bio(bio, key()), 1);
}

static void key_encrypted_der(BIO *bio)
{
	cr_assert_eq(
	    i2d_PKCS8PrivateKey_bio(bio, key(), EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
}

static void public_pem(BIO *bio)
{
	cr_assert_eq(PEM_write_bio_PUBKEY(bio, key()), 1);
}

static void public_der(BIO *bio)
{
	cr_assert_eq(i2d_PUBKEY_bio(bio, key()), 1);
}

static X509_REQ *request(void)
{
	X509_REQ *made = X509_to_X509_REQ(cert(0), key(), EVP_sha256());

	cr_assert_not_null(made);
	return made;
}

static void request_pem(BIO *bio)
{
	X509_REQ *made = request();

	cr_assert_eq(PEM_write_bio_X509_REQ(bio, made), 1);
	X509_REQ_free(made);
}

static void request_der(BIO *bio)
{
	X509_REQ *made = request();

	cr_assert_eq(i2d_X509_REQ_bio(bio, made), 1);
	X509_REQ_free(made);
}

static X509_CRL *crl(void)
{
	X509_CRL *made = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_set(NULL, PKI_NOW);

	cr_assert_eq(X509_CRL_set_version(made, X509_CRL_VERSION_2), 1);
	cr_assert_eq(X509_CRL_set_issuer_name(made, X509_get_subject_name(cert(0))), 1);
	cr_assert_eq(X509_CRL_set1_lastUpdate(made, now), 1);
	cr_assert_gt(X509_CRL_sign(made, key(), EVP_sha256()), 0);
	ASN1_TIME_free(now);
	return made;
}

static void crl_pem(BIO *bio)
{
	X509_CRL *made = crl();

	cr_assert_eq(PEM_write_bio_X509_CRL(bio, made), 1);
	X509_CRL_free(made);
}

static void crl_der(BIO *bio)
{
	X509_CRL *made = crl();

	cr_assert_eq(i2d_X509_CRL_bio(bio, made), 1);
	X509_CRL_free(made);
}

static void pkcs12_der(BIO *bio)
{
	PKCS12 *made = PKCS12_create("secret", "name", key(), cert(0), NULL, 0, 0, 0, 0, 0);

	cr_assert_not_null(made);
	cr_assert_eq(i2d_PKCS12_bio(bio, made), 1);
	PKCS12_free(made);
}

static void broken(BIO *bio)
{
	BIO_puts(bio, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
}

static void parameters(BIO *bio)
{
	BIO_puts(bio, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		      "-----END EC PARAMETERS-----\n");
}

/* A certificate in UTF-16, big or little endian. */
static void put_utf16(BIO *bio, bool is_big)
{
	BIO *plain = BIO_new(BIO_s_mem());
	size_t len;
	char *text;

	pem(plain);
	text = put(plain, &len);
	for (size_t i = 0; i < len; i++)
		BIO_write(bio, is_big ? (char[]){'\0', text[i]} : (char[]){text[i], '\0'}, 2);
	BIO_free(plain);
}

static void utf16_little(BIO *bio)
{
	put_utf16(bio, false);
}

static void utf16_big(BIO *bio)
{
	put_utf16(bio, true);
}

static void mark_little(BIO *bio)
{
	BIO_puts(bio, "\xff\xfe");
}

static void mark_big(BIO *bio)
{
	BIO_puts(bio, "\xfe\xff");
}

/* Of what write gives in DER: in lines, or in one that does not end. */
static void put_base64(BIO *bio, writer *write, bool has_lines)
{
	BIO *plain = BIO_new(BIO_s_mem()), *filter = BIO_new(BIO_f_base64());
	size_t len;
	char *text;

	write(plain);
	text = put(plain, &len);
	BIO_set_flags(filter, has_lines ? 0 : BIO_FLAGS_BASE64_NO_NL);
	BIO_push(filter, bio);
	BIO_write(filter, text, (int)len);
	cr_assert_eq(BIO_flush(filter), 1);
	BIO_pop(filter);
	BIO_free(filter);
	BIO_free(plain);
}

static void base64_lines(BIO *bio)
{
	put_base64(bio, der, true);
}

static void base64_line(BIO *bio)
{
	put_base64(bio, der, false);
}

static void base64_pkcs7(BIO *bio)
{
	put_base64(bio, pkcs7_der, true);
}

static void base64_key(BIO *bio)
{
	put_base64(bio, key_der, true);
}

static const struct {
	const char *name;
	writer *parts[6];
	err_t err;
	size_t n, n_bad, n_keys;
} rows[] = {
    {"PEM", {pem}, OK, 1, 0, 0},
    {"two", {pem, other_pem}, OK, 2, 0, 0},
    {"text around", {prose, pem, prose, other_pem, prose}, OK, 2, 0, 0},
    {"CR LF", {crlf, crlf}, OK, 2, 0, 0},
    {"byte order mark", {mark, pem}, OK, 1, 0, 0},
    {"a mark before each, as copying files together leaves it",
     {mark, pem, mark, pem},
     OK,
     2,
     0,
     0},
    {"mark, text and CR LF", {mark, prose, crlf}, OK, 1, 0, 0},
    {"TRUSTED CERTIFICATE", {trusted}, OK, 1, 0, 0},
    {"DER", {der}, OK, 1, 0, 0},
    {"DER and a line end", {der, line}, OK, 1, 0, 0},
    {"DER and something", {der, letter}, ERR_CERTIFICATE, 0, 0, 0},
    {"PKCS#7", {pkcs7_der}, OK, 2, 0, 0},
    {"PKCS#7 in PEM", {pkcs7_pem}, OK, 2, 0, 0},
    {"PKCS#7 in PEM beside PEM", {pem, pkcs7_pem}, OK, 3, 0, 0},
    {"PKCS#7 labelled CERTIFICATE", {pkcs7_mislabelled}, OK, 2, 0, 0},
    {"PKCS#7 without any", {pkcs7_empty}, ERR_CERTIFICATE, 0, 0, 0},
    {"key before", {key_pem, pem}, OK, 1, 0, 1},
    {"key behind", {pem, key_old}, OK, 1, 0, 1},
    {"parameters and key", {parameters, key_old, pem}, OK, 1, 0, 1},
    {"encrypted key", {pem, key_encrypted, other_pem}, OK, 2, 0, 1},
    {"request and CRL between", {pem, request_pem, crl_pem, other_pem}, OK, 2, 0, 0},
    {"a broken one between", {pem, broken, other_pem}, OK, 2, 1, 0},
    {"only a broken one", {broken}, ERR_CERTIFICATE, 0, 0, 0},
    {"a broken one and a key", {broken, key_pem}, ERR_CERTIFICATE, 0, 0, 0},
    {"only a key", {key_pem}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"only an old key", {parameters, key_old}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"only an encrypted key", {key_encrypted}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"key in DER", {key_der}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"old key in DER", {key_old_der}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"encrypted key in DER", {key_encrypted_der}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"request", {request_pem}, ERR_CERTIFICATE_REQ, 0, 0, 0},
    {"request in DER", {request_der}, ERR_CERTIFICATE_REQ, 0, 0, 0},
    {"key and request", {request_pem, key_pem}, ERR_CERTIFICATE_KEY, 0, 0, 0},
    {"CRL", {crl_pem}, ERR_CERTIFICATE_CRL, 0, 0, 0},
    {"CRL in DER", {crl_der}, ERR_CERTIFICATE_CRL, 0, 0, 0},
    {"PKCS#12", {pkcs12_der}, ERR_CERTIFICATE_PKCS12, 0, 0, 0},
    {"public key", {public_pem}, ERR_CERTIFICATE_PUBLIC, 0, 0, 0},
    {"public key in DER", {public_der}, ERR_CERTIFICATE_PUBLIC, 0, 0, 0},
    {"UTF-16", {mark_little, utf16_little}, ERR_CERTIFICATE_UTF16, 0, 0, 0},
    {"UTF-16, big endian", {mark_big, utf16_big}, ERR_CERTIFICATE_UTF16, 0, 0, 0},
    {"UTF-16 without a mark", {utf16_little}, ERR_CERTIFICATE_UTF16, 0, 0, 0},
    {"UTF-16, big endian, without a mark", {utf16_big}, ERR_CERTIFICATE_UTF16, 0, 0, 0},
    {"base64", {base64_lines}, ERR_CERTIFICATE_BASE64, 0, 0, 0},
    {"base64 in one line", {base64_line}, ERR_CERTIFICATE_BASE64, 0, 0, 0},
    {"base64 behind a mark", {mark, base64_lines}, ERR_CERTIFICATE_BASE64, 0, 0, 0},
    {"base64 of a PKCS#7", {base64_pkcs7}, ERR_CERTIFICATE_BASE64, 0, 0, 0},
    {"base64 of a key", {base64_key}, ERR_CERTIFICATE, 0, 0, 0},
    {"base64 and something", {base64_lines, prose}, ERR_CERTIFICATE, 0, 0, 0},
    {"parameters", {parameters}, ERR_CERTIFICATE, 0, 0, 0},
    {"text", {prose}, ERR_CERTIFICATE, 0, 0, 0},
    {"nothing", {NULL}, ERR_CERTIFICATE, 0, 0, 0},
};

Test(certificates, files_are_read_where_sensible_and_named_where_not)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		struct certificates found = {.n = 0};
		size_t len;
		const char *text;
		err_t err;

		for (size_t part = 0; part < N_ELEMENTS(rows[i].parts) && rows[i].parts[part];
		     part++)
			rows[i].parts[part](bio);
		text = put(bio, &len);
		err = certificates_parse(slice_of(text, len), &found);
		cr_expect_eq(err, rows[i].err, "%s: %s", rows[i].name, err_row(err)->label);
		cr_expect_eq(found.n, rows[i].n, "%s: %zu", rows[i].name, found.n);
		cr_expect_eq(found.n_bad, rows[i].n_bad, "%s: %zu bad", rows[i].name, found.n_bad);
		cr_expect_eq(found.n_keys, rows[i].n_keys, "%s", rows[i].name);
		cr_expect_eq(certificates_doubt(&found) != NULL, rows[i].n_keys > 0, "%s",
			     rows[i].name);
		certificates_free(&found);
		BIO_free(bio);
	}
}

Test(certificates, what_is_read_is_what_was_written)
{
	static writer *const forms[] = {pem, crlf, trusted, der, pkcs7_der, pkcs7_pem};

	for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		struct certificates found = {.n = 0};
		size_t len;
		const char *text;

		forms[i](bio);
		text = put(bio, &len);
		cr_assert_eq(certificates_parse(slice_of(text, len), &found), OK);
		cr_expect_eq(X509_cmp(found.items[0], cert(0)), 0, "form %zu", i);
		certificates_free(&found);
		BIO_free(bio);
	}
}

/* Cut anywhere: nothing but an answer, and nothing left in the library's queue. */
Test(certificates, a_cut_file_is_no_harm)
{
	static writer *const forms[] = {der, pkcs7_der, pkcs12_der, pem};

	for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		size_t len;
		const char *text;

		forms[i](bio);
		text = put(bio, &len);
		for (size_t cut = 0; cut + 1 < len; cut += 1 + len / 200) {
			struct certificates found = {.n = 0};

			cr_expect_neq(certificates_parse(slice_of(text, cut), &found), OK,
				      "form %zu cut at %zu", i, cut);
			certificates_free(&found);
		}
		BIO_free(bio);
	}
}
