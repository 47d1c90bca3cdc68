/* SPDX-License-Identifier: ISC */
/* The stand-in of upstream.h. */
#include "stage_upstream.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/clock.h"
#include "stage.h"

struct stage_upstream stage_upstream;

struct upstream {
	struct loop *loop;
};

struct transfer {
	size_t i; /* of its request */
	upstream_fn *fn;
	void *arg;
	struct timer *timeout, *turn; /* turn: stage_upstream.responder is still to be called */
};

struct upstream *upstream_new(const struct upstream_opts *opts)
{
	struct upstream *upstream = stage_new(sizeof(*upstream));

	if (upstream != NULL)
		upstream->loop = opts->loop;
	return upstream;
}

void upstream_free(struct upstream *upstream)
{
	stage_free(upstream);
}

static void end_transfer(struct transfer *transfer)
{
	stage_upstream.requests[transfer->i].transfer = NULL;
	stage_upstream.n_pending--;
	timer_cancel(transfer->timeout);
	timer_cancel(transfer->turn);
	stage_free(transfer);
}

static void on_timeout(void *arg)
{
	struct transfer *transfer = arg;

	transfer->timeout = NULL;
	stage_answer(transfer->i, &(struct upstream_answer){.err = ERR_UP_TIMEOUT});
}

static void on_turn(void *arg)
{
	struct transfer *transfer = arg;

	transfer->turn = NULL;
	stage_upstream.responder(transfer->i);
}

struct transfer *upstream_start(struct upstream *upstream, const struct upstream_request *request,
				upstream_fn *fn, void *arg)
{
	struct transfer *transfer = stage_new(sizeof(*transfer));

	if (transfer == NULL)
		return NULL;
	*transfer = (struct transfer){.i = stage_upstream.n_requests++, .fn = fn, .arg = arg};
	stage_upstream.requests = realloc(
	    stage_upstream.requests, stage_upstream.n_requests * sizeof(*stage_upstream.requests));
	cr_assert_not_null(stage_upstream.requests);
	stage_upstream.requests[transfer->i] =
	    (struct stage_request){.url = strdup(request->url),
				   .proxy = strdup(request->proxy),
				   .der = stage_copy(request->der),
				   .post = request->post,
				   .no_cache = request->no_cache,
				   .ms_started = clock_mono_ms(),
				   .ms_connect = request->ms_connect,
				   .ms_attempt = request->ms_attempt,
				   .transfer = transfer};
	snprintf(stage_upstream.requests[transfer->i].etag, 96, "%.*s", (int)request->etag.len,
		 request->etag.len > 0 ? (const char *)request->etag.p : "");
	stage_upstream.n_pending++;
	transfer->timeout = timer_start(upstream->loop, request->ms_attempt, on_timeout, transfer);
	if (stage_upstream.responder != NULL)
		transfer->turn = timer_start(upstream->loop, 0, on_turn, transfer);
	return transfer;
}

void transfer_cancel(struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	stage_upstream.requests[transfer->i].is_cancelled = true;
	end_transfer(transfer);
}

void stage_answer(size_t i, const struct upstream_answer *answer)
{
	struct transfer *transfer =
	    i < stage_upstream.n_requests ? stage_upstream.requests[i].transfer : NULL;
	struct upstream_answer given = *answer;
	upstream_fn *fn;
	void *arg;

	cr_assert_not_null(transfer, "request %zu is not pending", i);
	fn = transfer->fn;
	arg = transfer->arg;
	given.us_taken = (clock_mono_ms() - stage_upstream.requests[i].ms_started) * 1000;
	given.body = stage_copy(answer->body);
	given.detail = answer->detail != NULL ? answer->detail : "";
	given.etag = answer->etag != NULL ? answer->etag : "";
	given.content_type = answer->content_type != NULL ? answer->content_type : "";
	given.cache_status = answer->cache_status != NULL ? answer->cache_status : "";
	end_transfer(transfer);
	fn(arg, &given);
	stage_release(given.body);
}

void stage_answer_ok(size_t i, struct slice body)
{
	stage_answer(i, &(struct upstream_answer){.http_status = 200, .body = body});
}

void stage_answer_http(size_t i, unsigned status)
{
	stage_answer(i, &(struct upstream_answer){.err = ERR_UP_HTTP, .http_status = status});
}
