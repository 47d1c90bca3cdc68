/* SPDX-License-Identifier: ISC */
/*
 * The stores of a play: the stand-in of io/store.h. A shelf outlives the relays that open it. A
 *disk answers at once; Redis is shared, answers in a later turn, knows leases that lapse, and
 *carries news. A statement that begins with a store's name changes how it works:
 *
 *	disk fails                     redis loses-news
 */
#ifndef OCSPRELAY_TESTS_REPLAY_SHELF_H
#define OCSPRELAY_TESTS_REPLAY_SHELF_H

#include "io/store.h"
#include "script.h"

void shelf_add(const char *name, bool is_shared);
bool shelf_find(const char *name, size_t *out);
const char *shelf_url(size_t shelf); /* for as long as the play */
bool shelf_has_failed(size_t shelf); /* ever */
size_t shelf_rows(const char *name); /* records, expired ones too */

/* The rest of the statement. */
void shelf_behave(size_t shelf, struct words *words);

/* While a relay dies: what it still does to its stores has no effect, so that its leases are not
 * given up but lapse. */
void shelf_ignore(bool is_ignoring);

void shelf_close(void);

#endif
