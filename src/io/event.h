/* SPDX-License-Identifier: ISC */
/*
 * libevent's struct event, for embedding. Its header uses a macro LIST_ENTRY of its own making,
 * which must not be the one of base/list.h. For this floor only.
 */
#ifndef OCSPRELAY_IO_EVENT_H
#define OCSPRELAY_IO_EVENT_H

#pragma push_macro("LIST_ENTRY")
#undef LIST_ENTRY
#include <event2/event.h>
#include <event2/event_struct.h>
#pragma pop_macro("LIST_ENTRY")

#endif
