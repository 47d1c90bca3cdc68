/* SPDX-License-Identifier: ISC */
/* As the relay's hook: no shell unless it was asked for, nothing of our environment. */
#include "cmd/staple_hook.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dates.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/runner.h"

#define MS_LIMIT    60000
#define N_ENTRIES   6
#define SHELL	    "/bin/sh"
#define SHELL_WORDS 3

struct staple_hook {
	struct staple_hook_opts opts;
	struct runner *runner;
};

static void on_end(void *arg, const struct runner_end *end)
{
	struct staple_hook *hook = arg;
	char what[128];

	if (end->error != 0)
		snprintf(what, sizeof(what), "cannot be run: %s", strerror(end->error));
	else if (end->is_killed)
		snprintf(what, sizeof(what), "killed: it took longer than %d s", MS_LIMIT / 1000);
	else if (end->exit_status > 0)
		snprintf(what, sizeof(what), "exit status %d", end->exit_status);
	else
		snprintf(what, sizeof(what), "died of signal %d", end->signal);
	hook->opts.done(hook->opts.arg, end->error == 0 && end->exit_status == 0 ? NULL : what);
}

struct staple_hook *staple_hook_new(const struct staple_hook_opts *opts)
{
	struct staple_hook *hook = calloc(1, sizeof(*hook));

	if (hook == NULL)
		return NULL;
	hook->opts = *opts;
	hook->runner = runner_new(opts->loop, on_end, hook);
	if (hook->runner != NULL)
		return hook;
	free(hook);
	return NULL;
}

void staple_hook_free(struct staple_hook *hook)
{
	if (hook == NULL)
		return;
	runner_free(hook->runner);
	free(hook);
}

/* False without memory. There is room. */
static bool add(struct text_list *list, const char *text)
{
	char *copy = strdup(text);

	if (copy != NULL)
		list->items[list->n++] = copy;
	return copy != NULL;
}

static PRINTF_LIKE(2, 3) bool add_entry(struct text_list *env, const char *fmt, ...)
{
	char entry[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(entry, sizeof(entry), fmt, args);
	va_end(args);
	return add(env, entry);
}

/* After the line for the shell stands $0, then what it finds as "$@". */
static bool make_args(const struct staple_hook *hook, const struct staples *staples,
		      struct text_list *args)
{
	bool ok;

	args->items = calloc(staples->n + SHELL_WORDS, sizeof(char *));
	ok = args->items != NULL;
	if (ok && hook->opts.is_shell)
		ok = add(args, "-c") && add(args, hook->opts.command) &&
		     add(args, "ocsprelay-staple");
	for (size_t i = 0; i < staples->n && ok; i++) {
		if (staples->items[i]->is_news)
			ok = add(args, staples->items[i]->path);
	}
	return ok;
}

static bool make_environment(const struct staples *staples, struct text_list *env)
{
	size_t n = 0, n_revoked = 0;
	char now[ISO_DATE_SIZE];

	env->items = calloc(N_ENTRIES, sizeof(char *));
	if (env->items == NULL)
		return false;
	for (size_t i = 0; i < staples->n; i++) {
		n += staples->items[i]->is_news;
		n_revoked +=
		    staples->items[i]->is_news && staples->items[i]->is.status == CERT_REVOKED;
	}
	date_to_iso(now, clock_wall());
	return add_entry(env,
			 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") &&
	       add_entry(env, "OCSPRELAY_EVENT=staples") &&
	       add_entry(env, "OCSPRELAY_TIME=%s", now) &&
	       add_entry(env, "OCSPRELAY_STAPLES=%zu", n) &&
	       add_entry(env, "OCSPRELAY_REVOKED=%zu", n_revoked);
}

void staple_hook_run(struct staple_hook *hook, const struct staples *staples)
{
	struct runner_job job = {.program = hook->opts.is_shell ? SHELL : hook->opts.command,
				 .what = "staples",
				 .ms_limit = MS_LIMIT,
				 .is_heard = true};

	if (!make_args(hook, staples, &job.args) || !make_environment(staples, &job.env)) {
		text_list_free(&job.args);
		text_list_free(&job.env);
	} else if (runner_add(hook->runner, &job) == OK) {
		return;
	}
	hook->opts.done(hook->opts.arg, err_row(ERR_NO_MEMORY)->text);
}
