/* SPDX-License-Identifier: ISC */
/* One easy handle of libcurl, which keeps its connection between calls. */
#include "io/admin_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define CONNECT_SECONDS 5L

struct admin_client {
	CURL *easy;
	char *base; /* http://host:port */
	char *authorization;
	bool is_unix; /* where libcurl's own words would be about a port of localhost */
	char detail[CURL_ERROR_SIZE];
	const struct admin_call *call;
};

/* Each line does nothing once one has failed; expects `easy` and `bad` in scope. */
#define SET(option, value) (bad = bad ? bad : curl_easy_setopt(easy, option, value))

static size_t on_octets(char *p, size_t size, size_t n, void *arg)
{
	const struct admin_client *client = arg;
	const struct admin_call *call = client->call;
	long status = 0;

	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	return call->part(call->arg, (unsigned)status, slice_of(p, size * n)) ? size * n : 0;
}

/* What listens everywhere listens here, too. */
static char *base_of(const char *address)
{
	bool is_any = strncmp(address, "*:", 2) == 0, is_unix = strncmp(address, "unix:", 5) == 0;
	char *base = NULL;

	if (asprintf(&base, "http://%s%s", is_any ? "127.0.0.1" : "",
		     is_unix ? "localhost" : address + is_any) < 0)
		return NULL;
	return base;
}

static CURLcode set_all(struct admin_client *client, const char *address)
{
	CURL *easy = client->easy;
	CURLcode bad = CURLE_OK;

	if (strncmp(address, "unix:", 5) == 0)
		SET(CURLOPT_UNIX_SOCKET_PATH, address + 5);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	SET(CURLOPT_ERRORBUFFER, client->detail);
	SET(CURLOPT_USERAGENT, "ocsprelay/" PACKAGE_VERSION);
	SET(CURLOPT_WRITEFUNCTION, on_octets);
	SET(CURLOPT_WRITEDATA, client);
	return bad;
}

struct admin_client *admin_client_new(const char *address, const char *token)
{
	struct admin_client *client = calloc(1, sizeof(*client));

	if (client == NULL)
		return NULL;
	client->easy = curl_easy_init();
	client->base = base_of(address);
	client->is_unix = strncmp(address, "unix:", 5) == 0;
	if (client->easy == NULL || client->base == NULL || set_all(client, address) != CURLE_OK ||
	    (token != NULL && token[strcspn(token, "\r\n")] != '\0') ||
	    (token != NULL &&
	     asprintf(&client->authorization, "Authorization: Bearer %s", token) < 0)) {
		admin_client_free(client);
		return NULL;
	}
	return client;
}

void admin_client_free(struct admin_client *client)
{
	if (client == NULL)
		return;
	if (client->easy != NULL)
		curl_easy_cleanup(client->easy);
	free(client->base);
	free(client->authorization);
	free(client);
}

static bool append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

static CURLcode set_call(const struct admin_client *client, const char *url,
			 const struct curl_slist *fields)
{
	const struct admin_call *call = client->call;
	CURL *easy = client->easy;
	CURLcode bad = CURLE_OK;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTPHEADER, fields);
	if (call->type == NULL) {
		SET(CURLOPT_HTTPGET, 1L);
	} else {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
		SET(CURLOPT_POSTFIELDS, call->body.len > 0 ? (const char *)call->body.p : "");
	}
	return bad;
}

static err_t perform(struct admin_client *client, const char *url, const struct curl_slist *fields,
		     unsigned *out_status)
{
	CURLcode bad = set_call(client, url, fields);
	long status = 0, error = 0;

	if (bad == CURLE_OK)
		bad = curl_easy_perform(client->easy);
	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &error);
	if (bad != CURLE_OK && client->is_unix)
		snprintf(client->detail, sizeof(client->detail), "%s",
			 bad == CURLE_COULDNT_CONNECT && error != 0 ? strerror((int)error)
								    : curl_easy_strerror(bad));
	if (bad != CURLE_OK)
		return status == 0 ? ERR_UP_UNREACHABLE : ERR_UP_FRAMING;
	*out_status = (unsigned)status;
	return OK;
}

err_t admin_client_call(struct admin_client *client, const struct admin_call *call,
			unsigned *out_status, const char **out_detail)
{
	struct curl_slist *fields = NULL;
	char *url = NULL, *type = NULL;
	err_t err = ERR_NO_MEMORY;

	client->detail[0] = '\0';
	*out_detail = client->detail;
	client->call = call;
	if (asprintf(&url, "%s%s", client->base, call->path) < 0)
		url = NULL;
	if (asprintf(&type, "Content-Type: %s", call->type ? call->type : "") < 0)
		type = NULL;
	if (url != NULL && type != NULL && append(&fields, "Expect:") && append(&fields, type) &&
	    (client->authorization == NULL || append(&fields, client->authorization)))
		err = perform(client, url, fields, out_status);
	curl_slist_free_all(fields);
	free(url);
	free(type);
	return err;
}
