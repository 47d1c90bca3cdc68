/* SPDX-License-Identifier: ISC */
/*
 * tbl/options.h at run time: groups of rows, each the members of one struct of settings.h, and the
 * sections of the file, each taking the rows of one or two groups.
 */
#ifndef OCSPRELAY_CTL_OPTION_ROWS_H
#define OCSPRELAY_CTL_OPTION_ROWS_H

#include "types.h"

enum option_type {
	OPTION_IS_TEXT,
	OPTION_IS_LIST,
	OPTION_IS_NUMBER,
	OPTION_IS_RATIO,
	OPTION_IS_SIZE,
	OPTION_IS_TIME,
	OPTION_IS_FLAG,
	OPTION_IS_CHOICE
};

struct option_row {
	const char *name;
	enum option_type type;
	const char *initial; /* the default, as tbl/options.h has it */
	double min, max;     /* of numbers, in octets or milliseconds where these are the unit */
	const char *help;
	size_t offset; /* of the member in the group's struct */
};

enum option_group {
	GROUP_TOP,	  /* struct settings_top */
	GROUP_CACHE,	  /* struct settings_cache */
	GROUP_REDIS,	  /* struct settings_redis */
	GROUP_LOG,	  /* struct settings_log */
	GROUP_LIMITS,	  /* struct settings_limits */
	GROUP_ISSUER,	  /* struct settings_issuer */
	GROUP_ISSUER_OWN, /* struct settings_issuer_own */
	N_GROUPS,
	GROUP_NONE = N_GROUPS
};

struct option_table {
	const struct option_row *rows;
	size_t n;
};

extern const struct option_table option_tables[N_GROUPS];

struct option_section {
	const char *name; /* "" for what stands outside of sections */
	bool is_titled;	  /* name "Title" { }, any number of them */
	enum option_group groups[2];
};

/* Ends with a NULL name; the first is the outside. */
extern const struct option_section option_sections[];

/* By name, or NULL. */
const struct option_section *option_section_named(const char *name);

/* The row of that name in a section, or NULL. */
const struct option_row *option_row_named(const struct option_section *section, const char *name);

#endif
