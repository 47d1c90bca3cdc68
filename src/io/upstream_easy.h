/* SPDX-License-Identifier: ISC */
/* A request to a responder as options of a libcurl easy handle (rules HC-01 to HC-03, HC-16). For
 * upstream.c. */
#ifndef OCSPRELAY_IO_UPSTREAM_EASY_H
#define OCSPRELAY_IO_UPSTREAM_EASY_H

#include <curl/curl.h>

#include "core/upstream_fields.h"
#include "io/upstream.h"

/* Header fields of all the requests of one upstream. Easy handles keep pointers to them. */
struct upstream_lists {
	struct curl_slist *fields[2][2]; /* [POST][no-cache] */
	struct curl_slist *proxy_fields;
};

/* False without memory, or if via is longer than 100 octets. To be finished either way. */
bool upstream_lists_init(struct upstream_lists *lists, const char *via);
void upstream_lists_fini(struct upstream_lists *lists);

/* If-None-Match of one request, in front of the fields that it shares with others. */
struct upstream_condition {
	struct curl_slist node;
	char line[sizeof("If-None-Match: ") + MAX_ETAG];
};

/* The options that are the same for every request. */
CURLcode upstream_easy_init(CURL *easy, const struct upstream_lists *lists);

/* The options of this one. der is request->der in memory that stays until the transfer ends. */
CURLcode upstream_easy_set(CURL *easy, const struct upstream_lists *lists,
			   const struct upstream_request *request, struct slice der);

/* Afterwards, for a GET: makes it conditional (HC-04). etag is what upstream_fields took for one;
 * condition stays until the transfer ends. */
CURLcode upstream_easy_set_condition(CURL *easy, const struct upstream_lists *lists,
				     struct upstream_condition *condition, struct slice etag);

#endif
