/* SPDX-License-Identifier: ISC */
/*
 * Rounds, one after the other: each step begins the next one, through the loop, until end_round
 * has nothing more to wait for.
 */
#include "cmd/stapler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cmd/commands.h"
#include "cmd/progress.h"
#include "cmd/staple_hook.h"
#include "cmd/staple_round.h"
#include "cmd/staple_text.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/notify.h"
#include "io/signals.h"

#define LOOK	   30 /* seconds at most between looks for changed certificates */
#define MAX_OUTPUT ((size_t)1 << 28)

struct stapler {
	const struct stapler_args *args;
	struct staple_relay relay;
	struct staples staples;
	struct loop *loop;
	struct signals *signals;
	struct staple_round *round;
	struct staple_hook *hook;
	struct timer *timer; /* to the next look; NULL in a round */
	struct progress progress;
	char hook_failed[256];
	bool is_hook_run;  /* in this round */
	bool is_hook_busy; /* at this moment */
	bool is_ready;	   /* systemd has been told */
	bool is_stopping, is_rereading;
	unsigned n_hook_failures;
	int64_t hook_due;
	int status;
};

/* --- telling ---------------------------------------------------------------------------------- */

static void say(const char *what)
{
	fprintf(stderr, "ocsprelay staple: %s\n", what);
}

/* While following, what has been said is not said again. */
static void tell_line(struct stapler *stapler, struct staple *staple)
{
	struct buf line;
	bool is_new;

	buf_init(&line, MAX_OUTPUT);
	staple_text(staple, &line);
	buf_append(&line, "", 1);
	if (line.err == OK)
		text_make_plain((char *)line.p); /* names of files may be anybody's */
	is_new = line.err == OK && (staple->told == NULL || staple->did == STAPLE_DID_WRITE ||
				    strcmp(staple->told, (const char *)line.p) != 0);
	if (is_new && staple->exit == EXIT_NO_ANSWER)
		fprintf(stderr, "ocsprelay staple: %s%s%s%s\n", (const char *)line.p,
			*staple->detail ? " (" : "", staple->detail, *staple->detail ? ")" : "");
	else if (is_new)
		puts((const char *)line.p);
	if (is_new && stapler->args->follow) {
		free(staple->told);
		staple->told = strdup((const char *)line.p);
	}
	buf_fini(&line);
}

static void tell_json(const struct stapler *stapler)
{
	const char *comma = "";
	struct buf out;

	buf_init(&out, MAX_OUTPUT);
	buf_text(&out, "{\"url\":\"");
	buf_json(&out, slice_text(stapler->relay.url));
	buf_text(&out, "\",\"certificates\":[");
	for (size_t i = 0; i < stapler->staples.n; i++) {
		if (!stapler->staples.items[i]->is_asked)
			continue;
		buf_text(&out, comma);
		staple_json(stapler->staples.items[i], &out);
		comma = ",";
	}
	buf_text(&out, "],\"hook\":\"");
	buf_json(&out, slice_text(!stapler->is_hook_run		  ? "not run"
				  : *stapler->hook_failed != '\0' ? stapler->hook_failed
								  : "ok"));
	buf_text(&out, "\"}\n");
	if (out.err == OK)
		fwrite(out.p, 1, out.len, stdout);
	else
		say(err_row(out.err)->text);
	buf_fini(&out);
}

static void tell_service(struct stapler *stapler)
{
	const struct staples *staples = &stapler->staples;
	size_t n_good = 0, n_revoked = 0;
	char text[128];

	for (size_t i = 0; i < staples->n; i++) {
		const struct staple *staple = staples->items[i];

		n_good += staple->is_there && staple->is.status == CERT_GOOD;
		n_revoked += staple->exit == EXIT_NO;
	}
	snprintf(text, sizeof(text), "%zu certificates: %zu have a good staple, %zu are revoked",
		 staples->n, n_good, n_revoked);
	notify_status(text);
	if (!stapler->is_ready && !stapler->is_rereading)
		notify_ready();
	stapler->is_ready = !stapler->is_rereading;
}

/* What one certificate needs goes before what another one could do without. */
static int status_of(const struct stapler *stapler)
{
	static const int order[] = {EXIT_NO, EXIT_UNKNOWN, EXIT_NO_ANSWER};

	for (size_t o = 0; o < N_ELEMENTS(order); o++) {
		for (size_t i = 0; i < stapler->staples.n; i++) {
			if (stapler->staples.items[i]->exit == order[o])
				return order[o];
		}
	}
	return *stapler->hook_failed != '\0' || stapler->staples.n == 0 ? EXIT_NO_ANSWER : EXIT_OK;
}

static void tell(struct stapler *stapler)
{
	bool is_any = stapler->is_hook_run;

	for (size_t i = 0; i < stapler->staples.n; i++)
		is_any = is_any || stapler->staples.items[i]->is_asked;
	if (stapler->args->json && (is_any || !stapler->args->follow))
		tell_json(stapler);
	fflush(stdout);
	if (stapler->args->follow)
		tell_service(stapler);
}

/* --- rounds ----------------------------------------------------------------------------------- */

static void begin(void *arg);

static void stop(struct stapler *stapler)
{
	stapler->is_stopping = true;
	loop_stop(stapler->loop);
}

/* What a hook that failed was told is told again, later; what has changed just now, at once. */
static bool is_hook_wanted(const struct stapler *stapler)
{
	bool is_time = stapler->hook_due <= clock_wall();

	for (size_t i = 0; i < stapler->staples.n && stapler->hook != NULL; i++) {
		const struct staple *staple = stapler->staples.items[i];

		if (staple->is_news && (is_time || staple->is_asked))
			return true;
	}
	return false;
}

/* Seconds to the next round. */
static int64_t until_next(const struct stapler *stapler, int64_t now)
{
	int64_t next = now + LOOK;

	for (size_t i = 0; i < stapler->staples.n; i++) {
		if (stapler->staples.items[i]->due < next)
			next = stapler->staples.items[i]->due;
	}
	if (stapler->hook_due != 0 && stapler->hook_due < next)
		next = stapler->hook_due;
	return next > now ? next - now : 1;
}

static void end_round(struct stapler *stapler)
{
	int64_t wait = until_next(stapler, clock_wall());

	tell(stapler);
	stapler->status = status_of(stapler);
	if (!stapler->args->follow || stapler->is_stopping) {
		stop(stapler);
		return;
	}
	stapler->timer =
	    timer_start(stapler->loop, stapler->is_rereading ? 0 : wait * 1000, begin, stapler);
	if (stapler->timer == NULL)
		stop(stapler);
}

static void on_hook_done(void *arg, const char *what_failed)
{
	struct stapler *stapler = arg;

	stapler->is_hook_busy = false;
	stapler->hook_failed[0] = '\0';
	stapler->hook_due = 0;
	if (what_failed == NULL) {
		stapler->n_hook_failures = 0;
	} else {
		snprintf(stapler->hook_failed, sizeof(stapler->hook_failed), "%s", what_failed);
		fprintf(stderr, "ocsprelay staple: hook %s: %s\n", stapler->args->hook,
			what_failed);
		stapler->hook_due =
		    staple_rule_retry(++stapler->n_hook_failures, clock_wall(), entropy_jitter());
	}
	end_round(stapler);
}

static void on_progress(void *arg, size_t n_done, size_t n_all)
{
	struct stapler *stapler = arg;

	progress_show(&stapler->progress, n_done, n_all);
}

static void on_asked(void *arg)
{
	struct stapler *stapler = arg;

	progress_end(&stapler->progress);
	for (size_t i = 0; i < stapler->staples.n && !stapler->args->json; i++) {
		if (stapler->staples.items[i]->is_asked)
			tell_line(stapler, stapler->staples.items[i]);
	}
	fflush(stdout);
	stapler->is_hook_run = is_hook_wanted(stapler);
	if (!stapler->is_hook_run) {
		end_round(stapler);
		return;
	}
	stapler->is_hook_busy = true;
	staple_hook_run(stapler->hook, &stapler->staples);
}

/* EXIT_USAGE also for names that clash: one of them has to be said otherwise. */
static int look(struct stapler *stapler)
{
	const struct staple *const *clash = stapler->staples.clash;
	err_t err = staples_read(&stapler->staples, &stapler->relay.sources);

	if (err == OK)
		return ARGS_GO;
	if (err != ERR_BUSY) {
		say(err_row(err)->text);
		return EXIT_NO_ANSWER;
	}
	fprintf(stderr, "ocsprelay staple: %s and %s would have the same staple %s\n",
		clash[0]->cert_path, clash[1]->cert_path, clash[0]->path);
	return EXIT_USAGE;
}

/* Certificates of issuers are read anew, too; those of before are in use until the others are
 * read. */
static void reread(struct stapler *stapler)
{
	struct issuers *former = NULL;

	stapler->is_rereading = false;
	if (!staple_relay_read_issuers(&stapler->relay, &stapler->args->relay, &former)) {
		say("the issuers cannot be read; those of before are used");
		return;
	}
	for (size_t i = 0; i < stapler->staples.n; i++)
		staple_forget(stapler->staples.items[i]);
	issuers_unref(former);
	stapler->hook_due = 0;
}

static void begin(void *arg)
{
	struct stapler *stapler = arg;

	stapler->timer = NULL;
	if (stapler->is_rereading)
		reread(stapler);
	(void)look(stapler); /* with a clash, or without memory, those of before go on */
	staple_round_start(stapler->round, &stapler->staples);
}

/* --- signals ---------------------------------------------------------------------------------- */

/* A hook that runs is let end. */
static void on_stop(void *arg)
{
	struct stapler *stapler = arg;

	notify_stopping();
	stapler->is_stopping = true;
	if (!stapler->is_hook_busy)
		stop(stapler);
}

static void on_reread(void *arg)
{
	struct stapler *stapler = arg;

	notify_reloading();
	stapler->is_ready = false;
	stapler->is_rereading = true;
	if (stapler->timer == NULL)
		return;
	timer_cancel(stapler->timer);
	begin(stapler);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool wire(struct stapler *stapler)
{
	const struct stapler_args *args = stapler->args;
	struct staple_round_opts round = {.way = {.url = stapler->relay.url,
						  .proxy = stapler->relay.proxy,
						  .ms_limit = (int64_t)args->timeout * 1000},
					  .progress = on_progress,
					  .done = on_asked,
					  .arg = stapler};
	struct staple_hook_opts hook = {
	    .command = args->hook, .is_shell = args->shell, .done = on_hook_done, .arg = stapler};

	stapler->loop = loop_new();
	if (stapler->loop == NULL)
		return false;
	round.loop = hook.loop = stapler->loop;
	stapler->round = staple_round_new(&round);
	if (args->hook != NULL)
		stapler->hook = staple_hook_new(&hook);
	stapler->signals = signals_new(stapler->loop, on_stop, on_reread, stapler);
	return stapler->round != NULL && stapler->signals != NULL &&
	       (args->hook == NULL || stapler->hook != NULL);
}

static void unwire(struct stapler *stapler)
{
	progress_end(&stapler->progress);
	timer_cancel(stapler->timer);
	staple_hook_free(stapler->hook);
	staple_round_free(stapler->round);
	signals_free(stapler->signals);
	loop_free(stapler->loop);
}

static int go(struct stapler *stapler)
{
	int status = look(stapler);

	if (status != ARGS_GO)
		return status;
	stapler->status = EXIT_NO_ANSWER;
	if (upstream_global_init() != OK)
		return stapler->status;
	if (!wire(stapler)) {
		say(err_row(ERR_NO_MEMORY)->text);
	} else {
		if (stapler->staples.n == 0)
			say("there is no certificate");
		progress_init(&stapler->progress, PROGRESS_ANSWERS,
			      stapler->args->json || stapler->args->follow);
		staple_round_start(stapler->round, &stapler->staples);
		loop_run(stapler->loop);
	}
	unwire(stapler);
	upstream_global_fini();
	return stapler->args->follow && stapler->is_stopping ? EXIT_OK : stapler->status;
}

int stapler_run(const struct stapler_args *args)
{
	struct stapler stapler = {.args = args};
	int status = staple_relay_open(&args->relay, &stapler.relay);

	staples_init(&stapler.staples, &args->certs, args->dir);
	if (status == ARGS_GO)
		status = go(&stapler);
	staples_fini(&stapler.staples);
	staple_relay_close(&stapler.relay);
	return status;
}
