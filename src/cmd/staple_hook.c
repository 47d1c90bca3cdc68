/* SPDX-License-Identifier: ISC */
/*
 * As the relay's hook: no shell unless it was asked for, nothing of our environment. Of very many
 * files some at a time, one call after the other, because a program takes only so many arguments.
 */
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

/* Of one call: files, and octets of their paths, half of what Linux grants at least. */
#define MAX_FILES  500
#define MAX_OCTETS 65536

struct staple_hook {
	struct staple_hook_opts opts;
	struct runner *runner;
	const struct staples *staples; /* of this run */
	size_t begin, end;	       /* of the list: what this call is for */
	char what_failed[128];	       /* first in this run; "": nothing */
};

static void call(struct staple_hook *hook);

static void finish(struct staple_hook *hook)
{
	hook->opts.done(hook->opts.arg, hook->what_failed[0] != '\0' ? hook->what_failed : NULL);
}

static PRINTF_LIKE(2, 3) void note_failure(struct staple_hook *hook, const char *fmt, ...)
{
	va_list args;

	if (hook->what_failed[0] != '\0')
		return;
	va_start(args, fmt);
	vsnprintf(hook->what_failed, sizeof(hook->what_failed), fmt, args);
	va_end(args);
}

/* That it failed for some keeps no others from it; but what cannot be run, or hangs, would do so
 * again. */
static void on_end(void *arg, const struct runner_end *end)
{
	struct staple_hook *hook = arg;

	if (end->error != 0)
		note_failure(hook, "cannot be run: %s", strerror(end->error));
	else if (end->is_killed)
		note_failure(hook, "killed: it took longer than %d s", MS_LIMIT / 1000);
	else if (end->exit_status > 0)
		note_failure(hook, "exit status %d", end->exit_status);
	else if (end->exit_status < 0)
		note_failure(hook, "died of signal %d", end->signal);
	else
		for (size_t i = hook->begin; i < hook->end; i++)
			hook->staples->items[i]->is_news = false;
	if (end->error != 0 || end->is_killed)
		finish(hook);
	else
		call(hook);
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

/* Which staples come next; how many of them are news. */
static size_t take(struct staple_hook *hook)
{
	const struct staples *staples = hook->staples;
	size_t n = 0, octets = 0;

	hook->begin = hook->end;
	for (; hook->end < staples->n; hook->end++) {
		const struct staple *staple = staples->items[hook->end];

		if (!staple->is_news)
			continue;
		octets += strlen(staple->path) + 1;
		if (n == MAX_FILES || (n > 0 && octets > MAX_OCTETS))
			break;
		n++;
	}
	return n;
}

/* After the line for the shell stands $0, then what it finds as "$@". */
static bool make_args(const struct staple_hook *hook, size_t n, struct text_list *args)
{
	bool ok;

	args->items = calloc(n + SHELL_WORDS, sizeof(char *));
	ok = args->items != NULL;
	if (ok && hook->opts.is_shell)
		ok = add(args, "-c") && add(args, hook->opts.command) &&
		     add(args, "ocsprelay-staple");
	for (size_t i = hook->begin; i < hook->end && ok; i++) {
		if (hook->staples->items[i]->is_news)
			ok = add(args, hook->staples->items[i]->path);
	}
	return ok;
}

static bool make_environment(const struct staple_hook *hook, size_t n, struct text_list *env)
{
	size_t n_revoked = 0;
	char now[ISO_DATE_SIZE];

	env->items = calloc(N_ENTRIES, sizeof(char *));
	if (env->items == NULL)
		return false;
	for (size_t i = hook->begin; i < hook->end; i++) {
		const struct staple *staple = hook->staples->items[i];

		n_revoked += staple->is_news && staple->is.status == CERT_REVOKED;
	}
	date_to_iso(now, clock_wall());
	return add_entry(env,
			 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") &&
	       add_entry(env, "OCSPRELAY_EVENT=staples") &&
	       add_entry(env, "OCSPRELAY_TIME=%s", now) &&
	       add_entry(env, "OCSPRELAY_STAPLES=%zu", n) &&
	       add_entry(env, "OCSPRELAY_REVOKED=%zu", n_revoked);
}

/* For the next ones; or the end. */
static void call(struct staple_hook *hook)
{
	struct runner_job job = {.program = hook->opts.is_shell ? SHELL : hook->opts.command,
				 .what = "staples",
				 .ms_limit = MS_LIMIT,
				 .is_heard = true};
	size_t n = take(hook);

	if (n == 0) {
		finish(hook);
		return;
	}
	if (!make_args(hook, n, &job.args) || !make_environment(hook, n, &job.env)) {
		text_list_free(&job.args);
		text_list_free(&job.env);
	} else if (runner_add(hook->runner, &job) == OK) {
		return;
	}
	note_failure(hook, "%s", err_row(ERR_NO_MEMORY)->text);
	finish(hook);
}

void staple_hook_run(struct staple_hook *hook, const struct staples *staples)
{
	hook->staples = staples;
	hook->end = 0;
	hook->what_failed[0] = '\0';
	call(hook);
}
