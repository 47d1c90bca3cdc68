/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay serve: the daemon's life. Reads the configuration, opens what needs privileges, gives
 * them up, starts the relay, and then only waits for signals. Faults of the outside (a store, an
 * issuer file, one of several addresses) are said and lived with; what makes serving impossible or
 * wrong (no configuration, no listener, a clock before this release) ends it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/counters.h"
#include "cmd/args.h"
#include "cmd/commands.h"
#include "core/dates.h"
#include "ctl/admin.h"
#include "ctl/config.h"
#include "ctl/hook.h"
#include "ctl/issuer_load.h"
#include "ctl/log_sink.h"
#include "ctl/option_value.h"
#include "ctl/recent.h"
#include "ctl/reload_report.h"
#include "ctl/secret.h"
#include "ctl/watchdog.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/notify.h"
#include "io/privileges.h"
#include "io/signals.h"
#include "io/upstream.h"
#include "relay/relay.h"

/* The release's date: a clock that shows an earlier one is wrong (rule CL-21). */
#define RELEASED_AT INT64_C(1795305600) /* 2026-11-22 */

#define MAX_MESSAGES 1048576

struct serve_args {
	const char *config;
};

struct daemon {
	const char *config;
	struct settings *settings;
	struct settings *old_settings; /* during a reload: still in use */
	struct settings *first; /* those of the start, kept for what only a restart changes */
	bool reload_again;	/* asked for while one was under way */
	bool is_last;		/* no reload was refused since */
	struct buf report;	/* of it, for those who asked through the admin listener */
	struct hash_key hash_key;
	struct loop *loop;
	struct signals *signals;
	struct timer *tick;
	struct relay *relay;
	struct admin *admin;
	struct hook *hook;
	struct watchdog *watchdog;
	struct recent *recent;
};

/* --- signals ------------------------------------------------------------------------------------
 */

static void on_drained(void *arg)
{
	struct daemon *daemon = arg;

	loop_stop(daemon->loop);
}

static void on_stop(void *arg)
{
	struct daemon *daemon = arg;

	if (relay_is_draining(daemon->relay)) { /* asked a second time: now */
		loop_stop(daemon->loop);
		return;
	}
	LOG(DRAIN, LOG_NUMBER("timeout_ms", daemon->settings->limits.drain_timeout));
	notify_stopping();
	relay_drain(daemon->relay, on_drained, daemon);
}

/* One event per line of a message buffer. */
static void log_lines(const struct buf *messages)
{
	struct slice rest = buf_slice(messages);

	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		LOG(CONFIG, LOG_SLICE("what", slice_take(rest, len)));
		rest = slice_skip(rest, len + 1);
	}
}

static void count_reload(struct daemon *daemon, bool is_ok)
{
	counter_add(METRIC_CONFIG_RELOADS, 0, is_ok ? LABEL_OUTCOME_OK : LABEL_OUTCOME_ERROR, 0, 1);
	counter_add(METRIC_CONFIG_IS_LAST, 0, 0, 0, (int)is_ok - (int)daemon->is_last);
	daemon->is_last = is_ok;
}

static void on_reload(void *arg);

static void on_reloaded(void *arg)
{
	struct daemon *daemon = arg;

	if (daemon->old_settings != daemon->first)
		settings_free(daemon->old_settings);
	daemon->old_settings = NULL;
	count_reload(daemon, true);
	LOG(RELOAD, LOG_NUMBER("issuers", issuers_count(relay_issuers(daemon->relay))));
	notify_ready();
	admin_reloaded(daemon->admin, 200, &daemon->report);
	buf_reset(&daemon->report);
	if (daemon->reload_again) {
		daemon->reload_again = false;
		on_reload(daemon);
	}
}

static bool is_live(const char *option)
{
	static const char *const options[] = {"issuer_dir",    "watch_dir",
					      "allow",	       "admin_token_file",
					      "password_file", "sentinel_password_file",
					      "hook",	       "hook_events",
					      "hook_timeout"};

	for (size_t i = 0; i < N_ELEMENTS(options); i++) {
		if (strcmp(options[i], option) == 0)
			return true;
	}
	return false;
}

/* Says what a reload cannot change, so that nobody waits for it. */
static void warn_of_restart(const struct daemon *daemon, struct settings *settings,
			    struct buf *messages)
{
	static const enum option_group groups[] = {GROUP_TOP, GROUP_CACHE, GROUP_REDIS};

	for (size_t g = 0; g < N_ELEMENTS(groups); g++) {
		const struct option_table *table = &option_tables[groups[g]];
		const void *was = settings_group(daemon->first, groups[g]);
		const void *is = settings_group(settings, groups[g]);

		for (size_t i = 0; i < table->n; i++) {
			const struct option_row *row = &table->rows[i];

			if (!is_live(row->name) && !option_value_is_same(row, was, is))
				buf_printf(messages, "%s: changed, which takes a restart\n",
					   row->name);
		}
	}
}

/* Hands the new settings and issuers to the relay; the old ones live until it has let go of them.
 */
static err_t take_over(struct daemon *daemon, struct settings *settings, struct issuers *issuers)
{
	err_t err;

	daemon->old_settings = daemon->settings;
	daemon->settings = settings;
	admin_set_settings(daemon->admin, settings);
	hook_set_settings(daemon->hook, settings);
	if (log_sink_open(&settings->log) != OK)
		LOG(SYSTEM, LOG_TEXT("what", "the new log target cannot be opened"),
		    LOG_TEXT("target", settings->log.target));
	err = relay_reload(daemon->relay, settings, issuers, on_reloaded, daemon);
	if (err != OK) {
		daemon->settings = daemon->old_settings;
		daemon->old_settings = NULL;
		admin_set_settings(daemon->admin, daemon->settings);
		hook_set_settings(daemon->hook, daemon->settings);
	}
	return err;
}

/* Reads configuration and certificates and has the relay take them over. messages: lines that say
 * what was wrong, for the report. */
static err_t reload(struct daemon *daemon, struct buf *messages)
{
	struct reload_report report = {
	    .was = daemon->settings, .had = relay_issuers(daemon->relay), .messages = messages};
	struct settings *settings = NULL;
	struct issuers *issuers = NULL;
	err_t err = config_load(daemon->config, &settings, messages);

	if (err == OK)
		warn_of_restart(daemon, settings, messages);
	log_lines(messages); /* certificates are logged where they are read */
	if (err == OK) {
		secret_read(settings, daemon->settings);
		issuers = issuer_load(settings, daemon->hash_key, messages);
		report.is = settings;
		report.has = issuers;
		if (issuers != NULL)
			reload_report_json(&report, &daemon->report);
		err = issuers != NULL ? take_over(daemon, settings, issuers) : ERR_NO_MEMORY;
	}
	issuers_unref(issuers);
	if (err != OK && settings != daemon->settings)
		settings_free(settings);
	return err;
}

static void on_reload(void *arg)
{
	struct daemon *daemon = arg;
	struct buf messages;
	err_t err;

	if (daemon->old_settings != NULL) {
		daemon->reload_again = true;
		return;
	}
	admin_reload_begins(daemon->admin);
	notify_reloading();
	buf_init(&messages, MAX_MESSAGES);
	err = reload(daemon, &messages);
	if (err != OK) {
		count_reload(daemon, false);
		LOG(RELOAD_FAILED, LOG_REASON(err));
		notify_ready();
		buf_reset(&daemon->report);
		reload_report_error(err, &messages, &daemon->report);
		admin_reloaded(daemon->admin, 422, &daemon->report);
		buf_reset(&daemon->report);
	}
	buf_fini(&messages);
}

static void on_tick(void *arg)
{
	(void)arg;
	log_sink_tick();
}

/* --- start --------------------------------------------------------------------------------------
 */

static int read_configuration(struct daemon *daemon)
{
	struct buf messages;
	err_t err;

	buf_init(&messages, MAX_MESSAGES);
	err = config_load(daemon->config, &daemon->settings, &messages);
	if (messages.len > 0)
		fwrite(messages.p, 1, messages.len, stderr);
	buf_fini(&messages);
	if (err != OK)
		return EXIT_CONFIG;
	daemon->first = daemon->settings;
	daemon->is_last = true;
	counter_add(METRIC_CONFIG_IS_LAST, 0, 0, 0, 1);
	if (log_sink_open(&daemon->settings->log) != OK) {
		fprintf(stderr, "ocsprelay: %s: the log target cannot be opened: %s\n",
			daemon->settings->log.target,
			errno == ELOOP && geteuid() == 0 ? "root follows no symbolic link"
							 : strerror(errno));
		return EXIT_CONFIG;
	}
	return EXIT_OK;
}

static bool is_clock_sane(void)
{
	char now[ISO_DATE_SIZE];

	if (clock_wall() >= RELEASED_AT)
		return true;
	date_to_iso(now, clock_wall());
	LOG(CLOCK, LOG_TEXT("now", now), LOG_TEXT("what", "earlier than this release"));
	return false;
}

/* The file that is to be opened anew after a rotation, or NULL. */
static const char *log_file(const struct settings *settings)
{
	return settings->log.target[0] == '/' ? settings->log.target : NULL;
}

static bool give_up_root(const struct settings *settings)
{
	const struct text_list *stores = &settings->top.store;
	const char **directories = calloc(stores->n + 1, sizeof(char *));
	size_t n = 0;
	err_t err = ERR_NO_MEMORY;

	for (size_t i = 0; directories != NULL && i < stores->n; i++) {
		if (strncmp(stores->items[i], "lmdb:", 5) == 0)
			directories[n++] = stores->items[i] + 5;
	}
	if (directories != NULL)
		err = privileges_drop(settings->top.user, directories, log_file(settings));
	free(directories);
	return err == OK;
}

static bool open_relay(struct daemon *daemon)
{
	struct relay_opts opts = {
	    .loop = daemon->loop, .settings = daemon->settings, .hash_key = daemon->hash_key};
	struct buf messages;

	secret_read(daemon->settings, NULL); /* while we are root */
	buf_init(&messages, MAX_MESSAGES);
	opts.issuers = issuer_load(daemon->settings, daemon->hash_key, &messages);
	buf_fini(&messages);
	if (opts.issuers == NULL)
		return false;
	daemon->relay = relay_new(&opts);
	issuers_unref(opts.issuers);
	daemon->admin = admin_open(&(struct admin_opts){.loop = daemon->loop,
							.settings = daemon->settings,
							.recent = daemon->recent,
							.reload = on_reload,
							.arg = daemon});
	return daemon->relay != NULL && daemon->admin != NULL && relay_listeners(daemon->relay) > 0;
}

static bool start(struct daemon *daemon)
{
	daemon->recent = recent_new();
	if (daemon->recent == NULL)
		return false;
	LOG(START, LOG_TEXT("version", PACKAGE_VERSION), LOG_TEXT("config", daemon->config));
	daemon->hash_key = entropy_hash_key();
	daemon->loop = loop_new();
	if (daemon->loop == NULL || upstream_global_init() != OK)
		return false;
	daemon->signals = signals_new(daemon->loop, on_stop, on_reload, daemon);
	daemon->tick = timer_every(daemon->loop, 1000, on_tick, NULL);
	if (daemon->signals == NULL || daemon->tick == NULL || !open_relay(daemon) ||
	    !give_up_root(daemon->settings))
		return false;
	daemon->hook = hook_new(daemon->loop, daemon->settings);
	if (daemon->hook == NULL || relay_start(daemon->relay) != OK ||
	    admin_serve(daemon->admin, daemon->relay) != OK)
		return false;
	LOG(READY, LOG_NUMBER("issuers", issuers_count(relay_issuers(daemon->relay))),
	    LOG_NUMBER("listeners", relay_listeners(daemon->relay)));
	daemon->watchdog = watchdog_new(daemon->loop, daemon->relay);
	notify_ready();
	return true;
}

static void stop(struct daemon *daemon)
{
	admin_close(daemon->admin);
	relay_free(daemon->relay);
	hook_free(daemon->hook);
	recent_free(daemon->recent);
	watchdog_free(daemon->watchdog);
	timer_cancel(daemon->tick);
	signals_free(daemon->signals);
	loop_free(daemon->loop);
	upstream_global_fini();
}

int cmd_serve(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"config", 'c', ARGS_TEXT, offsetof(struct serve_args, config)},
	};
	static const struct args_spec spec = {"serve", rows, N_ELEMENTS(rows)};
	struct serve_args args = {.config = CONFIG_DEFAULT_PATH};
	struct daemon daemon = {.config = NULL};
	int status = args_read(&spec, argc, argv, &args);
	bool started;

	if (status != ARGS_GO)
		return status;
	daemon.config = args.config;
	buf_init(&daemon.report, MAX_MESSAGES);
	status = read_configuration(&daemon);
	if (status != EXIT_OK)
		goto out;
	started = is_clock_sane() && start(&daemon);
	if (started)
		loop_run(daemon.loop);
	else
		LOG(STOP, LOG_TEXT("why", "the relay cannot start"));
	stop(&daemon);
	if (started)
		LOG(STOP, LOG_TEXT("why", "asked to"));
	status = started ? EXIT_OK : EXIT_FAILURE;
out:
	log_sink_close();
	buf_fini(&daemon.report);
	if (daemon.settings != daemon.first)
		settings_free(daemon.settings);
	if (daemon.old_settings != daemon.first)
		settings_free(daemon.old_settings);
	settings_free(daemon.first);
	return status;
}
