/* SPDX-License-Identifier: ISC */
/*
 * What a responder is sent, and how: nothing of a client but the DER, no credentials, no cookies,
 * nothing followed, HTTP/1.1 in clear or over TLS with the ordinary verification of certificates.
 * That verification asks no responder itself: a relay that needs OCSP to do OCSP would deadlock.
 */
#include "io/upstream_easy.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/upstream_url.h"

#define MAX_LINE_LEN 128

/* Each line does nothing once one has failed; expects `easy` and `bad` in scope. */
#define SET(option, value) (bad = bad ? bad : curl_easy_setopt(easy, option, value))

static bool append(struct curl_slist **list, const char *field)
{
	struct curl_slist *longer = curl_slist_append(*list, field);

	if (longer)
		*list = longer;
	return longer != NULL;
}

/* With what libcurl adds by itself (Host, User-Agent, Content-Length) these are exactly the fields
 * of rule HC-03. A name with nothing behind the colon is one that it shall not add. */
static bool make_list(struct curl_slist **list, const char *via, unsigned post, unsigned no_cache)
{
	char line[MAX_LINE_LEN];

	if (snprintf(line, sizeof(line), "Via: 1.1 %s", via) >= (int)sizeof(line))
		return false;
	return append(list, "Accept: application/ocsp-response") &&
	       append(list, "Accept-Encoding: identity") && append(list, line) &&
	       append(list, "Expect:") &&
	       (!post || append(list, "Content-Type: application/ocsp-request")) &&
	       (!no_cache || append(list, "Cache-Control: no-cache"));
}

bool upstream_lists_init(struct upstream_lists *lists, const char *via)
{
	unsigned post, no_cache;

	*lists = (struct upstream_lists){.proxy_fields = NULL};
	for (post = 0; post < 2; post++) {
		for (no_cache = 0; no_cache < 2; no_cache++) {
			if (!make_list(&lists->fields[post][no_cache], via, post, no_cache))
				return false;
		}
	}
	return append(&lists->proxy_fields, "Proxy-Connection:");
}

void upstream_lists_fini(struct upstream_lists *lists)
{
	unsigned post, no_cache;

	for (post = 0; post < 2; post++) {
		for (no_cache = 0; no_cache < 2; no_cache++)
			curl_slist_free_all(lists->fields[post][no_cache]);
	}
	curl_slist_free_all(lists->proxy_fields);
}

/* The environment's SSL_CERT_FILE and SSL_CERT_DIR count as they do for OpenSSL's programs. */
static CURLcode set_trust(CURL *easy)
{
	const char *file = getenv("SSL_CERT_FILE"), *directory = getenv("SSL_CERT_DIR");
	CURLcode bad = CURLE_OK;

	if (file && file[0])
		SET(CURLOPT_CAINFO, file);
	if (directory && directory[0])
		SET(CURLOPT_CAPATH, directory);
	return bad;
}

/*
 * QUICK_EXIT: without it libcurl joins the thread of a name resolution that timed out or was
 * cancelled (Curl_resolver_kill), so a dead name server would stop the loop for as long as
 * getaddrinfo pleases. With it that thread is left alone, and frees what it holds when it ends.
 */
CURLcode upstream_easy_init(CURL *easy, const struct upstream_lists *lists)
{
	CURLcode bad = set_trust(easy);

	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_USERAGENT, "ocsprelay/" PACKAGE_VERSION);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(CURLOPT_PROXYHEADER, lists->proxy_fields);
	return bad;
}

/* A proxy that the configuration names is used for every responder: no_proxy belongs to the
 * environment's. */
static CURLcode set_proxy(CURL *easy, const char *proxy)
{
	bool is_own = proxy[0] != '\0';
	CURLcode bad = CURLE_OK;

	if (strcmp(proxy, "none") == 0)
		SET(CURLOPT_PROXY, "");
	else
		SET(CURLOPT_PROXY, is_own ? proxy : NULL);
	SET(CURLOPT_NOPROXY, is_own ? "" : NULL);
	return bad;
}

static CURLcode set_get(CURL *easy, const char *responder, struct slice der)
{
	size_t size = upstream_url_get_len(responder, der) + 1;
	CURLcode bad = CURLE_OK;
	char *url = malloc(size);

	if (!url || upstream_url_get(responder, der, url, size) != OK)
		bad = CURLE_OUT_OF_MEMORY;
	SET(CURLOPT_HTTPGET, 1L);
	SET(CURLOPT_URL, url);
	free(url);
	return bad;
}

static CURLcode set_post(CURL *easy, const char *responder, struct slice der)
{
	CURLcode bad = CURLE_OK;

	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)der.len);
	SET(CURLOPT_POSTFIELDS, (const char *)der.p);
	SET(CURLOPT_URL, responder);
	return bad;
}

CURLcode upstream_easy_set(CURL *easy, const struct upstream_lists *lists,
			   const struct upstream_request *request, struct slice der)
{
	CURLcode bad = set_proxy(easy, request->proxy);

	if (bad == CURLE_OK)
		bad = request->post ? set_post(easy, request->url, der)
				    : set_get(easy, request->url, der);
	SET(CURLOPT_HTTPHEADER, lists->fields[request->post][request->no_cache]);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(request->ms_connect > 0 ? request->ms_connect : 1));
	return bad;
}

CURLcode upstream_easy_set_condition(CURL *easy, const struct upstream_lists *lists,
				     struct upstream_condition *condition, struct slice etag)
{
	CURLcode bad = CURLE_OK;

	snprintf(condition->line, sizeof(condition->line), "If-None-Match: %.*s", (int)etag.len,
		 (const char *)etag.p);
	condition->node = (struct curl_slist){.data = condition->line, .next = lists->fields[0][0]};
	SET(CURLOPT_HTTPHEADER, &condition->node);
	return bad;
}
