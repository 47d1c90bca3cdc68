/* SPDX-License-Identifier: ISC */
/* One upstream on one loop that asks a scripted responder. */
#ifndef OCSPRELAY_TESTS_ASKER_H
#define OCSPRELAY_TESTS_ASKER_H

#include <criterion/criterion.h>

#include "base/bytes.h"
#include "io/upstream.h"
#include "scripted.h"

#define MAX_ANSWERS 16
#define MAX_BODY    1024
#define GOOD	    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0abc"

static const uint8_t asker_der[] = {0xfb, 0xff, 0xfe}; /* +//+ */

struct answer {
	struct upstream_answer answer;
	char body[MAX_BODY + 1];
	char detail[300];
};

/* One upstream on one loop; what it has been told. */
struct asker {
	struct loop *loop;
	struct upstream *upstream;
	struct scripted *server;
	char url[64];
	struct upstream_request request;
	struct answer answers[MAX_ANSWERS];
	unsigned n_answers, n_wanted;
};

static inline void asker_take(void *arg, const struct upstream_answer *answer)
{
	struct asker *asker = arg;
	struct answer *copy = &asker->answers[asker->n_answers++];

	copy->answer = *answer;
	memcpy(copy->body, answer->body.p ? (const char *)answer->body.p : "", answer->body.len);
	copy->body[answer->body.len] = '\0';
	snprintf(copy->detail, sizeof(copy->detail), "%s", answer->detail);
	if (asker->n_answers == asker->n_wanted)
		loop_stop(asker->loop);
}

static inline struct asker *asker_new(const struct scripted_step *steps, unsigned n_steps,
				      unsigned hold)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	struct upstream_opts opts = {
	    .max_response = MAX_BODY,
	    .via = "ocsprelay-test",
	    .max_connections = 32,
	};

	unsetenv("http_proxy");
	unsetenv("no_proxy");
	cr_assert_eq(upstream_global_init(), OK);
	asker->loop = opts.loop = loop_new();
	asker->upstream = upstream_new(&opts);
	cr_assert_not_null(asker->upstream);
	asker->server = scripted_start(steps, n_steps, hold);
	snprintf(asker->url, sizeof(asker->url), "http://127.0.0.1:%u/ocsp", asker->server->port);
	asker->request = (struct upstream_request){
	    .url = asker->url,
	    .proxy = "",
	    .der = {asker_der, sizeof(asker_der)},
	    .post = true,
	    .ms_connect = 2000,
	    .ms_attempt = 5000,
	};
	return asker;
}

/* Starts n equal transfers and waits for their answers. */
static inline const struct answer *asker_ask_several(struct asker *asker, unsigned n)
{
	unsigned i;

	asker->n_answers = 0;
	asker->n_wanted = n;
	for (i = 0; i < n; i++)
		cr_assert_not_null(
		    upstream_start(asker->upstream, &asker->request, asker_take, asker));
	cr_assert_eq(asker->n_answers, 0, "nobody is called from inside upstream_start");
	loop_run(asker->loop);
	return asker->answers;
}

static inline const struct answer *asker_ask(struct asker *asker)
{
	return asker_ask_several(asker, 1);
}

static inline void asker_stop(struct asker *asker)
{
	upstream_free(asker->upstream);
	loop_free(asker->loop);
	scripted_stop(asker->server);
	upstream_global_fini();
}

static inline void asker_free(struct asker *asker)
{
	scripted_free(asker->server);
	free(asker);
}

static inline void asker_end(struct asker *asker)
{
	asker_stop(asker);
	asker_free(asker);
}

#endif
