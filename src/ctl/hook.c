/* SPDX-License-Identifier: ISC */
/*
 * The way of an event: a tap beside the log's sink makes an environment of it, on whatever thread;
 * a bounded mailbox takes that to the main thread, which has a bounded number of programs run.
 */
#include "ctl/hook.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/counters.h"
#include "base/log.h"
#include "core/dates.h"
#include "io/clock.h"
#include "io/files.h"
#include "io/mailbox.h"
#include "io/runner.h"

#define MAX_FIELDS  16
#define MAX_VALUE   1024 /* octets; the rest is cut */
#define MAX_ON_WAY  64	 /* events from the threads to the main thread */
#define OWN_ENTRIES 4	 /* of the environment, beside the fields */

static const enum log_event events[] = {
    EVENT_RESPONDER_DOWN, EVENT_RESPONDER_UP,	 EVENT_STATUS_CHANGED,
    EVENT_RUNWAY_SHORT,	  EVENT_REHEARSAL_BEGUN, EVENT_REHEARSAL_ENDED,
};

struct hook {
	const struct settings *settings;
	struct mailbox *mailbox;
	struct runner *runner;
	atomic_bool is_wanted[N_EVENTS];
};

struct errand {
	struct message message; /* first */
	enum log_event event;
	struct text_list env;
};

bool hook_has_event(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(events); i++) {
		if (strcmp(log_row(events[i])->name, name) == 0)
			return true;
	}
	return false;
}

const char *hook_doubt(const char *path)
{
	struct stat found;

	if (*path == '\0')
		return NULL;
	if (stat(path, &found) != 0)
		return "there is no such program";
	if (!S_ISREG(found.st_mode) || access(path, X_OK) != 0)
		return "it is no program that can be run";
	return NULL;
}

/* --- the environment -------------------------------------------------------------------------- */

/* Without memory there is no such entry. */
static void add_entry(struct text_list *env, const char *name, struct slice value)
{
	char *entry = malloc(strlen(name) + 1 + MAX_VALUE + 1), *at;

	if (entry == NULL)
		return;
	at = entry + sprintf(entry, "%s=", name);
	value = slice_take(value, MAX_VALUE);
	for (size_t i = 0; i < value.len; i++)
		*at++ = iscntrl(value.p[i]) ? '?' : (char)value.p[i];
	*at = '\0';
	env->items[env->n++] = entry;
}

static void add_field(struct text_list *env, const struct log_field *field)
{
	char name[64], value[MAX_VALUE + 1] = "";
	size_t len = (size_t)snprintf(name, sizeof(name), "OCSPRELAY_%s", field->name);

	for (size_t i = 0; i < len && i < sizeof(name); i++)
		name[i] = (char)toupper((unsigned char)name[i]);
	if (field->type == LOG_FIELD_TEXT) {
		add_entry(env, name, field->bytes);
		return;
	}
	if (field->type == LOG_FIELD_NUMBER)
		snprintf(value, sizeof(value), "%" PRId64, field->number);
	else
		hex_encode(value, slice_take(field->bytes, MAX_VALUE / 2));
	add_entry(env, name, slice_text(value));
}

/* Nothing of our own environment, which may hold secrets of the configuration. */
static bool make_environment(enum log_event event, const struct log_field *fields,
			     struct text_list *env)
{
	char now[ISO_DATE_SIZE];

	env->items = calloc(OWN_ENTRIES + MAX_FIELDS + 1, sizeof(char *));
	if (env->items == NULL)
		return false;
	date_to_iso(now, clock_wall());
	add_entry(env, "PATH",
		  slice_text("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
			     "/sbin:/bin"));
	add_entry(env, "OCSPRELAY_EVENT", slice_text(log_row(event)->name));
	add_entry(env, "OCSPRELAY_TEXT", slice_text(log_row(event)->text));
	add_entry(env, "OCSPRELAY_TIME", slice_text(now));
	for (size_t i = 0; i < MAX_FIELDS && fields[i].name != NULL; i++)
		add_field(env, &fields[i]);
	return true;
}

/* --- from any thread to the main thread ------------------------------------------------------- */

static void tell_dropped(enum log_event event)
{
	counter_add(METRIC_HOOK_RUNS, 0, LABEL_HOOK_RESULT_DROPPED, 0, 1);
	LOG(HOOK_FAILED, LOG_TEXT("for", log_row(event)->name), LOG_TEXT("what", "too many wait"));
}

static void errand_free(struct errand *errand)
{
	text_list_free(&errand->env);
	free(errand);
}

static void on_event(void *arg, enum log_event event, const struct log_field *fields)
{
	struct hook *hook = arg;
	struct errand *errand;

	if (!atomic_load_explicit(&hook->is_wanted[event], memory_order_relaxed))
		return;
	errand = calloc(1, sizeof(*errand));
	if (errand != NULL) {
		errand->event = event;
		if (make_environment(event, fields, &errand->env) &&
		    mailbox_post(hook->mailbox, &errand->message) == OK)
			return;
		errand_free(errand);
	}
	tell_dropped(event);
}

static void on_errand(void *arg, struct message *message)
{
	struct hook *hook = arg;
	struct errand *errand = (struct errand *)message;
	const struct settings_top *settings = &hook->settings->top;
	const struct runner_job job = {.program = settings->hook,
				       .env = errand->env,
				       .what = log_row(errand->event)->name,
				       .ms_limit = settings->hook_timeout};

	if (*settings->hook != '\0') { /* it may be off since a moment ago */
		errand->env = (struct text_list){.items = NULL};
		if (runner_add(hook->runner, &job) != OK)
			tell_dropped(errand->event);
	}
	errand_free(errand);
}

static void drop_errand(void *arg, struct message *message)
{
	(void)arg;
	errand_free((struct errand *)message);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void on_end(void *arg, const struct runner_end *end)
{
	char what[128];
	unsigned result = LABEL_HOOK_RESULT_FAILED;

	(void)arg;
	if (end->error == 0 && end->exit_status == 0) {
		counter_add(METRIC_HOOK_RUNS, 0, LABEL_HOOK_RESULT_OK, 0, 1);
		return;
	}
	if (end->error != 0) {
		snprintf(what, sizeof(what), "cannot be run: %s", strerror(end->error));
	} else if (end->is_killed) {
		result = LABEL_HOOK_RESULT_KILLED;
		snprintf(what, sizeof(what), "killed: it took too long");
	} else if (end->exit_status >= 0) {
		snprintf(what, sizeof(what), "exit status %d", end->exit_status);
	} else {
		snprintf(what, sizeof(what), "died of signal %d", end->signal);
	}
	counter_add(METRIC_HOOK_RUNS, 0, result, 0, 1);
	LOG(HOOK_FAILED, LOG_TEXT("for", end->what), LOG_TEXT("what", what));
}

/* --- wiring ----------------------------------------------------------------------------------- */

static bool has_word(const struct text_list *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i], word) == 0)
			return true;
	}
	return false;
}

void hook_set_settings(struct hook *hook, const struct settings *settings)
{
	bool is_on = *settings->top.hook != '\0';

	hook->settings = settings;
	for (size_t i = 0; i < N_ELEMENTS(events); i++)
		atomic_store(&hook->is_wanted[events[i]],
			     is_on &&
				 has_word(&settings->top.hook_events, log_row(events[i])->name));
}

struct hook *hook_new(struct loop *loop, const struct settings *settings)
{
	struct hook *hook = calloc(1, sizeof(*hook));

	if (hook == NULL)
		return NULL;
	hook->mailbox = mailbox_new(loop, MAX_ON_WAY, on_errand, hook);
	hook->runner = runner_new(loop, on_end, hook);
	if (hook->mailbox == NULL || hook->runner == NULL) {
		hook_free(hook);
		return NULL;
	}
	hook_set_settings(hook, settings);
	log_add_tap(on_event, hook);
	return hook;
}

void hook_free(struct hook *hook)
{
	if (hook == NULL)
		return;
	log_remove_tap(hook);
	mailbox_free(hook->mailbox, drop_errand, NULL);
	runner_free(hook->runner);
	free(hook);
}
