/* SPDX-License-Identifier: ISC */
/*
 * Log events: rows of tbl/events.h with typed fields. This floor only hands them to the sink that
 * floor 5 installed; before that, and in unit tests, they go nowhere.
 *
 * At least one field is given:
 *
 *	LOG(RESPONDER_DOWN, LOG_TEXT("responder", url), LOG_NUMBER("failures", n));
 */
#ifndef OCSPRELAY_BASE_LOG_H
#define OCSPRELAY_BASE_LOG_H

#include "err.h"
#include "types.h"

enum log_event {
#define EVENT(id, name, level, fields, text) EVENT_##id,
#include "tbl/events.h"
#undef EVENT
	N_EVENTS
};

struct log_row {
	const char *name;
	const char *fields; /* names with blanks between, "?" behind those that may be missing */
	const char *text;
	enum log_level level;
};

const struct log_row *log_row(enum log_event event);

struct log_field {
	const char *name; /* NULL ends the list */
	enum {
		LOG_FIELD_TEXT,
		LOG_FIELD_NUMBER,
		LOG_FIELD_BYTES /* shown in hexadecimal */
	} type;
	struct slice bytes; /* text or bytes, borrowed for the call */
	int64_t number;
};

#define LOG_TEXT(n, t)                                                      \
	{                                                                   \
		.name = (n), .type = LOG_FIELD_TEXT, .bytes = slice_text(t) \
	}
#define LOG_SLICE(n, s)                                           \
	{                                                         \
		.name = (n), .type = LOG_FIELD_TEXT, .bytes = (s) \
	}
#define LOG_NUMBER(n, v)                                                      \
	{                                                                     \
		.name = (n), .type = LOG_FIELD_NUMBER, .number = (int64_t)(v) \
	}
#define LOG_HEX(n, s)                                              \
	{                                                          \
		.name = (n), .type = LOG_FIELD_BYTES, .bytes = (s) \
	}
/* The error's label as field "reason". */
#define LOG_REASON(e) LOG_TEXT("reason", err_row(e)->label)

#define LOG(event, ...) \
	log_emit(EVENT_##event, (const struct log_field[]){__VA_ARGS__, {.name = NULL}})

typedef void log_sink_fn(void *arg, enum log_event event, const struct log_field *fields);

/* Somebody more who hears of the events, until removed by the same arg; as the sink, and before or
 * after the threads likewise. There is room for two. */
void log_add_tap(log_sink_fn *emit, void *arg);
void log_remove_tap(void *arg);

/* Installs the sink (NULL: nowhere). At start-up, before the threads. The sink is called from any
 * thread, several at once. */
void log_set_sink(log_sink_fn *emit, void *arg);

/* Called through LOG(). Never blocks longer than the sink does. */
void log_emit(enum log_event event, const struct log_field *fields);

#endif
