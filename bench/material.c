/* SPDX-License-Identifier: ISC */
/*
 * Makes what is served and asked for: a CA, a delegated signer, and so many responses of it.
 *
 *	material DIRECTORY COUNT rsa|ec
 *
 * writes ca.pem, answers (net.h) and request, the OCSP request for the first of them, whose last
 * octets are the serial number. The keys are forgotten. Both cores sign: RSA-2048 takes a second
 *for some 3,000, P-256 for some 30,000.
 */
#include "net.h"

#include <fcntl.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DAY		(24L * 3600)
#define N_THREADS	2
#define ROOM		32 /* a signature's length may differ by some octets */
#define FAIL_UNLESS(ok) ((ok) ? (void)0 : fail_at(__LINE__))

struct maker {
	X509 *ca, *signer;
	EVP_PKEY *key; /* the signer's */
	uint8_t *file; /* struct answers */
	uint64_t first, end;
};

static _Noreturn void fail_at(int line)
{
	fprintf(stderr, "material.c:%d: libcrypto failed\n", line);
	exit(1);
}

/* --- certificates ----------------------------------------------------------------------------- */

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	FAIL_UNLESS(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void set_name(X509_NAME *name, const char *common_name)
{
	FAIL_UNLESS(X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC, (const uint8_t *)"CH", -1,
					       -1, 0) == 1);
	FAIL_UNLESS(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
					       (const uint8_t *)"Benchmark", -1, -1, 0) == 1);
	FAIL_UNLESS(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					       (const uint8_t *)common_name, -1, -1, 0) == 1);
}

/* issuer: NULL for itself. Not signed yet. */
static X509 *new_certificate(const char *common_name, EVP_PKEY *key, const X509 *issuer)
{
	X509 *certificate = X509_new();
	uint8_t serial[SERIAL_LEN];
	BIGNUM *number;

	FAIL_UNLESS(certificate != NULL);
	serial_put(serial, UINT32_MAX);
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	X509_set_version(certificate, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 60 * DAY);
	set_name(X509_get_subject_name(certificate), common_name);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
	X509_set_pubkey(certificate, key);
	return certificate;
}

static void make_certificates(struct maker *maker, const char *directory)
{
	EVP_PKEY *ca_key = EVP_RSA_gen(2048);
	char path[PATH_SIZE];
	FILE *file;

	FAIL_UNLESS(ca_key != NULL && maker->key != NULL);
	maker->ca = new_certificate("Benchmark CA", ca_key, NULL);
	add_extension(maker->ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(maker->ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	FAIL_UNLESS(X509_sign(maker->ca, ca_key, EVP_sha256()) > 0);
	maker->signer = new_certificate("Benchmark OCSP signer", maker->key, maker->ca);
	add_extension(maker->signer, NID_key_usage, "critical,digitalSignature");
	add_extension(maker->signer, NID_ext_key_usage, "OCSPSigning");
	add_extension(maker->signer, NID_id_pkix_OCSP_noCheck, "ignored");
	FAIL_UNLESS(X509_sign(maker->signer, ca_key, EVP_sha256()) > 0);
	EVP_PKEY_free(ca_key);
	snprintf(path, sizeof(path), "%s/ca.pem", directory);
	file = fopen(path, "wb");
	if (file == NULL || PEM_write_X509(file, maker->ca) != 1 || fclose(file) != 0)
		fail(path);
}

/* --- requests and responses ------------------------------------------------------------------- */

static OCSP_CERTID *new_certid(const struct maker *maker, uint64_t index)
{
	uint8_t octets[SERIAL_LEN];
	ASN1_INTEGER *serial;
	OCSP_CERTID *certid;
	BIGNUM *number;

	serial_put(octets, index);
	number = BN_bin2bn(octets, sizeof(octets), NULL);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	certid = OCSP_cert_id_new(EVP_sha1(), X509_get_subject_name(maker->ca),
				  X509_get0_pubkey_bitstr(maker->ca), serial);
	FAIL_UNLESS(certid != NULL);
	ASN1_INTEGER_free(serial);
	BN_free(number);
	return certid;
}

static void write_request(const struct maker *maker, const char *directory)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	char path[PATH_SIZE];
	uint8_t *der = NULL;
	FILE *file;
	int len;

	FAIL_UNLESS(OCSP_request_add0_id(request, new_certid(maker, 0)) != NULL);
	len = i2d_OCSP_REQUEST(request, &der);
	FAIL_UNLESS(len > 0);
	snprintf(path, sizeof(path), "%s/request", directory);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(der, (size_t)len, 1, file) != 1 || fclose(file) != 0)
		fail(path);
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
}

/* Its length; allocated by libcrypto. */
static int make_response(const struct maker *maker, uint64_t index, uint8_t **out)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *certid = new_certid(maker, index);
	ASN1_TIME *from = ASN1_TIME_adj(NULL, time(NULL), 0, -3600),
		  *until = ASN1_TIME_adj(NULL, time(NULL), 30, 0);
	OCSP_RESPONSE *response;
	int len;

	FAIL_UNLESS(OCSP_basic_add1_status(basic, certid, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from,
					   until) != NULL);
	FAIL_UNLESS(OCSP_basic_sign(basic, maker->signer, maker->key, EVP_sha256(), NULL,
				    OCSP_RESPID_KEY) == 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, out);
	FAIL_UNLESS(len > 0);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(certid);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	return len;
}

static void *make_part(void *arg)
{
	const struct maker *maker = arg;
	const uint64_t slot = ((const struct answers *)maker->file)->slot;

	for (uint64_t i = maker->first; i < maker->end; i++) {
		struct answer *answer =
		    (struct answer *)(maker->file + sizeof(struct answers) + i * slot);
		uint8_t *der = NULL;

		answer->len = (uint32_t)make_response(maker, i, &der);
		FAIL_UNLESS(sizeof(*answer) + answer->len <= slot);
		memcpy(answer->der, der, answer->len);
		OPENSSL_free(der);
	}
	return NULL;
}

/* A file of that many slots, mapped. */
static uint8_t *new_file(const char *directory, const struct answers *head)
{
	const size_t len = sizeof(*head) + head->slot * head->count;
	char path[PATH_SIZE];
	uint8_t *octets;
	int fd;

	snprintf(path, sizeof(path), "%s/answers", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)len) != 0)
		fail(path);
	octets = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (octets == MAP_FAILED)
		fail(path);
	close(fd);
	memcpy(octets, head, sizeof(*head));
	return octets;
}

int main(int argc, char **argv)
{
	struct maker makers[N_THREADS], maker = {.first = 0};
	pthread_t threads[N_THREADS];
	struct answers head;
	uint8_t *der = NULL;

	if (argc != 4)
		return 64;
	head.count = strtoull(argv[2], NULL, 10);
	maker.key = strcmp(argv[3], "rsa") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	make_certificates(&maker, argv[1]);
	write_request(&maker, argv[1]);
	head.slot =
	    (sizeof(struct answer) + (size_t)make_response(&maker, 0, &der) + ROOM) / 16 * 16;
	maker.file = new_file(argv[1], &head);
	for (uint64_t i = 0; i < N_THREADS; i++) {
		makers[i] = maker;
		makers[i].first = head.count * i / N_THREADS;
		makers[i].end = head.count * (i + 1) / N_THREADS;
		if (pthread_create(&threads[i], NULL, make_part, &makers[i]) != 0)
			fail("pthread_create");
	}
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	OPENSSL_free(der);
	return 0;
}
