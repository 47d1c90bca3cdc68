/* SPDX-License-Identifier: ISC */
/* libcurl makes the connection (names, both families, TLS) and keeps what came in the handshake. */
#include "io/tls_peer.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Each line does nothing once one has failed; expects `easy` and `bad` in scope. */
#define SET(option, value) (bad = bad ? bad : curl_easy_setopt(easy, option, value))

bool tls_peer_check(const char *address)
{
	CURLU *parts = curl_url();
	char *text = NULL;
	bool is_good;

	if (asprintf(&text, "https://%s", address) < 0)
		text = NULL;
	is_good = parts != NULL && text != NULL && address[strcspn(address, "/?#")] == '\0' &&
		  curl_url_set(parts, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK;
	free(text);
	curl_url_cleanup(parts);
	return is_good;
}

/*
 * Without verification, because who it is does not matter: see the header. No ALPN, for the server
 * need not speak HTTP.
 */
static CURLcode set_all(CURL *easy, const char *url, unsigned seconds, char *detail)
{
	CURLcode bad = CURLE_OK;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_CERTINFO, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 0L);
	SET(CURLOPT_SSL_VERIFYHOST, 0L);
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TIMEOUT, (long)seconds);
	SET(CURLOPT_ERRORBUFFER, detail);
	return bad;
}

static err_t put_certificates(CURL *easy, struct buf *out)
{
	static const char name[] = "Cert:";
	struct curl_certinfo *info = NULL;
	err_t err = ERR_UP_UNREACHABLE;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL)
		return err;
	for (int i = 0; i < info->num_of_certs; i++) {
		for (struct curl_slist *line = info->certinfo[i]; line != NULL; line = line->next) {
			if (strncmp(line->data, name, sizeof(name) - 1) == 0)
				err = buf_text(out, line->data + sizeof(name) - 1);
		}
	}
	return out->err != OK ? out->err : err;
}

err_t tls_peer_read(const char *address, unsigned seconds, struct buf *out,
		    char detail[TLS_PEER_DETAIL])
{
	CURL *easy = curl_easy_init();
	char said[CURL_ERROR_SIZE] = "", *url = NULL;
	err_t err = ERR_NO_MEMORY;
	CURLcode bad;

	if (asprintf(&url, "https://%s/", address) < 0)
		url = NULL;
	if (easy == NULL || url == NULL)
		goto out;
	bad = set_all(easy, url, seconds, said);
	if (bad == CURLE_OK)
		bad = curl_easy_perform(easy);
	err = bad == CURLE_OK ? put_certificates(easy, out) : ERR_UP_UNREACHABLE;
	snprintf(detail, TLS_PEER_DETAIL, "%s", *said != '\0' ? said : curl_easy_strerror(bad));
out:
	free(url);
	curl_easy_cleanup(easy);
	return err;
}
