/* SPDX-License-Identifier: ISC */
/*
 * The rows of tbl/events.h and the way to the sink. The sink is one of the two globals of the
 * program: set once before the threads start and only read after, therefore without a lock.
 */
#include "base/log.h"

#include <assert.h>

static const struct log_row rows[] = {
#define EVENT(id, name, level, fields, text) [EVENT_##id] = {name, fields, text, level},
#include "tbl/events.h"
#undef EVENT
};

static struct {
	log_sink_fn *emit;
	void *arg;
} sink, tap;

const struct log_row *log_row(enum log_event event)
{
	assert((unsigned)event < N_EVENTS);
	return &rows[event];
}

void log_set_sink(log_sink_fn *emit, void *arg)
{
	sink.emit = emit;
	sink.arg = arg;
}

void log_set_tap(log_sink_fn *emit, void *arg)
{
	tap.emit = emit;
	tap.arg = arg;
}

void log_emit(enum log_event event, const struct log_field *fields)
{
	if (sink.emit)
		sink.emit(sink.arg, event, fields);
	if (tap.emit)
		tap.emit(tap.arg, event, fields);
}
