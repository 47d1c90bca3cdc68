/* SPDX-License-Identifier: ISC */
/*
 * POST /api/v1/refresh, of what a selection says, and POST /api/v1/warm, of the certificates in the
 * body: a line of JSON now and then that says how far it is, one for each failure, and a last one
 * with "done". A client that goes away ends it.
 */
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "base/log.h"
#include "ctl/admin_pages.h"
#include "ctl/admin_reply.h"
#include "ctl/certificate.h"
#include "ctl/certificates.h"
#include "ctl/entry_json.h"
#include "ctl/issued.h"
#include "relay/desk.h"
#include "relay/fetching.h"
#include "relay/relay.h"

#define MAX_UNSENT  262144 /* of failures that a client has not taken; further ones only count */
#define MAX_LINE    4096
#define NAME_SIZE   256
#define MS_PROGRESS 250

struct fetch {
	struct admin *admin;
	struct admin_reply *reply;
	struct fetching *fetching;   /* NULL: done */
	struct fetching_count count; /* then */
	size_t *places; /* warm: of each key, of its certificate in the body; NULL: refresh */
	size_t n_refused;
	struct timer *tick;
	struct buf lines; /* to be sent next; evhttp has copied the ones before */
	bool is_sending, is_ended;
};

static void fetch_free(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	timer_cancel(fetch->tick);
	fetching_cancel(fetch->fetching);
	buf_fini(&fetch->lines);
	free(fetch->places);
	free(fetch);
}

static struct fetch *fetch_new(struct admin *admin)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->admin = admin;
	buf_init(&fetch->lines, MAX_UNSENT + 2 * MAX_LINE);
	return fetch;
}

static const struct issuers *issuers_of(const struct fetch *fetch)
{
	return relay_issuers(fetch->admin->status.relay);
}

static void put_count(struct fetch *fetch)
{
	const struct fetching_count count =
	    fetch->fetching ? fetching_count(fetch->fetching) : fetch->count;

	buf_printf(&fetch->lines, "{\"all\":%zu", count.n_all + fetch->n_refused);
	if (fetch->places != NULL)
		buf_printf(&fetch->lines, ",\"there\":%zu", count.n_there);
	buf_printf(&fetch->lines, ",\"fetched\":%zu,\"failed\":%zu,\"done\":%s}\n", count.n_fetched,
		   count.n_failed + fetch->n_refused, fetch->fetching ? "false" : "true");
}

/* What is to be told, if the client has taken what was told before. The end may free it. */
static void tell(struct fetch *fetch)
{
	struct buf part;

	if (fetch->is_sending)
		return;
	if (fetch->is_ended) {
		admin_reply_end(fetch->reply);
		fetch_free(fetch);
		return;
	}
	put_count(fetch);
	part = fetch->lines;
	buf_init(&fetch->lines, MAX_UNSENT + 2 * MAX_LINE);
	fetch->is_ended = fetch->fetching == NULL;
	fetch->is_sending = true;
	/* which may be the end, and free it */
	admin_reply_part(fetch->reply, &part);
	buf_fini(&part);
}

static void on_taken(void *arg)
{
	struct fetch *fetch = arg;

	fetch->is_sending = false;
	if (fetch->fetching == NULL)
		tell(fetch);
}

static void on_tick(void *arg)
{
	tell(arg);
}

static void put_reason(struct fetch *fetch, err_t err, const char *text)
{
	buf_printf(&fetch->lines, "\"reason\":\"%s\",\"text\":\"%s\"}\n", err_row(err)->label,
		   text);
}

static void on_failed(void *arg, size_t i, const struct cache_key *key, err_t err)
{
	struct fetch *fetch = arg;

	if (fetch->lines.len > MAX_UNSENT)
		return;
	buf_text(&fetch->lines, "{");
	if (fetch->places != NULL)
		buf_printf(&fetch->lines, "\"certificate\":%zu,", fetch->places[i]);
	key_json(key, issuers_of(fetch), &fetch->lines);
	buf_text(&fetch->lines, ",");
	put_reason(fetch, err, err_row(err)->text);
}

static void on_done(void *arg, const struct fetching_count *count)
{
	struct fetch *fetch = arg;

	fetch->fetching = NULL;
	fetch->count = *count;
	timer_cancel(fetch->tick);
	fetch->tick = NULL;
	LOG(ADMIN, LOG_TEXT("what", fetch->places ? "warm" : "refresh"),
	    LOG_NUMBER("entries", count->n_all), LOG_NUMBER("fetched", count->n_fetched),
	    LOG_NUMBER("failed", count->n_failed));
	tell(fetch);
}

static void on_gone(void *arg)
{
	fetch_free(arg);
}

/* Answers request by what has begun, or not, for want of memory. Takes fetch, which may be NULL. */
static void answer(struct fetch *fetch, struct evhttp_request *request)
{
	if (fetch != NULL && fetch->fetching != NULL)
		fetch->tick = timer_every(fetch->admin->opts.loop, MS_PROGRESS, on_tick, fetch);
	if (fetch == NULL || fetch->fetching == NULL || fetch->tick == NULL) {
		fetch_free(fetch);
		admin_refuse(request, HTTP_INTERNAL, "out of memory");
		return;
	}
	fetch->reply = admin_reply_new(
	    &fetch->admin->replies, request,
	    &(struct admin_reply_ops){.more = on_taken, .gone = on_gone, .arg = fetch});
	if (fetch->reply == NULL)
		fetch_free(fetch);
	else
		admin_reply_begin(fetch->reply, TYPE_LINES);
}

void admin_refresh(struct admin *admin, struct evhttp_request *request)
{
	struct selection selection;
	struct fetch *fetch;

	if (!admin_selection(admin, request, &selection))
		return;
	fetch = fetch_new(admin);
	if (fetch != NULL)
		fetch->fetching = fetching_refresh(
		    relay_desk(admin->status.relay), &selection,
		    &(struct fetching_ops){.failed = on_failed, .done = on_done, .arg = fetch});
	answer(fetch, request);
}

/* --- warm ------------------------------------------------------------------------------------- */

static void refuse_cert(struct fetch *fetch, size_t i, X509 *cert, err_t err)
{
	char name[NAME_SIZE];

	fetch->n_refused++;
	if (fetch->lines.len > MAX_UNSENT)
		return;
	certificate_name(X509_get_subject_name(cert), name, sizeof(name));
	buf_printf(&fetch->lines, "{\"certificate\":%zu,\"subject\":\"", i);
	buf_json(&fetch->lines, slice_text(name));
	buf_text(&fetch->lines, "\",");
	put_reason(fetch, err, issued_why(err));
}

/* The keys of those whose issuer is known; the others are told, but for the top of a chain, about
 * which nobody asks. How many. */
static size_t take_keys(struct fetch *fetch, const struct certificates *certs,
			struct cache_key *keys)
{
	const struct issuers *issuers = issuers_of(fetch);
	size_t n = 0;

	for (size_t i = 0; i < certs->n; i++) {
		X509 *cert = certs->items[i];
		err_t err = issued_key(issuers, cert, &keys[n]);

		if (issued_is_top(issuers, cert, err == OK ? &keys[n] : NULL))
			continue;
		if (err == OK)
			fetch->places[n++] = i;
		else
			refuse_cert(fetch, i, cert, err);
	}
	for (size_t i = 0; i < certs->n_bad && fetch->lines.len <= MAX_UNSENT; i++) {
		buf_text(&fetch->lines, "{");
		put_reason(fetch, ERR_CERTIFICATE, "this PEM block cannot be read");
	}
	fetch->n_refused += certs->n_bad;
	return n;
}

/* NULL without memory. */
static struct fetch *start_warm(struct admin *admin, const struct certificates *certs)
{
	struct fetch *fetch = fetch_new(admin);
	struct cache_key *keys = calloc(certs->n, sizeof(*keys));
	size_t n;

	if (fetch != NULL)
		fetch->places = calloc(certs->n, sizeof(*fetch->places));
	if (fetch != NULL && fetch->places != NULL && keys != NULL) {
		n = take_keys(fetch, certs, keys);
		fetch->fetching = fetching_warm(
		    relay_desk(admin->status.relay), keys, n,
		    &(struct fetching_ops){.failed = on_failed, .done = on_done, .arg = fetch});
	}
	free(keys);
	return fetch;
}

void admin_warm(struct admin *admin, struct evhttp_request *request)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	struct certificates certs = {.n = 0};
	err_t err = certificates_parse(slice_of(evbuffer_pullup(body, -1), len), &certs);

	if (err != OK) {
		admin_refuse(request, err == ERR_NO_MEMORY ? HTTP_INTERNAL : HTTP_BADREQUEST, "%s",
			     err_row(err)->text);
		return;
	}
	answer(start_warm(admin, &certs), request);
	certificates_free(&certs);
}
