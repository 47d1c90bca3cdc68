/* SPDX-License-Identifier: ISC */
/*
 * hiredis_ssl moves the octets; the session is made here, because the contexts that it makes check
 * the chain of a certificate and not whose it is. A session is an SSL under another name.
 */
#include "io/redis_tls.h"

#ifdef HAVE_HIREDIS_SSL

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

bool redis_tls_is_there(void)
{
	return true;
}

struct redis_tls *redis_tls_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return NULL;
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_default_verify_paths(context) != 1) {
		SSL_CTX_free(context);
		return NULL;
	}
	return (struct redis_tls *)context;
}

void redis_tls_free(struct redis_tls *tls)
{
	SSL_CTX_free((SSL_CTX *)tls);
}

/* SNI is for names only, RFC 6066 3. */
static bool expect(SSL *ssl, const char *host)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct redis_tls_session *redis_tls_start(const struct redis_tls *tls, redisContext *context,
					  const char *host)
{
	SSL *ssl = SSL_new((SSL_CTX *)(uintptr_t)tls);

	if (!ssl)
		return NULL;
	if (!expect(ssl, host) || redisInitiateSSL(context, ssl) != REDIS_OK) {
		SSL_free(ssl);
		return NULL;
	}
	return (struct redis_tls_session *)ssl;
}

bool redis_tls_is_ready(const struct redis_tls_session *session)
{
	return SSL_is_init_finished((const SSL *)session);
}

const char *redis_tls_fault(const struct redis_tls_session *session)
{
	long result = SSL_get_verify_result((const SSL *)session);

	return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

#else

bool redis_tls_is_there(void)
{
	return false;
}

struct redis_tls *redis_tls_new(void)
{
	return NULL;
}

void redis_tls_free(struct redis_tls *tls)
{
	(void)tls;
}

struct redis_tls_session *redis_tls_start(const struct redis_tls *tls, redisContext *context,
					  const char *host)
{
	(void)tls;
	(void)context;
	(void)host;
	return NULL;
}

bool redis_tls_is_ready(const struct redis_tls_session *session)
{
	(void)session;
	return false;
}

const char *redis_tls_fault(const struct redis_tls_session *session)
{
	(void)session;
	return NULL;
}

#endif
