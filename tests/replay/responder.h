/* SPDX-License-Identifier: ISC */
/*
 * Responders of CAs, and how they behave: the stand-in of io/upstream.h. A statement that begins
 * with a responder's name changes what it does from now on with requests that come then:
 *
 *	r1 refuses                     r1 says 503, takes 2s
 */
#ifndef OCSPRELAY_TESTS_REPLAY_RESPONDER_H
#define OCSPRELAY_TESTS_REPLAY_RESPONDER_H

#include "script.h"

void responder_add(const char *name);

bool responder_find(const char *name, size_t *out);
const char *responder_url(size_t responder); /* for as long as the play */
const char *responder_name(size_t responder);
size_t responder_count(void);

/* The rest of the statement. */
void responder_behave(size_t responder, struct words *words);

void responder_close(void);

#endif
