/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration, made ready for libConfuse.
 *
 * libConfuse 3.3 ends at the first name it does not know, counts a comment as three lines, takes
 * none inside a list, drops stars that are not in quotes, and includes single files only, relative
 * to the working directory. So the file is read here first: included files are put in, comments
 * and statements that nobody knows become blanks (the latter are reported), everything else
 * is handed on as it stands, line by line.
 */
#ifndef OCSPRELAY_CTL_CONFIG_TEXT_H
#define OCSPRELAY_CTL_CONFIG_TEXT_H

#include "base/buf.h"
#include "ctl/config_report.h"
#include "ctl/option_rows.h"

struct config_mark { /* a section begins */
	const struct option_section *section;
	char *title; /* as written, without quotes; owned; NULL when it has none */
	size_t line; /* of the text */
};

struct config_text {
	struct buf text; /* ends with a NUL that is not counted */
	struct config_report *report;
	struct config_mark *marks; /* in the order of the text */
	size_t n_marks;
	bool is_broken; /* faults of syntax are in the report, and blanks in their place */
	bool is_cut;	/* the text ends at a string or comment that does not; in the report, too */
};

/*
 * Reads path and what it includes into *out, to be freed with config_text_fini in any case. What is
 * wrong is in report (kept). ERR_SYSTEM (errno): path cannot be read; ERR_NO_MEMORY; ERR_TOO_LONG.
 */
MUST_CHECK err_t config_text_read(const char *path, struct config_report *report,
				  struct config_text *out);
void config_text_fini(struct config_text *text);

/* Makes blanks of everything from start on. */
void config_text_blank(struct config_text *text, size_t start);

#endif
