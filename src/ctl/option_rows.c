/* SPDX-License-Identifier: ISC */
/* The rows of tbl/options.h as arrays; what is here has no other source than that table. */
#include "ctl/option_rows.h"

#include <string.h>

#include "settings.h"

#define ROW(structure, name, type, def, min, max, help) \
	{#name, OPTION_IS_##type, def, min, max, help, offsetof(struct structure, name)},

static const struct option_row top_rows[] = {
#define OPTION(name, type, def, min, max, help) ROW(settings_top, name, type, def, min, max, help)
#define OPTIONS_TOP
#include "tbl/options.h"
#undef OPTIONS_TOP
#undef OPTION
};

static const struct option_row cache_rows[] = {
#define OPTION(name, type, def, min, max, help) ROW(settings_cache, name, type, def, min, max, help)
#define OPTIONS_CACHE
#include "tbl/options.h"
#undef OPTIONS_CACHE
#undef OPTION
};

static const struct option_row redis_rows[] = {
#define OPTION(name, type, def, min, max, help) ROW(settings_redis, name, type, def, min, max, help)
#define OPTIONS_REDIS
#include "tbl/options.h"
#undef OPTIONS_REDIS
#undef OPTION
};

static const struct option_row log_rows[] = {
#define OPTION(name, type, def, min, max, help) ROW(settings_log, name, type, def, min, max, help)
#define OPTIONS_LOG
#include "tbl/options.h"
#undef OPTIONS_LOG
#undef OPTION
};

static const struct option_row limits_rows[] = {
#define OPTION(name, type, def, min, max, help) \
	ROW(settings_limits, name, type, def, min, max, help)
#define OPTIONS_LIMITS
#include "tbl/options.h"
#undef OPTIONS_LIMITS
#undef OPTION
};

static const struct option_row issuer_rows[] = {
#define OPTION(name, type, def, min, max, help) \
	ROW(settings_issuer, name, type, def, min, max, help)
#define OPTIONS_ISSUER
#include "tbl/options.h"
#undef OPTIONS_ISSUER
#undef OPTION
};

static const struct option_row issuer_own_rows[] = {
#define OPTION(name, type, def, min, max, help) \
	ROW(settings_issuer_own, name, type, def, min, max, help)
#define OPTIONS_ISSUER_OWN
#include "tbl/options.h"
#undef OPTIONS_ISSUER_OWN
#undef OPTION
};

const struct option_table option_tables[N_GROUPS] = {
    [GROUP_TOP] = {top_rows, N_ELEMENTS(top_rows)},
    [GROUP_CACHE] = {cache_rows, N_ELEMENTS(cache_rows)},
    [GROUP_REDIS] = {redis_rows, N_ELEMENTS(redis_rows)},
    [GROUP_LOG] = {log_rows, N_ELEMENTS(log_rows)},
    [GROUP_LIMITS] = {limits_rows, N_ELEMENTS(limits_rows)},
    [GROUP_ISSUER] = {issuer_rows, N_ELEMENTS(issuer_rows)},
    [GROUP_ISSUER_OWN] = {issuer_own_rows, N_ELEMENTS(issuer_own_rows)},
};

const struct option_section option_sections[] = {
    {"", false, {GROUP_TOP, GROUP_NONE}},
    {"cache", false, {GROUP_CACHE, GROUP_NONE}},
    {"redis", false, {GROUP_REDIS, GROUP_NONE}},
    {"log", false, {GROUP_LOG, GROUP_NONE}},
    {"limits", false, {GROUP_LIMITS, GROUP_NONE}},
    {"defaults", false, {GROUP_ISSUER, GROUP_NONE}},
    {"issuer", true, {GROUP_ISSUER, GROUP_ISSUER_OWN}},
    {.name = NULL},
};

const struct option_section *option_section_named(const char *name)
{
	for (const struct option_section *section = option_sections; section->name; section++) {
		if (strcmp(section->name, name) == 0)
			return section;
	}
	return NULL;
}

const struct option_row *option_row_named(const struct option_section *section, const char *name)
{
	for (size_t g = 0; g < N_ELEMENTS(section->groups); g++) {
		const struct option_table *table;

		if (section->groups[g] == GROUP_NONE)
			continue;
		table = &option_tables[section->groups[g]];
		for (size_t i = 0; i < table->n; i++) {
			if (strcmp(table->rows[i].name, name) == 0)
				return &table->rows[i];
		}
	}
	return NULL;
}
