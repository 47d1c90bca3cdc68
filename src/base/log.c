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

#define MAX_TAPS 2

static struct ear {
	log_sink_fn *emit;
	void *arg;
} sink, taps[MAX_TAPS];

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

void log_add_tap(log_sink_fn *emit, void *arg)
{
	size_t i = 0;

	while (i < MAX_TAPS && taps[i].emit)
		i++;
	assert(i < MAX_TAPS);
	taps[i] = (struct ear){emit, arg};
}

void log_remove_tap(void *arg)
{
	for (size_t i = 0; i < MAX_TAPS; i++) {
		if (taps[i].arg == arg)
			taps[i] = (struct ear){NULL, NULL};
	}
}

void log_emit(enum log_event event, const struct log_field *fields)
{
	if (sink.emit)
		sink.emit(sink.arg, event, fields);
	for (size_t i = 0; i < MAX_TAPS; i++) {
		if (taps[i].emit)
			taps[i].emit(taps[i].arg, event, fields);
	}
}
