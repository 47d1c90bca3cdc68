/* SPDX-License-Identifier: ISC */
/* Gathering and printing messages about a configuration; see the header. */
#include "ctl/config_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/option_value.h"
#include "io/files.h"

#define MAX_MESSAGES 1000 /* a file that is no configuration at all needs no more */

void config_report_fini(struct config_report *report)
{
	for (size_t i = 0; i < report->n_messages; i++)
		free(report->messages[i].what);
	free(report->messages);
	free(report->lines);
	text_list_free(&report->files);
	*report = (struct config_report){.lines = NULL};
}

size_t config_report_file(struct config_report *report, const char *path)
{
	if (text_list_add(&report->files, path) != OK)
		report->err = ERR_NO_MEMORY;
	return report->files.n > 0 ? report->files.n - 1 : 0;
}

void config_report_line(struct config_report *report, size_t file, unsigned line)
{
	if (report->n_lines == report->lines_cap) {
		size_t cap = report->lines_cap ? 2 * report->lines_cap : 256;
		struct config_origin *lines = realloc(report->lines, cap * sizeof(*lines));

		if (!lines) {
			report->err = ERR_NO_MEMORY;
			return;
		}
		report->lines = lines;
		report->lines_cap = cap;
	}
	report->lines[report->n_lines++] = (struct config_origin){.file = file, .line = line};
}

void config_report_add(struct config_report *report, enum config_severity severity, size_t line,
		       const char *fmt, ...)
{
	struct config_message *messages;
	char *what;
	va_list args;
	int n;

	report->n_errors += severity == CONFIG_ERROR;
	if (report->n_messages == MAX_MESSAGES)
		return;
	va_start(args, fmt);
	n = vasprintf(&what, fmt, args);
	va_end(args);
	messages = realloc(report->messages, (report->n_messages + 1) * sizeof(*messages));
	if (messages)
		report->messages = messages;
	if (n < 0 || !messages) {
		if (n >= 0)
			free(what);
		report->err = ERR_NO_MEMORY;
		return;
	}
	messages[report->n_messages++] = (struct config_message){
	    .line = line ? line : report->n_lines, .severity = severity, .what = what};
}

const char *config_report_origin(const struct config_report *report, size_t line,
				 unsigned *out_line)
{
	const struct config_origin *origin;

	*out_line = 0;
	if (line == 0 || line > report->n_lines)
		return report->files.n > 0 ? report->files.items[0] : "";
	origin = &report->lines[line - 1];
	*out_line = origin->line;
	return origin->file < report->files.n ? report->files.items[origin->file] : "";
}

/* Insertion sort: stable, and the messages are nearly in order. */
static void sort(struct config_message *messages, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct config_message message = messages[i];
		size_t at = i;

		for (; at > 0 && messages[at - 1].line > message.line; at--)
			messages[at] = messages[at - 1];
		messages[at] = message;
	}
}

void config_report_print(struct config_report *report, struct buf *out)
{
	sort(report->messages, report->n_messages);
	for (size_t i = 0; i < report->n_messages; i++) {
		const struct config_message *message = &report->messages[i];
		unsigned line;
		const char *file = config_report_origin(report, message->line, &line);

		buf_printf(out, "%s:%u: %s%s\n", file, line,
			   message->severity == CONFIG_WARNING ? "warning: " : "", message->what);
	}
	if (report->n_messages == MAX_MESSAGES)
		buf_printf(out, "%s: further messages left out\n",
			   config_report_origin(report, 0, &(unsigned){0}));
}
