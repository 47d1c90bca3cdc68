/* SPDX-License-Identifier: ISC */
/*
 * The hook: a program of the operator's that is run for some log events, whatever the log's level,
 * each time (nothing is folded), with the event's fields in its environment. Events come from any
 * thread and never wait: what is too much is dropped, counted and logged.
 */
#ifndef OCSPRELAY_CTL_HOOK_H
#define OCSPRELAY_CTL_HOOK_H

#include "io/loop.h"
#include "settings.h"

struct hook;

/* Whether the hook can be run for events of this name. */
bool hook_has_event(const char *name);

/* What the option hook names cannot be run as it is: why; or NULL. */
const char *hook_doubt(const char *path);

/* From now on events are heard: before the threads start, after privileges were dropped. NULL
 * without memory. Main thread, whose loop it is. */
struct hook *hook_new(struct loop *loop, const struct settings *settings);

/* After a reload. settings are kept until the next time. */
void hook_set_settings(struct hook *hook, const struct settings *settings);

/* After the threads have ended. NULL is fine. */
void hook_free(struct hook *hook);

#endif
