/* SPDX-License-Identifier: ISC */
/*
 * News: PUBLISH goes the way of all commands, what others say comes by a connection of its own,
 * which may do nothing else. Where there are several servers, each loss of it is a reason to listen
 * to another one; a cluster passes news on to all its nodes.
 */
#include <stdlib.h>

#include "io/clock.h"
#include "io/redis_parts.h"

#define MS_AGAIN 200 /* while no server is known */

struct redis_news {
	struct redis_handle *handle;
	struct redis_link *link; /* or NULL */
	struct timer *again;
	unsigned n; /* which of the servers */
	bool is_listening;
	int64_t ms_begun; /* then */
	store_news_fn *fn;
	void *arg;
};

static void listen_anew(void *arg);

static void said(void *arg, struct slice message)
{
	struct redis_news *news = arg;

	if (message.len <= STORE_NEWS_MAX)
		news->fn(news->arg, STORE_NEWS_MESSAGE, message);
}

static void up(void *arg)
{
	struct redis_news *news = arg;

	news->is_listening = true;
	news->ms_begun = clock_mono_ms();
	news->fn(news->arg, STORE_NEWS_BACK, slice_of(NULL, 0));
}

/* The link tries again by itself; but if another server is the one to listen to by now, it is the
 * wrong one. */
static void down(void *arg, const char *reason)
{
	struct redis_news *news = arg;
	bool was_listening = news->is_listening;

	(void)reason;
	news->is_listening = false;
	news->n++;
	if (!news->again)
		news->again = timer_start(news->handle->loop, 0, listen_anew, news);
	if (was_listening)
		news->fn(news->arg, STORE_NEWS_LOST, slice_of(NULL, 0));
}

static void listen_anew(void *arg)
{
	struct redis_news *news = arg;
	struct redis_link_opts opts = {.loop = news->handle->loop,
				       .common = news->handle->common,
				       .role = REDIS_ROLE_SUBSCRIBER,
				       .ops = {.up = up, .down = down, .said = said, .arg = news}};

	news->again = NULL;
	if (!redis_route_address(news->handle->route, news->n, &opts.address)) {
		news->again = timer_start(news->handle->loop, MS_AGAIN, listen_anew, news);
		return;
	}
	if (news->link && redis_address_eq(redis_link_address(news->link), &opts.address))
		return;
	redis_link_free(news->link);
	news->link = redis_link_new(&opts);
	if (!news->link)
		news->again = timer_start(news->handle->loop, MS_AGAIN, listen_anew, news);
}

err_t redis_subscribe(struct store *store, store_news_fn *fn, void *arg)
{
	struct redis_handle *handle = (struct redis_handle *)store;
	struct redis_news *news = calloc(1, sizeof(*news));

	if (!news)
		return ERR_NO_MEMORY;
	*news = (struct redis_news){.handle = handle, .fn = fn, .arg = arg};
	news->again = timer_start(handle->loop, 0, listen_anew, news);
	if (!news->again) {
		free(news);
		return ERR_NO_MEMORY;
	}
	handle->news = news;
	return OK;
}

void redis_news_free(struct redis_news *news)
{
	if (!news)
		return;
	redis_link_free(news->link);
	timer_cancel(news->again);
	free(news);
}

int64_t redis_news_ms(const struct redis_news *news)
{
	return news && news->is_listening ? clock_mono_ms() - news->ms_begun : 0;
}

static void on_published(void *arg, err_t err, const redisReply *reply)
{
	bool is_done = err == OK && reply->type == REDIS_REPLY_INTEGER;

	redis_count(arg, LABEL_OP_PUBLISH,
		    is_done ? LABEL_STORE_RESULT_OK : LABEL_STORE_RESULT_ERROR);
}

err_t redis_publish(struct store *store, struct slice message)
{
	struct redis_handle *handle = (struct redis_handle *)store;
	struct slice channel = slice_text(handle->common->channel);
	struct redis_order order = {
	    .command = redis_command((struct slice[]){slice_text("PUBLISH"), channel, message}, 3),
	    .pace = REDIS_PATIENT,
	    .trouble = REDIS_TROUBLE_NEWS,
	    .fn = on_published,
	    .arg = handle};

	if (redis_route_call(handle->route, &order))
		return OK;
	redis_count(handle, LABEL_OP_PUBLISH, LABEL_STORE_RESULT_DROPPED);
	return ERR_STORE_FAULT;
}
