/* SPDX-License-Identifier: ISC */
/* Asking, and comparing what comes with what was expected. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "base/bytes.h"
#include "core/base64.h"
#include "house.h"
#include "io/clock.h"
#include "oracle.h"
#include "stage.h"
#include "stage_clients.h"
#include "tally.h"

#define MS_PATIENCE 120000 /* of the play with `ask` */
#define MAX_LOADS   8
#define ANY_RELAY   SIZE_MAX

struct how { /* the way of asking */
	size_t relay;
	enum hash_alg alg;
	bool has_nonce, is_get;
	unsigned flags;	 /* of HTTP */
	uint8_t address; /* the last octet */
	size_t times;
	int64_t ms_each; /* between one question and the next of a statement */
};

struct wish { /* what is expected of an answer */
	const char *word[8];
	size_t n;
	size_t n_open; /* answers to come */
	size_t n_asked;
	unsigned n_upstreams; /* before */
};

struct client {
	struct list link; /* in idle or busy of its relay */
	struct connection *connection;
	size_t relay, cert;
	enum hash_alg alg;
	int64_t ms_asked;
	struct wish *wish; /* NULL: none */
};

struct load {
	struct how how;
	struct cert_range range;
	double per_second;
	double *ends; /* of each certificate's part of all requests; NULL: equal parts */
	struct timer *timer;
};

static struct {
	struct loop *loop;
	struct list idle[MAX_RELAYS], busy[MAX_RELAYS];
	struct load loads[MAX_LOADS];
	size_t n_loads;
	uint64_t random;
} own;

static uint32_t draw(void)
{
	own.random = own.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(own.random >> 32);
}

void client_open(void)
{
	own.loop = loop_new();
	own.random = 1;
	for (size_t i = 0; i < MAX_RELAYS; i++) {
		list_init(&own.idle[i]);
		list_init(&own.busy[i]);
	}
}

/* --- one answer ------------------------------------------------------------------------------- */

static bool has_detail(const struct seen *seen, const char *word)
{
	const char *detail = strstr(seen->cache_status, "detail=");

	return detail != NULL && strcmp(detail + strlen("detail="), word) == 0;
}

static bool is_as(const struct seen *seen, const struct wish *wish, const char *word)
{
	int64_t ms;

	if (word[0] == '<' || word[0] == '>') { /* answered within, or only after */
		ms = script_duration(word + 1);
		return word[0] == '<' ? seen->ms_taken < ms : seen->ms_taken >= ms;
	}
	if (strcmp(word, "miss") == 0 && wish->n_asked > 1)
		return strcmp(seen->verdict, "miss") == 0 ||
		       strcmp(seen->verdict, "collapsed") == 0;
	return strcmp(word, seen->status) == 0 || strcmp(word, seen->verdict) == 0 ||
	       has_detail(seen, word);
}

static void compare(const struct seen *seen, struct wish *wish)
{
	for (size_t i = 0; i < wish->n; i++) {
		if (!is_as(seen, wish, wish->word[i]))
			script_fail("%s: expected %s, seen %s, %s after %lld ms (%s)",
				    authority_name(seen->cert), wish->word[i], seen->status,
				    seen->verdict, (long long)seen->ms_taken, seen->cache_status);
	}
	wish->n_open--;
}

static void count(const struct seen *seen)
{
	const bool is_hit = seen->is_signed && strcmp(seen->verdict, "hit") == 0;
	const bool is[N_TALLY_KINDS] = {
	    [TALLY_ANSWERS] = true,
	    [TALLY_ERRORS] = !seen->is_signed,
	    [TALLY_HITS] = is_hit,
	    [TALLY_GOOD] = seen->is_signed && seen->said.status == CERT_GOOD,
	    [TALLY_REVOKED] = seen->is_signed && seen->said.status == CERT_REVOKED,
	    [TALLY_UNKNOWN] = seen->is_signed && seen->said.status == CERT_UNKNOWN,
	    [TALLY_FALLBACKS] = has_detail(seen, "nonce-fallback")};

	tally_answer(is, seen->ms_taken);
}

static void on_answer(void *arg)
{
	struct client *client = arg;
	struct wish *wish = client->wish;
	struct seen seen = {.relay = client->relay,
			    .cert = client->cert,
			    .alg = client->alg,
			    .http_status = stage_status(client->connection),
			    .body = stage_body(client->connection),
			    .cache_status = stage_field(client->connection, "Cache-Status"),
			    .ms_taken = clock_mono_ms() - client->ms_asked};

	oracle_judge(&seen);
	count(&seen);
	client->wish = NULL;
	if (wish != NULL)
		compare(&seen, wish);
	list_remove(&client->link);
	if (stage_is_closed(client->connection))
		free(client);
	else
		list_append(&own.idle[client->relay], &client->link);
}

void client_hang_up(size_t relay)
{
	struct list *node;

	while ((node = list_shift(&own.idle[relay])) != NULL ||
	       (node = list_shift(&own.busy[relay])) != NULL)
		free(LIST_ENTRY(node, struct client, link));
}

/* --- one question ----------------------------------------------------------------------------- */

static struct client *client_of(const struct how *how)
{
	struct list *node = list_shift(&own.idle[how->relay]);
	struct client *client;

	if (node != NULL)
		return LIST_ENTRY(node, struct client, link);
	client = stage_take(sizeof(*client));
	list_init(&client->link);
	client->relay = how->relay;
	client->connection = stage_connect(house_server(how->relay));
	stage_on_answer(client->connection, on_answer, client);
	return client;
}

/* A nonce of 16 octets, another one each time. */
static struct slice nonce_ext(void)
{
	static uint8_t ext[] = {0x30, 0x1f, 6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2, 4, 0x12, 4, 0x10,
				0,    0,    0, 0, 0,	0, 0, 0, 0, 0, 0,    0, 0, 0, 0,    0};
	uint32_t random = draw();

	memcpy(ext + sizeof(ext) - sizeof(random), &random, sizeof(random));
	return slice_of(ext, sizeof(ext));
}

static void question(const struct how *how, size_t cert, struct wish *wish)
{
	static uint8_t addresses[256][4];
	struct certid certid = authority_certid(cert, how->alg);
	struct slice nonce = how->has_nonce ? nonce_ext() : slice_of(NULL, 0);
	struct client *client = client_of(how);
	uint8_t der[512];
	char target[1024] = "/";
	size_t len;
	struct http_request http = {.method = how->is_get ? HTTP_GET : HTTP_POST,
				    .minor = 1,
				    .flags = HTTP_KEEP_ALIVE | how->flags,
				    .target = slice_text("/")};

	if (ocsp_request_encode(&certid, nonce, der, sizeof(der), &len) != OK)
		abort();
	if (how->is_get) {
		base64_encode(target + 1, slice_of(der, len));
		http.target = slice_of(target, 1 + base64_len(len));
		len = 0;
	}
	http.content_length = len;
	client->cert = cert;
	client->alg = how->alg;
	client->wish = wish;
	client->ms_asked = clock_mono_ms();
	memcpy(addresses[how->address], (const uint8_t[]){192, 0, 2, how->address}, 4);
	stage_move(client->connection, slice_of(addresses[how->address], 4));
	list_append(&own.busy[how->relay], &client->link);
	stage_ask(client->connection, &http, slice_of(der, len));
}

/* --- statements ------------------------------------------------------------------------------- */

static size_t take_relay(struct words *words)
{
	const char *name = words_next(words, "a relay");
	size_t relay;

	if (strcmp(name, "any") == 0)
		return ANY_RELAY;
	if (!house_find(name, &relay))
		script_fail("there is no relay '%s'", name);
	return relay;
}

/* Up to "->" or the end. */
static struct how take_how(struct words *words)
{
	struct how how = {.alg = HASH_SHA1, .address = 7, .times = 1};

	while (words->n > 0 && strcmp(words->word[0], "->") != 0) {
		if (words_take(words, "at"))
			how.relay = take_relay(words);
		else if (words_take(words, "nonce"))
			how.has_nonce = true;
		else if (words_take(words, "no-cache"))
			how.flags |= HTTP_NO_CACHE;
		else if (words_take(words, "only-if-cached"))
			how.flags |= HTTP_ONLY_IF_CACHED;
		else if (words_take(words, "sha256"))
			how.alg = HASH_SHA256;
		else if (words_take(words, "get"))
			how.is_get = true;
		else if (words_take(words, "from"))
			how.address = (uint8_t)words_number(words);
		else if (words_take(words, "times"))
			how.times = (size_t)words_number(words);
		else if (words_take(words, "each"))
			how.ms_each = words_duration(words);
		else
			script_fail("nobody asks '%s'", words->word[0]);
	}
	return how;
}

static struct cert_range take_certs(struct words *words)
{
	const char *name = words_next(words, "a certificate");
	struct cert_range range;

	if (!authority_find(name, &range))
		script_fail("there is no certificate '%s'", name);
	return range;
}

static size_t relay_for(const struct how *how)
{
	return how->relay == ANY_RELAY ? draw() % house_count() : how->relay;
}

static void question_all(const struct how *how, struct cert_range range, struct wish *wish)
{
	struct how each = *how;

	for (size_t n = 0; n < how->times; n++) {
		for (size_t i = 0; i < range.n; i++) {
			each.relay = relay_for(how);
			question(&each, range.first + i, wish);
			if (how->ms_each > 0)
				stage_pass(how->ms_each);
		}
	}
}

void client_send(struct words *words)
{
	struct cert_range range = take_certs(words);
	struct how how = take_how(words);

	words_end(words);
	question_all(&how, range, NULL);
	stage_pass(0);
}

static struct wish take_wish(struct words *words, int64_t *out_upstreams)
{
	struct wish wish = {.n_upstreams = tally_upstreams()};

	if (!words_take(words, "->"))
		script_fail("'-> what is expected' is missing");
	do {
		if (words_take(words, "upstream"))
			*out_upstreams = words_number(words);
		else if (wish.n == N_ELEMENTS(wish.word))
			script_fail("too much is expected");
		else
			wish.word[wish.n++] = words_next(words, "what is expected");
	} while (words_take(words, ","));
	words_end(words);
	return wish;
}

void client_ask(struct words *words)
{
	struct cert_range range = take_certs(words);
	struct how how = take_how(words);
	int64_t n_upstreams = -1, ms_begin = clock_mono_ms();
	struct wish wish = take_wish(words, &n_upstreams);

	wish.n_open = wish.n_asked = how.times * range.n;
	question_all(&how, range, &wish);
	stage_pass(0);
	while (wish.n_open > 0) {
		if (clock_mono_ms() - ms_begin > MS_PATIENCE)
			script_fail("%zu are not answered after two minutes", wish.n_open);
		stage_pass(1);
	}
	if (n_upstreams >= 0 && tally_upstreams() - wish.n_upstreams != n_upstreams)
		script_fail("expected %lld requests upstream, seen %u", (long long)n_upstreams,
			    tally_upstreams() - wish.n_upstreams);
}

/* --- loads ------------------------------------------------------------------------------------ */

static void on_load(void *arg);

static void set_timer(struct load *load)
{
	double ms = 1000 / load->per_second * (0.5 + draw() / (double)UINT32_MAX);

	load->timer = timer_start(own.loop, (int64_t)(ms + 0.5), on_load, load);
}

static size_t draw_cert(const struct load *load)
{
	double at = draw() / (UINT32_MAX + 1.0);
	size_t low = 0, high = load->range.n - 1;

	if (load->ends == NULL)
		return load->range.first + (size_t)(at * (double)load->range.n);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (load->ends[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return load->range.first + low;
}

static void on_load(void *arg)
{
	struct load *load = arg;
	struct how how = load->how;

	set_timer(load);
	how.relay = relay_for(&how);
	if (house_is_running(how.relay))
		question(&how, draw_cert(load), NULL);
}

/* The i-th certificate is asked about in proportion to 1/i. */
static double *zipf(size_t n)
{
	double *ends = calloc(n, sizeof(*ends)), sum = 0;

	for (size_t i = 0; ends != NULL && i < n; i++)
		ends[i] = sum += 1 / (double)(i + 1);
	for (size_t i = 0; ends != NULL && i < n; i++)
		ends[i] /= sum;
	return ends;
}

static void stop_loads(void)
{
	for (; own.n_loads > 0; own.n_loads--) {
		timer_cancel(own.loads[own.n_loads - 1].timer);
		free(own.loads[own.n_loads - 1].ends);
	}
}

void client_load(struct words *words)
{
	struct load *load = &own.loads[own.n_loads];
	bool is_zipf;

	if (words_take(words, "stops")) {
		words_end(words);
		stop_loads();
		return;
	}
	if (++own.n_loads > MAX_LOADS)
		script_fail("too many loads");
	*load = (struct load){.per_second = words_rate(words)};
	is_zipf = words_take(words, "zipf");
	if (!is_zipf && !words_take(words, "uniform"))
		script_fail("a load is zipf or uniform");
	if (!words_take(words, "of"))
		script_fail("'of' certificates is missing");
	load->range = take_certs(words);
	load->how = take_how(words);
	words_end(words);
	if (is_zipf)
		load->ends = zipf(load->range.n);
	set_timer(load);
}

void client_close(void)
{
	stop_loads();
	loop_free(own.loop);
}
