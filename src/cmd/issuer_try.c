/* SPDX-License-Identifier: ISC */
/* One transfer on a loop of its own. */
#include "cmd/issuer_try.h"

#include <stdio.h>

#include "cmd/question.h"
#include "io/clock.h"

#define MAX_RESPONSE 1048576

struct trial {
	struct loop *loop;
	struct question question;
	err_t err;
	struct verdict verdict;
	char *detail;
};

static void on_answer(void *arg, const struct upstream_answer *answer)
{
	struct trial *trial = arg;

	trial->err = answer->err;
	if (answer->err == OK)
		trial->err =
		    question_judge(&trial->question, answer->body, clock_wall(), &trial->verdict);
	else
		snprintf(trial->detail, ISSUER_TRY_DETAIL, "%s", answer->detail);
	loop_stop(trial->loop);
}

err_t issuer_try(const struct issuer_found *found, const struct issuer *issuer, unsigned seconds,
		 struct verdict *out, char detail[ISSUER_TRY_DETAIL])
{
	const struct question_way way = {
	    .url = found->responder, .proxy = "", .ms_limit = (int64_t)seconds * 1000};
	struct trial trial = {.err = ERR_NO_MEMORY, .detail = detail};
	struct upstream_opts opts = {
	    .max_response = MAX_RESPONSE, .via = "ocsprelay-issuer", .max_connections = 1};
	struct upstream *upstream = NULL;
	err_t err = question_make(issuer, found->leaf, &trial.question);

	detail[0] = '\0';
	if (err != OK)
		return err;
	trial.loop = opts.loop = loop_new();
	if (trial.loop != NULL)
		upstream = upstream_new(&opts);
	if (upstream != NULL &&
	    question_ask(upstream, &trial.question, &way, on_answer, &trial) != NULL)
		loop_run(trial.loop);
	upstream_free(upstream);
	loop_free(trial.loop);
	if (trial.err == OK)
		*out = trial.verdict;
	return trial.err;
}
