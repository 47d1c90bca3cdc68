/* SPDX-License-Identifier: ISC */
/*
 * The relays of a play, each a whole one as relay/relay.h makes it, with its own tables and wiring:
 * one front thread, one back thread, whose loops the stage turns. All have the same settings; they
 * differ in their stores.
 */
#ifndef OCSPRELAY_TESTS_REPLAY_HOUSE_H
#define OCSPRELAY_TESTS_REPLAY_HOUSE_H

#include "io/server.h"
#include "script.h"

#define MAX_RELAYS 4

/* "set NAME VALUE": an option of the issuers' policy, of cache or of limits. */
void house_set(struct words *words);

void house_add(const char *name);
void house_add_store(size_t relay, size_t shelf);
bool house_find(const char *name, size_t *out);
size_t house_count(void);
const char *house_name(size_t relay);

void house_start(size_t relay);
void house_stop(size_t relay);
bool house_is_running(size_t relay);

/* Whether its stores keep what it knows over a restart: one has never failed. */
bool house_has_memory(size_t relay);

struct server *house_server(size_t relay);

/* "rehearse ISSUER for D": on all relays that run. */
void house_rehearse(struct words *words);

/* Responses in memory, of the relay that is named or the first. */
uint64_t house_entries(struct words *words);

#endif
