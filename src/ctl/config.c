/* SPDX-License-Identifier: ISC */
/*
 * libConfuse with the rows of tbl/options.h. To libConfuse every option is a string or a list of
 * strings: it calls judge() with each word while its line is known, the words are turned into
 * values at the end, so that defaults { } applies to all issuers wherever it stands.
 */
#include "ctl/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ctl/config_check.h"
#include "ctl/config_text.h"
#include "ctl/option_value.h"

#define MAX_ROWS       64 /* of a section, and of sections */
#define MAX_NAME_LEN   128
#define MAX_WORD_SHOWN 128 /* octets of a value, in a message about it */
#define MAX_FAULT_LEN  512

struct config {
	struct settings *settings;
	struct config_report report;
	struct config_text text;
	cfg_t *cfg;
	size_t *issuer_lines; /* of the text */
	bool has_said;	      /* what is wrong, where libConfuse stops */
	bool is_filled;	      /* settings have what the file says */
};

/*
 * Rule 35: a global, because libConfuse's callbacks have no argument of the caller's. Set while
 * cfg_parse_buf runs.
 */
static struct config *reading;

static const struct option_section *section_of(const cfg_t *cfg)
{
	return strcmp(cfg->name, "root") == 0 ? option_sections : option_section_named(cfg->name);
}

static bool stands_before(cfg_opt_t *option, const char *word)
{
	for (unsigned i = 0; i + 1 < cfg_opt_size(option); i++) {
		if (strcmp(cfg_opt_getnstr(option, i), word) == 0)
			return true;
	}
	return false;
}

static void note_place(struct config *config, const char *option, size_t line)
{
	struct settings *settings = config->settings;
	struct settings_place place = {.option = option};
	struct settings_place *places =
	    reallocarray(settings->places, settings->n_places + 1, sizeof(*places));

	if (places)
		settings->places = places;
	place.file = strdup(config_report_origin(&config->report, line, &place.line));
	if (places && place.file) {
		places[settings->n_places++] = place;
		return;
	}
	free(place.file);
	config->report.err = ERR_NO_MEMORY;
}

/* A word as messages may show it: without the password that a URL must not have, but may. */
static const char *without_password(const char *word, char *dst, size_t cap)
{
	const char *user = strstr(word, "://"), *at = user ? strrchr(user, '@') : NULL;
	const char *colon = at ? memchr(user + 3, ':', (size_t)(at - user)) : NULL;

	if (colon)
		snprintf(dst, cap, "%.*s:***%s", (int)(colon - word), word, at);
	else
		snprintf(dst, cap, "%s", word);
	return dst;
}

/* libConfuse's parse callback: one word of an option. It is always kept as it stands. */
static int judge(cfg_t *cfg, cfg_opt_t *option, const char *word, void *result)
{
	const struct option_section *section = section_of(cfg);
	const struct option_row *row = option_row_named(section, option->name);
	struct config_report *report = &reading->report;
	size_t line = (size_t)cfg->line;
	const char *allowed = config_check_word(option->name, word);
	const char *doubt = config_doubt_word(option->name, word);
	char text[MAX_WORD_SHOWN + 1];
	struct buf fault;

	without_password(word, text, sizeof(text));
	buf_init(&fault, MAX_FAULT_LEN);
	if (option_value_check(row, word, &fault) != OK)
		config_report_add(report, CONFIG_ERROR, line, "%s: %.*s", row->name, (int)fault.len,
				  (const char *)fault.p);
	else if (allowed)
		config_report_add(report, CONFIG_ERROR, line,
				  "%s: \"%s\" is not understood, allowed: %s", row->name, text,
				  allowed);
	else if (config_is_unique(row->name) && stands_before(option, word))
		config_report_add(report, CONFIG_ERROR, line,
				  "%s: \"%s\" stands twice, allowed: once", row->name, text);
	else if (doubt)
		config_report_add(report, CONFIG_WARNING, line, "%s = %s: %s", row->name, text,
				  doubt);
	if (section->groups[0] < GROUP_ISSUER)
		note_place(reading, row->name, line);
	buf_fini(&fault);
	*(const char **)result = word;
	return 0;
}

/* libConfuse's own errors, which are all of syntax. */
static void report_syntax(cfg_t *cfg, const char *fmt, va_list args)
{
	char what[MAX_FAULT_LEN];

	if (reading->has_said)
		return;
	reading->has_said = true;
	vsnprintf(what, sizeof(what), fmt, args);
	config_report_add(&reading->report, CONFIG_ERROR, (size_t)cfg->line, "syntax: %s", what);
}

/* The rows of a section as libConfuse's; how many. */
static size_t make_options(const struct option_section *section, cfg_opt_t *out)
{
	size_t n = 0;

	for (size_t g = 0; g < N_ELEMENTS(section->groups); g++) {
		const struct option_table *table = &option_tables[section->groups[g]];

		for (size_t i = 0; section->groups[g] != GROUP_NONE && i < table->n; i++) {
			const char *name = table->rows[i].name;

			if (table->rows[i].type == OPTION_IS_LIST)
				out[n++] =
				    (cfg_opt_t)CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, judge);
			else
				out[n++] = (cfg_opt_t)CFG_STR_CB(name, NULL, CFGF_NODEFAULT, judge);
		}
	}
	out[n] = (cfg_opt_t)CFG_END();
	return n;
}

/* A parser for all sections; libConfuse copies the tables. NULL without memory. */
static cfg_t *make_parser(void)
{
	cfg_opt_t(*tables)[MAX_ROWS] = calloc(MAX_ROWS, sizeof(*tables));
	cfg_opt_t *top;
	size_t n;
	cfg_t *cfg;

	if (!tables)
		return NULL;
	top = tables[0];
	n = make_options(option_sections, top);
	for (size_t s = 1; option_sections[s].name; s++) {
		const struct option_section *section = &option_sections[s];
		cfg_flag_t flags = section->is_titled ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE;

		make_options(section, tables[s]);
		top[n++] = (cfg_opt_t)CFG_SEC(section->name, tables[s], flags);
	}
	top[n] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(top, CFGF_NONE);
	free(tables);
	return cfg;
}

static err_t parse(struct config *config)
{
	struct config_text *text = &config->text;
	int result;

	config->cfg = make_parser();
	if (!config->cfg)
		return ERR_NO_MEMORY;
	cfg_set_error_function(config->cfg, report_syntax);
	reading = config;
	config->has_said = text->is_cut;
	result = cfg_parse_buf(config->cfg, (const char *)text->text.p);
	reading = NULL;
	if (result != CFG_SUCCESS && !config->has_said)
		config_report_add(&config->report, CONFIG_ERROR, 0, "syntax: not understood");
	if (config->report.err)
		return config->report.err;
	return result != CFG_SUCCESS || text->is_cut || text->is_broken ? ERR_SYNTAX : OK;
}

/*
 * What the file says about a group's options, into the struct at base, which holds the defaults.
 * Words that were refused count as not given: the settings are used only to find further errors.
 */
static err_t fill_group(cfg_t *cfg, enum option_group group, void *base)
{
	const struct option_table *table = &option_tables[group];

	for (size_t i = 0; i < table->n; i++) {
		cfg_opt_t *option = cfg_getopt(cfg, table->rows[i].name);
		struct text_list words = {.n = cfg_opt_size(option)};
		err_t err;

		if (!(option->flags & CFGF_MODIFIED))
			continue;
		words.items = calloc(words.n + 1, sizeof(*words.items));
		if (!words.items)
			return ERR_NO_MEMORY;
		for (unsigned w = 0; w < words.n; w++)
			words.items[w] = cfg_opt_getnstr(option, w);
		err = option_value_store(&table->rows[i], base, &words);
		free(words.items);
		if (err && err != ERR_SYNTAX)
			return err;
	}
	return OK;
}

/* An issuer's title is a metric's label and part of log lines. */
static bool is_title(const char *title)
{
	struct slice rest = slice_text(title);

	if (rest.len == 0 || rest.len > MAX_NAME_LEN)
		return false;
	while (rest.len > 0) {
		uint32_t code;
		size_t n = utf8_decode(rest, &code);

		if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
		rest = slice_skip(rest, n);
	}
	return true;
}

static err_t fill_issuer(struct config *config, cfg_t *cfg, const struct settings *settings,
			 struct settings_section *out)
{
	size_t line = config->issuer_lines[settings->n_issuers - 1];
	err_t err = option_group_init(GROUP_ISSUER_OWN, &out->own);

	if (!err)
		err = option_group_copy(GROUP_ISSUER, &out->issuer, &settings->defaults);
	if (!err)
		err = fill_group(cfg, GROUP_ISSUER, &out->issuer);
	if (!err)
		err = fill_group(cfg, GROUP_ISSUER_OWN, &out->own);
	if (err)
		return err;
	out->name = strdup(cfg_title(cfg));
	out->file = strdup(config_report_origin(&config->report, line, &out->line));
	if (!out->name || !out->file)
		return ERR_NO_MEMORY;
	if (!is_title(out->name))
		config_report_add(&config->report, CONFIG_ERROR, line,
				  "issuer: \"%.128s\" is no name, allowed: 1 to %d octets of UTF-8 "
				  "without controls",
				  out->name, MAX_NAME_LEN);
	return OK;
}

static err_t fill_issuers(struct config *config, struct settings *settings)
{
	cfg_opt_t *sections = cfg_getopt(config->cfg, "issuer");
	size_t n = cfg_opt_size(sections), n_marks = 0;

	settings->issuers = calloc(n + 1, sizeof(*settings->issuers));
	config->issuer_lines = calloc(config->text.n_marks + 1, sizeof(*config->issuer_lines));
	if (!settings->issuers || !config->issuer_lines)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < config->text.n_marks; i++) {
		if (config->text.marks[i].section->is_titled)
			config->issuer_lines[n_marks++] = config->text.marks[i].line;
	}
	if (n != n_marks) {
		/* Titles that differ as written, but mean the same: "a" and "\x61". */
		if (config->report.n_errors == 0)
			config_report_add(&config->report, CONFIG_ERROR, 0,
					  "issuer: two sections have the same name");
		return OK;
	}
	for (unsigned i = 0; i < n; i++) {
		err_t err = fill_issuer(config, cfg_opt_getnsec(sections, i), settings,
					&settings->issuers[settings->n_issuers++]);

		if (err)
			return err;
	}
	return OK;
}

static err_t fill(struct config *config, struct settings *settings)
{
	struct config_places places = {.defaults = 0};
	err_t err = fill_group(config->cfg, GROUP_TOP, &settings->top);

	for (size_t s = 1; !err && option_sections[s].name; s++) {
		const struct option_section *section = &option_sections[s];

		if (!section->is_titled)
			err = fill_group(cfg_getsec(config->cfg, section->name), section->groups[0],
					 settings_group(settings, section->groups[0]));
	}
	if (!err)
		err = fill_issuers(config, settings);
	if (err)
		return err;
	for (size_t i = 0; i < config->text.n_marks; i++) {
		const struct config_mark *mark = &config->text.marks[i];

		if (mark->section->groups[0] == GROUP_ISSUER && !mark->section->is_titled)
			places.defaults = mark->line;
		else if (mark->section->groups[0] == GROUP_REDIS)
			places.redis = mark->line;
	}
	config->is_filled = true;
	places.issuers = config->issuer_lines;
	config_check_settings(settings, &places, &config->report);
	return config->report.n_errors > 0 ? ERR_SYNTAX : config->report.err;
}

err_t config_read(const char *path, struct settings **out, struct buf *messages)
{
	struct config config = {.settings = settings_default()};
	err_t err = config.settings ? OK : ERR_NO_MEMORY;

	if (!err)
		err = config_text_read(path, &config.report, &config.text);
	if (err == ERR_SYSTEM)
		buf_printf(messages, "%s: cannot be read: %s\n", path, strerror(errno));
	else if (err)
		buf_printf(messages, "%s: %s\n", path, err_row(err)->text);
	if (!err)
		err = parse(&config);
	if (!err)
		err = fill(&config, config.settings);
	config_report_print(&config.report, messages);
	if (err == ERR_NO_MEMORY)
		buf_printf(messages, "%s: out of memory\n", path);
	if (!err || (err == ERR_SYNTAX && config.is_filled)) {
		*out = config.settings;
		config.settings = NULL;
	}
	if (config.cfg)
		cfg_free(config.cfg);
	settings_free(config.settings);
	free(config.issuer_lines);
	config_text_fini(&config.text);
	config_report_fini(&config.report);
	return err;
}

err_t config_load(const char *path, struct settings **out, struct buf *messages)
{
	struct settings *settings = NULL;
	err_t err = config_read(path, &settings, messages);

	if (err)
		settings_free(settings);
	else
		*out = settings;
	return err;
}
