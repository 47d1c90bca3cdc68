/* SPDX-License-Identifier: ISC */
/*
 * ocsprelay check: reads the configuration and the certificates as serve would, and says what it
 * has understood: every error, every file that had to be skipped, every issuer with its hashes,
 * responders and the options that differ from the defaults; and whether the user exists. Opens
 * nothing, asks nobody else.
 *
 * Exit: 0, 1 when something was skipped or nothing is there to serve, 78 for a configuration that
 * serve would refuse.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "core/dates.h"
#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/config.h"
#include "ctl/issuer_load.h"
#include "ctl/option_value.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/privileges.h"

#define MAX_OUTPUT (256 << 20) /* thousands of issuers, a kilobyte each */
#define NAME_SIZE  512

struct check_args {
	const char *config;
	bool json;
};

struct check {
	const char *config;
	struct settings *settings; /* NULL: refused */
	struct settings *defaults;
	struct issuers *issuers;       /* NULL without settings */
	struct issuer_origin *origins; /* in the order of their labels */
	size_t n;
	int64_t now;
	struct buf config_messages, file_messages;
	struct buf out;
};

/* --- options that differ from the defaults --- */

struct deviation {
	const char *section; /* "" for the top level */
	const struct option_row *row;
	const void *base;	     /* of the group's struct */
	struct slice value, initial; /* as in the file */
};

typedef void deviation_fn(struct check *check, const struct deviation *deviation);

/* Calls print for each row of a group whose value at base is another than at defaults. */
static void each_deviation(struct check *check, struct deviation at, enum option_group group,
			   const void *defaults, deviation_fn *print)
{
	const struct option_table *table = &option_tables[group];
	struct buf value, initial;

	buf_init(&value, MAX_OUTPUT);
	buf_init(&initial, MAX_OUTPUT);
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

/* Of the whole relay. */
static void each_setting(struct check *check, deviation_fn *print)
{
	for (const struct option_section *section = option_sections; section->name; section++) {
		enum option_group group = section->groups[0];

		if (group < GROUP_ISSUER)
			each_deviation(
			    check,
			    (struct deviation){.section = section->name,
					       .base = settings_group(check->settings, group)},
			    group, settings_group(check->defaults, group), print);
	}
}

/* Of an issuer, by its section or by defaults { }. */
static void each_issuer_option(struct check *check, const struct issuer_origin *origin,
			       deviation_fn *print)
{
	const struct settings_section *section = origin->section;

	each_deviation(
	    check,
	    (struct deviation){.section = "",
			       .base = section ? &section->issuer : &check->settings->defaults},
	    GROUP_ISSUER, &check->defaults->defaults, print);
}

static void text_deviation(struct check *check, const struct deviation *deviation)
{
	buf_printf(&check->out, "  option       %s%s%s = %.*s (default %.*s)\n", deviation->section,
		   deviation->section[0] ? "." : "", deviation->row->name,
		   (int)deviation->value.len, (const char *)deviation->value.p,
		   (int)deviation->initial.len, (const char *)deviation->initial.p);
}

/* --- text --- */

static void text_hash(struct check *check, const char *name, const uint8_t *hash, size_t len)
{
	char hex[2 * MAX_DIGEST_LEN + 1] = "";

	hex_encode(hex, slice_of(hash, len));
	buf_printf(&check->out, "  %-12s %s\n", name, hex);
}

static void text_responders(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	bool is_given = origin->section && origin->section->own.responders.n > 0;

	for (size_t i = 0; i < issuer->n_responders; i++)
		buf_printf(&check->out, "  responder    %s%s\n", issuer->responders[i].url,
			   is_given ? "" : " (learnt from a certificate)");
	if (issuer->n_responders == 0)
		buf_text(&check->out, "  responder    none: requests are answered unauthorized\n");
	if (issuer->n_trusted > 0)
		buf_printf(&check->out, "  trusted      %zu responder certificates\n",
			   issuer->n_trusted);
}

static void text_issuer(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	char name[NAME_SIZE], from[ISO_DATE_SIZE], until[ISO_DATE_SIZE];

	certificate_name(X509_get_subject_name(issuer->certs[0]), name, sizeof(name));
	date_to_iso(from, issuer_not_before(issuer));
	date_to_iso(until, issuer_not_after(issuer));
	buf_printf(&check->out, "issuer %s\n  subject      %s\n", issuer->label, name);
	if (origin->section)
		buf_printf(&check->out, "  section      %s:%u\n", origin->section->file,
			   origin->section->line);
	buf_printf(&check->out, "  file         %s\n", origin->path);
	if (issuer->n_certs > 1)
		buf_printf(&check->out, "  certificates %zu\n", issuer->n_certs);
	if (issuer->n_names > 1)
		buf_printf(&check->out, "  names        %zu encodings\n", issuer->n_names);
	buf_printf(&check->out, "  valid        %s to %s%s\n", from, until,
		   issuer_valid_until(issuer, check->now) == INT64_MIN ? ", not now" : "");
	text_hash(check, "issuer-id", issuer->id, ISSUER_ID_LEN);
	text_hash(check, "key sha1", issuer->key_hash[HASH_SHA1], hash_algs[HASH_SHA1].len);
	text_hash(check, "key sha256", issuer->key_hash[HASH_SHA256], hash_algs[HASH_SHA256].len);
	text_responders(check, origin);
	each_issuer_option(check, origin, text_deviation);
	buf_text(&check->out, "\n");
}

static size_t count_lines(const struct buf *messages)
{
	size_t n = 0;

	for (size_t i = 0; i < messages->len; i++)
		n += messages->p[i] == '\n';
	return n;
}

static void print_messages(const struct buf *messages)
{
	if (messages->len > 0)
		fwrite(messages->p, 1, messages->len, stderr);
}

static void text(struct check *check)
{
	print_messages(&check->config_messages);
	print_messages(&check->file_messages);
	if (!check->settings)
		return;
	buf_text(&check->out, "settings\n");
	each_setting(check, text_deviation);
	buf_text(&check->out, "  other options as by default\n\n");
	for (size_t i = 0; i < check->n; i++)
		text_issuer(check, &check->origins[i]);
	if (check->n == 0)
		buf_text(&check->out, "no issuer: every request is answered unauthorized\n\n");
	buf_printf(&check->out, "%s: issuers: %zu, warnings: %zu, faults: %zu\n", check->config,
		   check->n, count_lines(&check->config_messages),
		   count_lines(&check->file_messages));
}

/* --- JSON --- */

/* Ends an array or object whose members each left a comma behind. */
static void json_end(struct check *check, const char *end)
{
	if (check->out.len > 0 && check->out.p[check->out.len - 1] == ',')
		check->out.len--;
	buf_text(&check->out, end);
}

static void json_string(struct check *check, struct slice value)
{
	buf_text(&check->out, "\"");
	buf_json(&check->out, value);
	buf_text(&check->out, "\",");
}

static void json_text(struct check *check, const char *name, const char *value)
{
	buf_printf(&check->out, "\"%s\":", name);
	json_string(check, slice_text(value));
}

/* "section.option": a string, or an array of strings for a list. */
static void json_deviation(struct check *check, const struct deviation *deviation)
{
	const void *member = (const char *)deviation->base + deviation->row->offset;
	const struct text_list *list = member;

	buf_printf(&check->out, "\"%s%s%s\":", deviation->section, deviation->section[0] ? "." : "",
		   deviation->row->name);
	if (deviation->row->type == OPTION_IS_TEXT) {
		json_string(check, slice_text(*(char *const *)member));
	} else if (deviation->row->type == OPTION_IS_LIST) {
		buf_text(&check->out, "[");
		for (size_t i = 0; i < list->n; i++)
			json_string(check, slice_text(list->items[i]));
		json_end(check, "],");
	} else {
		json_string(check, deviation->value);
	}
}

static void json_number(struct check *check, const char *name, size_t n)
{
	buf_printf(&check->out, "\"%s\":%zu,", name, n);
}

static void json_hash(struct check *check, const char *name, const uint8_t *hash, size_t len)
{
	char hex[2 * MAX_DIGEST_LEN + 1] = "";

	hex_encode(hex, slice_of(hash, len));
	json_text(check, name, hex);
}

static void json_issuer(struct check *check, const struct issuer_origin *origin)
{
	const struct issuer *issuer = origin->issuer;
	char name[NAME_SIZE], from[ISO_DATE_SIZE], until[ISO_DATE_SIZE];

	certificate_name(X509_get_subject_name(issuer->certs[0]), name, sizeof(name));
	date_to_iso(from, issuer_not_before(issuer));
	date_to_iso(until, issuer_not_after(issuer));
	buf_text(&check->out, "{");
	json_text(check, "label", issuer->label);
	json_text(check, "subject", name);
	json_text(check, "section", origin->section ? origin->section->name : "");
	json_text(check, "file", origin->path);
	json_text(check, "not_before", from);
	json_text(check, "not_after", until);
	buf_printf(&check->out, "\"valid\":%s,",
		   issuer_valid_until(issuer, check->now) == INT64_MIN ? "false" : "true");
	json_number(check, "certificates", issuer->n_certs);
	json_number(check, "names", issuer->n_names);
	json_number(check, "trusted_responders", issuer->n_trusted);
	json_hash(check, "issuer_id", issuer->id, ISSUER_ID_LEN);
	json_hash(check, "key_sha1", issuer->key_hash[HASH_SHA1], hash_algs[HASH_SHA1].len);
	json_hash(check, "key_sha256", issuer->key_hash[HASH_SHA256], hash_algs[HASH_SHA256].len);
	buf_text(&check->out, "\"responders\":[");
	for (size_t i = 0; i < issuer->n_responders; i++)
		json_string(check, slice_text(issuer->responders[i].url));
	json_end(check, "],\"options\":{");
	each_issuer_option(check, origin, json_deviation);
	json_end(check, "}},");
}

/* The lines of messages that are warnings, or those that are none. */
static void json_lines(struct check *check, const char *name, const struct buf *messages,
		       bool are_warnings)
{
	static const char mark[] = ": warning: ";
	struct slice rest = buf_slice(messages);

	buf_printf(&check->out, "\"%s\":[", name);
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;
		bool is_warning = memmem(rest.p, len, mark, sizeof(mark) - 1) != NULL;

		if (is_warning == are_warnings)
			json_string(check, slice_take(rest, len));
		rest = slice_skip(rest, len + 1);
	}
	json_end(check, "],");
}

static void json(struct check *check)
{
	buf_text(&check->out, "{");
	json_text(check, "configuration", check->config);
	json_lines(check, "errors", &check->config_messages, false);
	json_lines(check, "warnings", &check->config_messages, true);
	json_lines(check, "faults", &check->file_messages, false);
	buf_text(&check->out, "\"options\":{");
	if (check->settings)
		each_setting(check, json_deviation);
	json_end(check, "},\"issuers\":[");
	for (size_t i = 0; i < check->n; i++)
		json_issuer(check, &check->origins[i]);
	json_end(check, "]}\n");
}

/* --- the whole --- */

static int by_label(const void *a, const void *b)
{
	const struct issuer_origin *left = a, *right = b;

	return strcmp(left->issuer->label, right->issuer->label);
}

/* Only a doubt, with no line of the file: who does not start as root needs no user, and most have
 * that of the defaults. */
static void doubt_user(struct check *check)
{
	const char *user = check->settings->top.user;

	if (privileges_check(user) != OK)
		buf_printf(&check->config_messages,
			   "%s: warning: user = \"%s\": started as root, serve will end with %s\n",
			   check->config, user, PRIVILEGES_NO_USER);
}

/* OK also for a configuration that is refused: then there are no settings. */
static err_t gather(struct check *check)
{
	err_t err;

	check->now = clock_wall();
	check->defaults = settings_default();
	if (!check->defaults)
		return ERR_NO_MEMORY;
	err = config_load(check->config, &check->settings, &check->config_messages);
	if (err)
		return err == ERR_NO_MEMORY ? err : OK;
	doubt_user(check);
	check->issuers = issuer_load_explained(check->settings, entropy_hash_key(),
					       &check->file_messages, &check->origins);
	if (!check->issuers)
		return ERR_NO_MEMORY;
	check->n = issuers_count(check->issuers);
	if (check->n > 1)
		qsort(check->origins, check->n, sizeof(*check->origins), by_label);
	return OK;
}

static int status_of(const struct check *check)
{
	if (!check->settings)
		return EXIT_CONFIG;
	return check->file_messages.len > 0 || check->n == 0 ? EXIT_NO : EXIT_OK;
}

int cmd_check(int argc, char **argv)
{
	static const struct args_row rows[] = {
	    {"config", 'c', ARGS_TEXT, offsetof(struct check_args, config)},
	    {"json", 0, ARGS_FLAG, offsetof(struct check_args, json)},
	};
	static const struct args_spec spec = {"check", rows, N_ELEMENTS(rows)};
	struct check_args args = {.config = CONFIG_DEFAULT_PATH};
	struct check check = {.settings = NULL};
	int status = args_read(&spec, argc, argv, &args);

	if (status != ARGS_GO)
		return status;
	check.config = args.config;
	buf_init(&check.config_messages, MAX_OUTPUT);
	buf_init(&check.file_messages, MAX_OUTPUT);
	buf_init(&check.out, MAX_OUTPUT);
	status = EXIT_NO_ANSWER;
	if (gather(&check) == OK) {
		if (args.json)
			json(&check);
		else
			text(&check);
		status = status_of(&check);
	}
	if (status == EXIT_NO_ANSWER || check.out.err)
		fprintf(stderr, "ocsprelay check: %s\n", err_row(ERR_NO_MEMORY)->text);
	else if (check.out.len > 0)
		fwrite(check.out.p, 1, check.out.len, stdout);
	issuer_origins_free(check.origins, check.n);
	issuers_unref(check.issuers);
	settings_free(check.settings);
	settings_free(check.defaults);
	buf_fini(&check.config_messages);
	buf_fini(&check.file_messages);
	buf_fini(&check.out);
	return status;
}
