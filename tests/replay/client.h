/* SPDX-License-Identifier: ISC */
/* Clients: who asks once and says what is expected, and loads, which ask all the time. */
#ifndef OCSPRELAY_TESTS_REPLAY_CLIENT_H
#define OCSPRELAY_TESTS_REPLAY_CLIENT_H

#include "script.h"

void client_open(void);
void client_close(void);

/* "ask WHOM [HOW ...] -> WHAT, ...": time passes until all have been answered. */
void client_ask(struct words *words);

/* "send WHOM [HOW ...]": nobody waits for the answer, which is judged all the same. */
void client_send(struct words *words);

/* "load RATE zipf of WHOM [HOW ...]", "load stops". */
void client_load(struct words *words);

/* Those of a relay that ends. */
void client_hang_up(size_t relay);

#endif
