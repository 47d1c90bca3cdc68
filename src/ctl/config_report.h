/* SPDX-License-Identifier: ISC */
/*
 * What is wrong with a configuration, and where. The configuration is one text, put together from
 * the file and what it includes; each line of the text knows its file and line. Messages are
 * gathered in any order and printed in that of the text, each as  file:line: option: what.
 */
#ifndef OCSPRELAY_CTL_CONFIG_REPORT_H
#define OCSPRELAY_CTL_CONFIG_REPORT_H

#include "base/buf.h"
#include "err.h"
#include "settings.h"

enum config_severity {
	CONFIG_ERROR,
	CONFIG_WARNING
};

struct config_origin {
	size_t file; /* index in files */
	unsigned line;
};

struct config_message {
	size_t line; /* of the text, from 1 */
	enum config_severity severity;
	char *what; /* owned */
};

struct config_report {
	struct text_list files;
	struct config_origin *lines; /* of the text, [0] is line 1 */
	size_t n_lines, lines_cap;
	struct config_message *messages;
	size_t n_messages, n_errors;
	err_t err; /* first failure: ERR_NO_MEMORY */
};

/* A zeroed report is empty. */
void config_report_fini(struct config_report *report);

/* Registers a file; its index. */
size_t config_report_file(struct config_report *report, const char *path);

/* The text has one line more; it comes from there. */
void config_report_line(struct config_report *report, size_t file, unsigned line);

/* Adds "option: what" about a line of the text; 0 is the line that was added last. */
void config_report_add(struct config_report *report, enum config_severity severity, size_t line,
		       const char *fmt, ...) PRINTF_LIKE(4, 5);

/* File and line of a line of the text; the text borrowed. */
const char *config_report_origin(const struct config_report *report, size_t line,
				 unsigned *out_line);

void config_report_print(struct config_report *report, struct buf *out);

#endif
