/* SPDX-License-Identifier: ISC */
/*
 * Transfers to responders. A transfer owns its easy handle and its buffers; when it ends it waits
 * in a list to be used again, so that a miss costs no set-up but the URL and the body.
 *
 *	upstream_start    prepare, hand over to libcurl
 *	on_header         status line and fields, one line at a time
 *	on_body           octets, up to the ceiling
 *	finish            once more on a new connection, or judge and tell
 *
 * An active transfer is in upstream->active, an unused one in upstream->idle; the one whose
 * callback runs is in neither.
 */
#include "io/upstream.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/list.h"
#include "base/log.h"
#include "core/upstream_fields.h"
#include "io/clock.h"
#include "io/upstream_easy.h"
#include "io/upstream_socket.h"

#define MAX_IDLE	64	    /* transfers kept for reuse */
#define MAX_KEPT_BUFFER (64 * 1024) /* what one of them may keep for bodies */
#define MAX_HEAD_LEN	(64 * 1024)
#define MAX_DER_LEN	(128 * 1024)

/* OCSPResponse of nothing but a status (rule HC-06). */
#define MAX_BARE_ERROR_LEN 16

struct upstream {
	CURLM *multi;
	struct upstream_sockets *sockets;
	struct upstream_lists lists;
	struct list active, idle;
	size_t n_idle;
	size_t max_response;
};

struct transfer {
	struct list link;
	struct upstream *upstream;
	CURL *easy;
	upstream_fn *fn;
	void *arg;
	struct buf der;	 /* libcurl borrows it for a POST */
	struct buf body; /* of the answer */
	struct upstream_condition condition;
	struct upstream_fields fields;
	size_t head_len; /* octets of the answer's header section so far */
	bool has_head;	 /* the empty line behind it has come; a status line starts anew */
	bool is_too_large;
	bool is_second; /* on a new connection, because a kept one was dead */
	int64_t us_start, ms_attempt;
	char detail[CURL_ERROR_SIZE];
};

/* --- what arrives ----------------------------------------------------------------------------- */

/* Status lines, fields and the empty lines behind them, of interim answers and then of the real
 * one; after that come trailers, which tell nothing. Any result but len makes libcurl end the
 * transfer. */
static size_t on_header(char *p, size_t size, size_t len, void *arg)
{
	struct transfer *transfer = arg;
	struct slice line = slice_of(p, len);

	(void)size;
	transfer->head_len += len;
	if (transfer->head_len > MAX_HEAD_LEN) {
		transfer->is_too_large = true;
		return 0;
	}
	if (slice_eq_nocase(slice_take(line, 5), "http/"))
		transfer->has_head = false;
	else if (transfer->has_head)
		return len;
	else if (slice_eq(line, slice_text("\r\n")) || slice_eq(line, slice_text("\n")))
		transfer->has_head = true;
	upstream_fields_read(&transfer->fields, line, clock_wall());
	return transfer->fields.is_ambiguous ? 0 : len;
}

static size_t on_body(char *p, size_t size, size_t len, void *arg)
{
	struct transfer *transfer = arg;
	err_t e;

	(void)size;
	e = buf_append(&transfer->body, p, len);
	transfer->is_too_large |= e == ERR_TOO_LONG;
	return e == OK ? len : 0;
}

/* --- judging ---------------------------------------------------------------------------------- */

static const struct {
	CURLcode code;
	err_t err;
} codes[] = {
    {CURLE_OPERATION_TIMEDOUT, ERR_UP_TIMEOUT},	  {CURLE_FILESIZE_EXCEEDED, ERR_UP_SIZE},
    {CURLE_PARTIAL_FILE, ERR_UP_FRAMING},	  {CURLE_WEIRD_SERVER_REPLY, ERR_UP_FRAMING},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_UP_FRAMING}, /* HTTP/0.9 */
    {CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY},
};

static err_t judge_failure(const struct transfer *transfer, CURLcode code)
{
	size_t i;

	if (transfer->is_too_large)
		return ERR_UP_SIZE;
	if (transfer->body.err != OK)
		return transfer->body.err;
	for (i = 0; i < N_ELEMENTS(codes); i++) {
		if (codes[i].code == code)
			return codes[i].err;
	}
	return transfer->head_len > 0 ? ERR_UP_FRAMING : ERR_UP_UNREACHABLE;
}

/* SEQUENCE { ENUMERATED } and nothing else of weight (rule HC-06); the decoder judges the rest. */
static bool is_bare_error(struct slice body)
{
	return body.len >= 5 && body.len <= MAX_BARE_ERROR_LEN && body.p[0] == 0x30 &&
	       body.p[1] == body.len - 2 && body.p[2] == 0x0a && body.p[3] == 1 && body.p[4] != 0;
}

static err_t judge(const struct transfer *transfer, CURLcode code, unsigned http_status)
{
	if (http_status == 200 && transfer->fields.is_coded)
		return ERR_UP_CODED;
	if (http_status <= 200 && code != CURLE_OK)
		return judge_failure(transfer, code);
	if (http_status < 200 || !transfer->has_head) /* libcurl takes both for whole */
		return ERR_UP_FRAMING;
	if (http_status == 200)
		return OK;
	/* Whatever became of its body, the answer is a refusal (rule HC-08). */
	if (code == CURLE_OK && is_bare_error(buf_slice(&transfer->body)))
		return OK;
	return http_status < 400 && http_status >= 300 ? ERR_UP_REDIRECT : ERR_UP_HTTP;
}

static void tell(struct transfer *transfer, CURLcode code)
{
	struct upstream_answer answer = {
	    .body = buf_slice(&transfer->body),
	    .hints = transfer->fields.hints,
	    .retry_after = transfer->fields.retry_after,
	    .date = transfer->fields.date,
	    .age = transfer->fields.age,
	    .content_type = transfer->fields.content_type,
	    .etag = transfer->fields.etag,
	    .cache_status = transfer->fields.cache_status,
	    .us_taken = clock_mono_us() - transfer->us_start,
	    .detail = "",
	    .address = "",
	};
	long http_status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &answer.address);
	if (answer.address == NULL)
		answer.address = "";
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status);
	if (http_status >= 200)
		answer.http_status = (unsigned)http_status;
	answer.err = judge(transfer, code, answer.http_status);
	if (code != CURLE_OK)
		answer.detail = transfer->detail[0] ? transfer->detail : curl_easy_strerror(code);
	transfer->fn(transfer->arg, &answer);
}

/* --- transfers and their reuse ---------------------------------------------------------------- */

static void transfer_free(struct transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	buf_fini(&transfer->der);
	buf_fini(&transfer->body);
	free(transfer);
}

/* Into the list of unused ones, or away if there are enough. */
static void release(struct transfer *transfer)
{
	struct upstream *upstream = transfer->upstream;

	if (upstream->n_idle >= MAX_IDLE) {
		transfer_free(transfer);
		return;
	}
	if (transfer->body.cap > MAX_KEPT_BUFFER)
		buf_fini(&transfer->body);
	list_append(&upstream->idle, &transfer->link);
	upstream->n_idle++;
}

/* Options that hold no text cannot fail. */
static void set_callbacks(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
			 (curl_off_t)transfer->upstream->max_response);
}

static struct transfer *transfer_new(struct upstream *upstream)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return NULL;
	list_init(&transfer->link);
	transfer->upstream = upstream;
	buf_init(&transfer->der, MAX_DER_LEN);
	buf_init(&transfer->body, upstream->max_response);
	transfer->easy = curl_easy_init();
	if (!transfer->easy || upstream_easy_init(transfer->easy, &upstream->lists) != CURLE_OK) {
		transfer_free(transfer);
		return NULL;
	}
	set_callbacks(transfer);
	return transfer;
}

static struct transfer *acquire(struct upstream *upstream)
{
	struct list *link = list_shift(&upstream->idle);

	if (!link)
		return transfer_new(upstream);
	upstream->n_idle--;
	return LIST_ENTRY(link, struct transfer, link);
}

/* Forgets the attempt before, if any. */
static void set_attempt(struct transfer *transfer, int64_t ms)
{
	buf_reset(&transfer->body);
	transfer->fields = (struct upstream_fields){0};
	transfer->head_len = 0;
	transfer->has_head = false;
	transfer->is_too_large = false;
	transfer->detail[0] = '\0';
	curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)ms);
	curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, transfer->is_second ? 1L : 0L);
}

static bool prepare(struct transfer *transfer, const struct upstream_request *request)
{
	const struct upstream_lists *lists = &transfer->upstream->lists;

	buf_reset(&transfer->der);
	if (buf_append(&transfer->der, request->der.p, request->der.len) != OK)
		return false;
	transfer->is_second = false;
	transfer->us_start = clock_mono_us();
	transfer->ms_attempt = request->ms_attempt > 0 ? request->ms_attempt : 1;
	set_attempt(transfer, transfer->ms_attempt);
	if (upstream_easy_set(transfer->easy, lists, request, buf_slice(&transfer->der)) !=
	    CURLE_OK)
		return false;
	return request->etag.len == 0 ||
	       upstream_easy_set_condition(transfer->easy, lists, &transfer->condition,
					   request->etag) == CURLE_OK;
}

struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				upstream_fn *fn, void *arg)
{
	struct transfer *transfer = acquire(upstream);

	if (!transfer)
		return NULL;
	transfer->fn = fn;
	transfer->arg = arg;
	if (!prepare(transfer, request) ||
	    curl_multi_add_handle(upstream->multi, transfer->easy) != CURLM_OK) {
		transfer_free(transfer);
		return NULL;
	}
	list_append(&upstream->active, &transfer->link);
	return transfer;
}

void transfer_cancel(struct transfer *transfer)
{
	if (!transfer)
		return;
	list_remove(&transfer->link);
	curl_multi_remove_handle(transfer->upstream->multi, transfer->easy);
	release(transfer);
}

/* --- the end of a transfer -------------------------------------------------------------------- */

/*
 * Rule HC-10. libcurl itself repeats a request, POST too, when a kept connection ends before any
 * octet of the answer (Curl_retry_request), possibly on another kept one. But it counts these
 * repetitions over the whole life of an easy handle and fails at every sixth, and it does not
 * repeat a send that fails halfway. Then it is our turn, once, on a connection that is new for
 * sure.
 */
static bool may_repeat(const struct transfer *transfer, CURLcode code)
{
	long n_connects = 1;

	if (transfer->is_second || transfer->head_len > 0)
		return false;
	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
		return false;
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &n_connects);
	return n_connects == 0;
}

static bool repeat(struct transfer *transfer)
{
	int64_t ms_left = transfer->ms_attempt - (clock_mono_us() - transfer->us_start) / 1000;

	if (ms_left <= 0)
		return false;
	transfer->is_second = true;
	set_attempt(transfer, ms_left);
	return curl_multi_add_handle(transfer->upstream->multi, transfer->easy) == CURLM_OK;
}

static void finish(struct transfer *transfer, CURLcode code)
{
	curl_multi_remove_handle(transfer->upstream->multi, transfer->easy);
	if (may_repeat(transfer, code) && repeat(transfer))
		return;
	list_remove(&transfer->link);
	tell(transfer, code);
	release(transfer);
}

static void collect(void *arg)
{
	struct upstream *upstream = arg;
	CURLMsg *message;
	int n_left;

	while ((message = curl_multi_info_read(upstream->multi, &n_left)) != NULL) {
		char *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish((struct transfer *)(void *)transfer, message->data.result);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

struct upstream *upstream_new(const struct upstream_opts *opts)
{
	struct upstream *upstream = calloc(1, sizeof(*upstream));

	if (!upstream)
		return NULL;
	list_init(&upstream->active);
	list_init(&upstream->idle);
	upstream->max_response = opts->max_response;
	upstream->multi = curl_multi_init();
	if (!upstream->multi || !upstream_lists_init(&upstream->lists, opts->via))
		goto out;
	upstream->sockets = upstream_sockets_new(opts->loop, upstream->multi, collect, upstream);
	if (!upstream->sockets)
		goto out;
	curl_multi_setopt(upstream->multi, CURLMOPT_MAXCONNECTS, opts->max_connections);
	curl_multi_setopt(upstream->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return upstream;
out:
	upstream_free(upstream);
	return NULL;
}

void upstream_free(struct upstream *upstream)
{
	struct list *link;

	if (!upstream)
		return;
	while ((link = upstream->active.next) != &upstream->active)
		transfer_cancel(LIST_ENTRY(link, struct transfer, link));
	while ((link = list_shift(&upstream->idle)) != NULL)
		transfer_free(LIST_ENTRY(link, struct transfer, link));
	curl_multi_cleanup(upstream->multi);
	upstream_sockets_free(upstream->sockets);
	upstream_lists_fini(&upstream->lists);
	free(upstream);
}

err_t upstream_global_init(void)
{
	const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ERR_SYSTEM;
	if (!(version->features & CURL_VERSION_ASYNCHDNS))
		LOG(SYSTEM, LOG_TEXT("call", "libcurl"),
		    LOG_TEXT("detail", "built without asynchronous name resolution: a slow name "
				       "server delays everything"));
	return OK;
}

void upstream_global_fini(void)
{
	curl_global_cleanup();
}
