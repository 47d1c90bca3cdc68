/* SPDX-License-Identifier: ISC */
/* The relay's own attempts, on a loop of the command's own. */
#include "cmd/trial.h"

#include "io/clock.h"
#include "relay/attempts.h"
#include "relay/fetch.h"

struct trial {
	const struct trial_opts *opts;
	struct common common; /* only what attempts look at */
	struct attempts attempts;
	struct loop *loop;
	struct upstream *upstream;
	err_t err;
};

static void on_answer(void *arg, const struct upstream_answer *answer);

static void ask_next(struct trial *trial)
{
	const struct trial_opts *opts = trial->opts;
	const struct issuer *issuer = opts->ask->issuer;
	struct attempts *attempts = &trial->attempts;

	if (attempts_next(attempts, clock_mono_ms()) &&
	    attempts->responder < opts->first + opts->n) {
		if (upstream_start(
			trial->upstream,
			&(struct upstream_request){.url = attempts_url(attempts),
						   .proxy = fetch_proxy(issuer),
						   .der = opts->ask->request.der,
						   .post = attempts->post,
						   .no_cache = attempts->no_cache,
						   .ms_connect = issuer->policy.ms_connect,
						   .ms_attempt = issuer->policy.ms_attempt},
			on_answer, trial) != NULL)
			return;
		attempts->err = ERR_NO_MEMORY;
	}
	trial->err = attempts->err;
	loop_stop(trial->loop);
}

static err_t judge(const struct trial *trial, const struct upstream_answer *answer,
		   struct verdict *verdict, struct lifetime *lifetime)
{
	const struct ask *ask = trial->opts->ask;
	const struct verify_question question = {.certids = ask->request.certids,
						 .n_certids = ask->request.n_certids,
						 .issuer = ask->issuer,
						 .now = clock_wall()};
	err_t err = answer->err;

	if (err == OK)
		err = verify_response(answer->body, &question, verdict);
	if (err == OK)
		*lifetime = freshness_lifetime(verdict, &ask->issuer->policy, &answer->hints,
					       question.now, 0);
	return err;
}

static void on_answer(void *arg, const struct upstream_answer *answer)
{
	struct trial *trial = arg;
	struct verdict verdict;
	struct lifetime lifetime;
	err_t err = judge(trial, answer, &verdict, &lifetime);

	trial->opts->fn(trial->opts->arg,
			&(struct trial_attempt){.url = attempts_url(&trial->attempts),
						.post = trial->attempts.post,
						.no_cache = trial->attempts.no_cache,
						.answer = answer,
						.err = err,
						.verdict = &verdict,
						.lifetime = &lifetime});
	if (err == OK) {
		trial->err = OK;
		loop_stop(trial->loop);
		return;
	}
	(void)attempts_note_failure(&trial->attempts, answer, err);
	ask_next(trial);
}

err_t trial_run(const struct trial_opts *opts)
{
	struct trial trial = {.opts = opts, .err = ERR_NO_MEMORY};
	struct upstream_opts how = {
	    .max_response = opts->max_response, .via = "ocsprelay-trial", .max_connections = 1};

	trial.common.responders = responders_new();
	trial.common.trouble = trouble_new();
	trial.loop = how.loop = loop_new();
	if (trial.loop != NULL)
		trial.upstream = upstream_new(&how);
	if (trial.common.responders != NULL && trial.common.trouble != NULL &&
	    trial.upstream != NULL) {
		attempts_init(&trial.attempts, &trial.common, opts->ask);
		trial.attempts.responder = opts->first;
		ask_next(&trial);
		loop_run(trial.loop);
	}
	upstream_free(trial.upstream);
	loop_free(trial.loop);
	trouble_free(trial.common.trouble);
	responders_free(trial.common.responders);
	return trial.err;
}
