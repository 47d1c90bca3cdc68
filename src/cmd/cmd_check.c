/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay check: reads the configuration and the certificates as serve would, and says what it
 * has understood: every error, every file that had to be skipped, every issuer with its hashes,
 * responders and the options that differ from the defaults; and what is legal but unwise. Opens
 * nothing and asks nobody, unless it is told to try the responders (--online).
 *
 * Exit: 0, 1 when something was skipped, nothing is there to serve, or a responder that was tried
 * does not work, 78 for a configuration that serve would refuse.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/check.h"
#include "cmd/commands.h"
#include "ctl/config.h"
#include "ctl/issuer_load.h"
#include "ctl/option_value.h"
#include "io/clock.h"
#include "io/entropy.h"

struct check_args {
	const char *config;
	bool json, online;
};

/* --- what all parts need --- */

/* Calls print for each row of a group whose value at base is another than at defaults. */
static void each_deviation(struct check *check, struct check_deviation at, enum option_group group,
			   const void *defaults, check_deviation_fn *print)
{
	const struct option_table *table = &option_tables[group];
	struct buf value, initial;

	buf_init(&value, CHECK_MAX_OUTPUT);
	buf_init(&initial, CHECK_MAX_OUTPUT);
	for (size_t i = 0; i < table->n; i++) {
		at.row = &table->rows[i];
		buf_reset(&value);
		buf_reset(&initial);
		option_value_print(at.row, at.base, &value);
		option_value_print(at.row, defaults, &initial);
		at.value = buf_slice(&value);
		at.initial = buf_slice(&initial);
		if (!slice_eq(at.value, at.initial))
			print(check, &at);
	}
	buf_fini(&value);
	buf_fini(&initial);
}

void check_each_setting(struct check *check, check_deviation_fn *print)
{
	for (const struct option_section *section = option_sections; section->name; section++) {
		enum option_group group = section->groups[0];

		if (group < GROUP_ISSUER)
			each_deviation(check,
				       (struct check_deviation){
					   .section = section->name,
					   .base = settings_group(check->settings, group)},
				       group, settings_group(check->defaults, group), print);
	}
}

void check_each_issuer_option(struct check *check, const struct issuer_origin *origin,
			      check_deviation_fn *print)
{
	const struct settings_section *section = origin->section;

	each_deviation(check,
		       (struct check_deviation){.section = "",
						.base = section ? &section->issuer
								: &check->settings->defaults},
		       GROUP_ISSUER, &check->defaults->defaults, print);
}

size_t check_watched(const struct check *check, const struct issuer *issuer)
{
	const struct watched *watched = issuers_watched(check->issuers);
	size_t n = 0;

	for (size_t i = 0; i < watched_count(watched); i++)
		n += memcmp(watched_at(watched, i)->key.issuer_id, issuer->id, ISSUER_ID_LEN) == 0;
	return n;
}

size_t check_count(const struct buf *messages, bool are_warnings)
{
	static const char mark[] = ": warning: ";
	struct slice rest = buf_slice(messages);
	size_t n = 0;

	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		n += (memmem(rest.p, len, mark, sizeof(mark) - 1) != NULL) == are_warnings;
		rest = slice_skip(rest, len + 1);
	}
	return n;
}

/* --- the whole --- */

static int by_label(const void *a, const void *b)
{
	const struct issuer_origin *left = a, *right = b;

	return strcmp(left->issuer->label, right->issuer->label);
}

/* OK also for a configuration that is refused: then there are no settings. */
static err_t gather(struct check *check)
{
	struct settings *settings = NULL;
	err_t err;

	check->now = clock_wall();
	check->defaults = settings_default();
	if (!check->defaults)
		return ERR_NO_MEMORY;
	err = config_read(check->config, &settings, &check->config_messages);
	if (err) {
		if (settings)
			check_absent(check, settings);
		settings_free(settings);
		return err == ERR_NO_MEMORY ? err : OK;
	}
	check->settings = settings;
	check->issuers = issuer_load_explained(check->settings, entropy_hash_key(),
					       &check->file_messages, &check->origins);
	if (!check->issuers)
		return ERR_NO_MEMORY;
	check->n = issuers_count(check->issuers);
	if (check->n > 1)
		qsort(check->origins, check->n, sizeof(*check->origins), by_label);
	check_doubts(check);
	return check->online ? check_online(check) : OK;
}

static int status_of(const struct check *check)
{
	if (!check->settings)
		return EXIT_CONFIG;
	for (size_t i = 0; i < check->n_trials; i++) {
		if (!check->trials[i].works)
			return EXIT_NO;
	}
	return check_count(&check->file_messages, false) > 0 || check->n == 0 ? EXIT_NO : EXIT_OK;
}

static int run(struct check *check)
{
	int status = EXIT_NO_ANSWER;

	if (gather(check) == OK) {
		if (check->json)
			check_json(check);
		else
			check_text(check);
		status = status_of(check);
	}
	if (status == EXIT_NO_ANSWER || check->out.err)
		fprintf(stderr, "ocsprelay check: %s\n", err_row(ERR_NO_MEMORY)->text);
	else if (check->out.len > 0)
		fwrite(check->out.p, 1, check->out.len, stdout);
	return status;
}

int cmd_check(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"config", 'c', ARGS_TEXT, offsetof(struct check_args, config)},
	    {"online", 0, ARGS_FLAG, offsetof(struct check_args, online)},
	    {"json", 0, ARGS_FLAG, offsetof(struct check_args, json)},
	};
	static const struct args_spec spec = {"check", rows, N_ELEMENTS(rows)};
	struct check_args args = {.config = CONFIG_DEFAULT_PATH};
	struct check check = {.settings = NULL};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	check.config = args.config;
	check.json = args.json;
	check.online = args.online;
	buf_init(&check.config_messages, CHECK_MAX_OUTPUT);
	buf_init(&check.file_messages, CHECK_MAX_OUTPUT);
	buf_init(&check.out, CHECK_MAX_OUTPUT);
	status = run(&check);
	free(check.trials);
	issuer_origins_free(check.origins, check.n);
	issuers_unref(check.issuers);
	settings_free(check.settings);
	settings_free(check.defaults);
	buf_fini(&check.config_messages);
	buf_fini(&check.file_messages);
	buf_fini(&check.out);
	return status;
}
