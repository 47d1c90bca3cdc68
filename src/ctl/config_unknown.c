/* SPDX-License-Identifier: ISC */
/*
 * What is said of an unknown name, the first that applies: that it belongs into another section,
 * that a colon stands for the equal sign, which name of this section is close, which of another
 * one.
 */
#include "ctl/config_unknown.h"

#include <string.h>

#include "ctl/suggest.h"

#define MAX_PLACES_LEN 256

/* Appends the sections that have an option of this name: "cache { } or log { }"; how many. */
static unsigned print_places(const char *name, struct buf *out)
{
	unsigned n = 0;

	for (const struct option_section *at = option_sections; at->name; at++) {
		if (!option_row_named(at, name))
			continue;
		buf_text(out, n++ > 0 ? " or " : "");
		buf_printf(out, at->name[0] ? "%s%s { }" : "the top level", at->name,
			   at->is_titled ? " \"...\"" : "");
	}
	return n;
}

static void suggest_options(const struct option_section *section, struct suggestion *suggestion)
{
	for (size_t g = 0; g < N_ELEMENTS(section->groups); g++) {
		const struct option_table *table = &option_tables[section->groups[g]];

		for (size_t i = 0; section->groups[g] != GROUP_NONE && i < table->n; i++)
			suggestion_try(suggestion, table->rows[i].name);
	}
}

static void suggest_names(const struct option_section *section, struct suggestion *suggestion)
{
	suggest_options(section, suggestion);
	if (section != option_sections)
		return;
	for (const struct option_section *at = section + 1; at->name; at++)
		suggestion_try(suggestion, at->name);
	suggestion_try(suggestion, "include");
}

/* A close name of another section, and where it stands: "level in log { }". */
static bool suggest_elsewhere(const char *name, struct buf *out)
{
	struct suggestion suggestion = {.word = name};

	for (const struct option_section *at = option_sections; at->name; at++)
		suggest_options(at, &suggestion);
	if (!suggestion.best)
		return false;
	buf_printf(out, "%s in ", suggestion.best);
	(void)print_places(suggestion.best, out);
	return true;
}

/* "threads: 4": the colon is part of the word. */
static bool is_option_with_colon(const struct option_section *section, const char *name)
{
	size_t len = strlen(name);
	char bare[CONFIG_NAME_SIZE];

	if (len < 2 || len >= sizeof(bare) || name[len - 1] != ':')
		return false;
	memcpy(bare, name, len - 1);
	bare[len - 1] = '\0';
	return option_row_named(section, bare) != NULL;
}

void config_unknown_report(const struct config_scan *scan, const struct option_section *section,
			   const char *name)
{
	const char *kind = config_scan_is_section(scan) ? "section" : "option";
	struct config_report *report = scan->text->report;
	struct suggestion suggestion = {.word = name};
	struct buf places;

	buf_init(&places, MAX_PLACES_LEN);
	suggest_names(section, &suggestion);
	if (name[0] && option_section_named(name))
		config_report_add(report, CONFIG_ERROR, 0,
				  "%s: does not stand here, but in the top level", name);
	else if (print_places(name, &places) > 0)
		config_report_add(report, CONFIG_ERROR, 0, "%s: does not stand here, but in %.*s",
				  name, (int)places.len, (const char *)places.p);
	else if (is_option_with_colon(section, name))
		config_report_add(report, CONFIG_ERROR, 0,
				  "%.*s: is followed by a colon, allowed: =", (int)strlen(name) - 1,
				  name);
	else if (suggestion.best)
		config_report_add(report, CONFIG_ERROR, 0, "%s: unknown %s, did you mean %s?", name,
				  kind, suggestion.best);
	else if (suggest_elsewhere(name, &places))
		config_report_add(report, CONFIG_ERROR, 0, "%s: unknown %s, did you mean %.*s?",
				  name, kind, (int)places.len, (const char *)places.p);
	else
		config_report_add(report, CONFIG_ERROR, 0, "%s: unknown %s", name, kind);
	buf_fini(&places);
}
