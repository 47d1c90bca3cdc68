/* SPDX-License-Identifier: ISC */
/* A log event as one line of text, logfmt or JSON, in memory of a fixed size. */
#ifndef OCSPRELAY_CTL_LOG_LINE_H
#define OCSPRELAY_CTL_LOG_LINE_H

#include "base/log.h"

/* With its line end; as many octets as a pipe takes in one piece (PIPE_BUF). */
#define LOG_LINE_MAX 4096

enum log_format { /* words of the option format, in its order */
	LOG_FORMAT_LOGFMT,
	LOG_FORMAT_JSON
};

struct log_line {
	size_t len;
	char text[LOG_LINE_MAX]; /* ends with a line end, no NUL */
};

struct log_head {
	enum log_format format;
	bool is_bare; /* without ts and level, for those who add their own */
	int64_t ms_wall;
	enum log_event event;
	enum log_level level; /* the event's, as a rule */
};

extern const char *const log_level_names[LEVEL_DEBUG + 1];

/* Values that do not fit are cut, fields behind them left out; what is written is well-formed. */
void log_line_make(struct log_line *line, const struct log_head *head,
		   const struct log_field *fields);

#endif
