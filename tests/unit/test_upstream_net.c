/* SPDX-License-Identifier: ISC */
/* Transfers: names that do not resolve in time, and TLS. */
#include <dlfcn.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "asker.h"

/* --- names ------------------------------------------------------------------------------------ */

static int released[2]; /* a pipe: readable once the name server answers */

typedef int resolve_fn(const char *node, const char *service, const struct addrinfo *hints,
		       struct addrinfo **result);

/* Of both families of loopback, the one that libcurl prefers first. */
static int resolve_both(resolve_fn *resolve, const char *service, struct addrinfo **result)
{
	const struct addrinfo numbers = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					 .ai_socktype = SOCK_STREAM};
	int failed = resolve("::1", service, &numbers, result);

	return failed ? failed : resolve("127.0.0.1", service, &numbers, &(*result)->ai_next);
}

/* In front of the system's, for libcurl too: the name server of .invalid does not answer,
 * both.test is loopback. Other tests of this program resolve as ever. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	const char *end = node ? strrchr(node, '.') : NULL;
	resolve_fn *system_resolve = NULL;
	char octet;

	*(void **)&system_resolve = dlsym(RTLD_NEXT, "getaddrinfo");
	if (node != NULL && strcmp(node, "both.test") == 0)
		return resolve_both(system_resolve, service, result);
	if (end == NULL || strcmp(end, ".invalid") != 0)
		return system_resolve(node, service, hints, result);
	(void)!read(released[0], &octet, 1);
	return EAI_AGAIN;
}

/* If the loop joined the resolver's thread, it would wait for ever: the pipe is written last. */
Test(upstream_net, HC_17_a_name_server_that_hangs_does_not_stop_the_loop)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	struct upstream_request slow = asker->request;
	struct transfer *cancelled;
	char url[64];

	cr_assert_eq(pipe(released), 0);
	snprintf(url, sizeof(url), "%s", asker->url);
	snprintf(asker->url, sizeof(asker->url), "http://ocsp.invalid/");
	asker->request.ms_attempt = asker->request.ms_connect = 50;
	cr_expect_eq(asker_ask(asker)->answer.err, ERR_UP_TIMEOUT);

	slow.url = "http://another.invalid/";
	cancelled = upstream_start(asker->upstream, &slow, asker_take, asker);
	snprintf(asker->url, sizeof(asker->url), "%s", url);
	asker->request.ms_attempt = 5000;
	cr_expect_eq(asker_ask(asker)->answer.err, OK, "others go on meanwhile");
	transfer_cancel(cancelled);
	asker_end(asker);
	cr_expect_eq(write(released[1], "ab", 2), 2);
}

/* A port of ::1 whose queue is full: whoever connects hears nothing. The sockets, n of them, which
 * keep it so; 0 where that cannot be had. */
static unsigned open_silent(unsigned port, int fds[static 16])
{
	const struct sockaddr_in6 address = {.sin6_family = AF_INET6,
					     .sin6_addr = IN6ADDR_LOOPBACK_INIT,
					     .sin6_port = htons((uint16_t)port)};
	const struct sockaddr *to = (const struct sockaddr *)&address;
	struct pollfd last = {.events = POLLOUT};
	unsigned n = 0;

	fds[n++] = socket(AF_INET6, SOCK_STREAM, 0);
	if (bind(fds[0], to, sizeof(address)) != 0 || listen(fds[0], 0) != 0)
		return 0;
	while (n < 16) {
		last.fd = fds[n++] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(last.fd, to,
			      sizeof(address)); /* on loopback done at once, or never */
		if (poll(&last, 1, 0) == 0)
			return n;
	}
	return 0;
}

/* Without the next address it would take the whole of ms_connect, or half of it. */
Test(upstream_net, HC_17_an_address_that_is_silent_gives_way_to_the_next)
{
	static const struct scripted_step steps[] = {{STEP_ANSWER, GOOD, 0}};
	struct asker *asker = asker_new(steps, 1, 0);
	unsigned n;
	int fds[16];

	n = open_silent(asker->server->port, fds);
	snprintf(asker->url, sizeof(asker->url), "http://both.test:%u/", asker->server->port);
	asker->request.ms_connect = 600000;
	asker->request.ms_attempt = 15000;
	if (n > 0)
		cr_expect_eq(asker_ask(asker)->answer.err, OK, "%s", asker->answers[0].detail);
	while (n > 0)
		close(fds[--n]);
	asker_end(asker);
}

/* --- TLS -------------------------------------------------------------------------------------- */

struct tls_server {
	SSL_CTX *context;
	int listener;
	unsigned port;
	pthread_t thread;
	char certificate[64];
};

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, name);

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	X509_set_pubkey(certificate, key);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	return certificate;
}

/* One connection, one answer; a client that refuses the certificate gets none. */
static void *serve(void *arg)
{
	struct tls_server *server = arg;
	int fd = accept(server->listener, NULL, NULL);
	SSL *ssl = SSL_new(server->context);
	char request[4096];

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
		SSL_write(ssl, GOOD, (int)strlen(GOOD));
		(void)SSL_read(ssl, request, sizeof(request));
	}
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void tls_start(struct tls_server *server, const char *name)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key, name);
	FILE *file;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	server->context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server->context, certificate);
	SSL_CTX_use_PrivateKey(server->context, key);
	snprintf(server->certificate, sizeof(server->certificate), "/tmp/ocsprelay-ca-XXXXXX");
	fd = mkstemp(server->certificate);
	file = fdopen(fd, "w");
	PEM_write_X509(file, certificate);
	fclose(file);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(server->listener, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(listen(server->listener, 1), 0);
	cr_assert_eq(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	server->port = ntohs(address.sin_port);
	cr_assert_eq(pthread_create(&server->thread, NULL, serve, server), 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void expect_tls(const char *name, bool is_trusted, err_t expected)
{
	struct tls_server server;
	struct asker *asker;

	tls_start(&server, name);
	if (is_trusted)
		setenv("SSL_CERT_FILE", server.certificate, 1);
	else
		unsetenv("SSL_CERT_FILE");
	asker = asker_new(NULL, 0, 0);
	snprintf(asker->url, sizeof(asker->url), "https://127.0.0.1:%u/", server.port);
	cr_expect_eq(asker_ask(asker)->answer.err, expected, "%s: %s", name,
		     asker->answers[0].detail);
	asker_end(asker);
	pthread_join(server.thread, NULL);
	close(server.listener);
	unlink(server.certificate);
	SSL_CTX_free(server.context);
}

/* The server staples nothing, and nobody is asked about its certificate. */
Test(upstream_net, HC_16_https_with_a_certificate_that_is_trusted)
{
	expect_tls("IP:127.0.0.1", true, OK);
}

Test(upstream_net, HC_16_https_with_any_other_certificate_fails)
{
	expect_tls("IP:127.0.0.1", false, ERR_UP_UNREACHABLE);
	expect_tls("DNS:other.example", true, ERR_UP_UNREACHABLE);
}
